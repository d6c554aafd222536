package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferInt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jmatte.Foreground;
import org.jmatte.Matting;
import org.jmatte.MattingOptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code matte --cutout}, {@code --foreground} and {@code --composite}. */
class ForegroundOptionsTest {
    private static final int HEIGHT = 45;
    private static final int WIDTH = 70;

    @TempDir
    Path folder;

    private Path image;
    private Path trimap;

    @BeforeEach
    void pictures() {
        image = Pictures.photo(path("in/photo.png"), HEIGHT, WIDTH);
        trimap = Pictures.trimap(path("in/trimap.png"), HEIGHT, WIDTH);
    }

    @Test
    void allPicturesOfOnePhoto() throws IOException {
        matte("--cutout", path("c.png"), "--foreground", path("f.png"), "--report", path("r.json"))
                .done();
        BufferedImage alpha = Pictures.read(path("a.png"));
        BufferedImage cutout = Pictures.read(path("c.png"));
        BufferedImage foreground = Pictures.read(path("f.png"));
        assertEquals(32, cutout.getColorModel().getPixelSize());
        assertEquals(24, foreground.getColorModel().getPixelSize());
        BufferedImage photo = Pictures.read(image);
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                int a = alpha.getRaster().getSample(x, y, 0);
                assertEquals(a, cutout.getRGB(x, y) >>> 24);
                assertEquals(foreground.getRGB(x, y) & 0xFFFFFF, cutout.getRGB(x, y) & 0xFFFFFF);
                if (3 * y > 2 * HEIGHT + 6) {
                    assertEquals(photo.getRGB(x, y), foreground.getRGB(x, y));
                }
            }
        }
        JsonNode seconds = new ObjectMapper().readTree(path("r.json").toFile()).get("seconds");
        assertTrue(seconds.get("foreground").asDouble() > 0, seconds.toString());
    }

    @Test
    void sixteenBitPhotosGiveSixteenBitPictures() {
        BufferedImage deep = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_USHORT_GRAY);
        deep.getRaster().setSample(3, 3, 0, 12345);
        image = Pictures.write(deep, path("in/deep.png"));
        matte("--cutout", path("c.png"), "--composite", "#102030", "--composite-out", path("o.png"))
                .done();
        assertEquals(64, Pictures.read(path("c.png")).getColorModel().getPixelSize());
        BufferedImage composite = Pictures.read(path("o.png"));
        assertEquals(48, composite.getColorModel().getPixelSize());
        assertArrayEquals(
                new int[] {0x1010, 0x2020, 0x3030}, composite.getRaster().getPixel(0, 0, (int[]) null));
    }

    @Test
    void overAColourAndOverAPicture() {
        matte("--composite", "#00fF20", "--composite-out", path("o.png")).done();
        assertEquals(0xFF00FF20, Pictures.read(path("o.png")).getRGB(5, 0));
        assertEquals(
                Pictures.read(image).getRGB(5, HEIGHT - 1),
                Pictures.read(path("o.png")).getRGB(5, HEIGHT - 1));

        BufferedImage grey = new BufferedImage(7, 5, BufferedImage.TYPE_INT_RGB);
        Arrays.fill(((DataBufferInt) grey.getRaster().getDataBuffer()).getData(), 0x404142);
        Path behind = Pictures.write(grey, path("in/behind.png"));
        matte("--overwrite", "--composite", behind, "--composite-out", path("o.png"))
                .done();
        assertEquals(0xFF404142, Pictures.read(path("o.png")).getRGB(5, 0));
    }

    @Test
    void foldersOfPictures() throws IOException {
        Pictures.photo(path("images/b.png"), 33, 20);
        Pictures.trimap(path("trimaps/b.png"), 33, 20);
        Pictures.photo(path("images/nested/a.png"), 20, 47);
        Pictures.trimap(path("trimaps/nested/a.png"), 20, 47);
        image = path("images");
        trimap = path("trimaps");
        Object[] wanted = {
            "--cutout",
            path("out/cut"),
            "--foreground",
            path("out/colours"),
            "--composite",
            "#000000",
            "--composite-out",
            path("out/over")
        };
        run(path("out/mattes"), wanted).done();
        assertEquals(
                List.of(
                        "colours/b.png",
                        "colours/nested/a.png",
                        "cut/b.png",
                        "cut/nested/a.png",
                        "mattes/b.png",
                        "mattes/nested/a.png",
                        "over/b.png",
                        "over/nested/a.png"),
                Pictures.files(path("out")));
        assertEquals(47, Pictures.read(path("out/cut/nested/a.png")).getWidth());
        run(path("out/mattes"), "--overwrite", "--cutout", path("out/mattes")).refused("mattes", "two outputs");
        Pictures.text(path("file"), "");
        run(path("others"), "--cutout", path("file")).refused("expected a folder", "file");
    }

    @Test
    void badOptionsWriteNothing() {
        List<String> before = Pictures.files(folder);
        matte("--composite", "#00ff00").refused("--composite", "--composite-out");
        matte("--composite-out", path("o.png")).refused("--composite-out", "--composite");
        matte("--composite", "#00ff0", "--composite-out", path("o.png")).refused("--composite", "#00ff00", "'#00ff0'");
        matte("--composite", path("none.png"), "--composite-out", path("o.png")).refused("none.png", "no such file");
        matte("--composite", trimap, "--composite-out", trimap, "--overwrite").refused("trimap.png", "input");
        matte("--cutout", path("c.jpg")).refused("c.jpg", ".png");
        matte("--cutout", path("missing/c.png")).refused("missing");
        matte("--cutout", path("in")).refused("in", "folder");
        matte("--cutout", image, "--overwrite").refused("photo.png", "input");
        matte("--cutout", path("a.png")).refused("a.png", "two outputs");
        Path behind = Pictures.photo(path("in/behind.png"), 5, 5);
        matte("--composite", behind, "--composite-out", behind, "--overwrite").refused("behind.png", "input");
        List<String> after = new ArrayList<>(Pictures.files(folder));
        after.remove("in/behind.png");
        assertEquals(before, after);
    }

    @Test
    void withinAMemoryBudget() {
        matte("--cutout", path("c.png"), "--memory-budget", "1GiB").done();
        image = Pictures.photo(path("in/large.png"), 2000, 2000);
        trimap = Pictures.trimap(path("in/large_trimap.png"), 2000, 2000);
        long weights = Matting.plan("seeded:mematte_tiny", 2000, 2000, MattingOptions.defaults())
                .weightsBytes();
        long images = (3 + 1 + 1 + 3) * 2000 * 2000; // photo, trimap, alpha, foreground
        long needed = weights + images + Foreground.workingBytes(2000, 2000, 0);
        matte("--overwrite", "--cutout", path("c.png"), "--memory-budget", needed - 1)
                .refused("memory budget", "foreground", "need " + needed + " bytes", "got " + (needed - 1));
    }

    @Test
    void existingPicturesAreKeptUnlessToBeOverwritten() throws IOException {
        Pictures.text(path("c.png"), "precious");
        matte("--cutout", path("c.png")).refused("c.png", "--overwrite");
        assertEquals("precious", Files.readString(path("c.png")));
        matte("--cutout", path("c.png"), "--overwrite").done();
        assertEquals(WIDTH, Pictures.read(path("c.png")).getWidth());
    }

    private CommandLineRun matte(Object... more) {
        return run(path("a.png"), more);
    }

    private CommandLineRun run(Path out, Object... more) {
        List<Object> args = new ArrayList<>(
                List.of("matte", "--model", "seeded:mematte_tiny", "--image", image, "--trimap", trimap, "--out", out));
        args.addAll(Arrays.asList(more));
        return CommandLineRun.of(args.toArray());
    }

    private Path path(String name) {
        return folder.resolve(name);
    }
}
