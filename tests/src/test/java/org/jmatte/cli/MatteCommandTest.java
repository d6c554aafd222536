package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jmatte.network.PamPath;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One photo at a time. */
class MatteCommandTest {
    private static final int HEIGHT = 45;
    private static final int WIDTH = 70;

    @TempDir
    Path folder;

    private Path image;
    private Path trimap;

    @BeforeEach
    void pictures() {
        image = Pictures.photo(folder.resolve("in/photo.v1.png"), HEIGHT, WIDTH);
        trimap = Pictures.trimap(folder.resolve("in/trimap.png"), HEIGHT, WIDTH);
    }

    @Test
    void alphaReportAndOverlays() throws IOException {
        CommandLineRun run = matte("a.png", "--report", path("r.json"), "--routing", path("routes"));
        assertTrue(run.done().out().contains("45x70, mematte_tiny fp32 cpu"), run.out());
        assertEquals(
                List.of(
                        "a.png",
                        "in/photo.v1.png",
                        "in/trimap.png",
                        "r.json",
                        "routes/photo.v1_router0.png",
                        "routes/photo.v1_router1.png",
                        "routes/photo.v1_router2.png",
                        "routes/photo.v1_router3.png"),
                Pictures.files(folder));
        assertKnownPixels(Pictures.read(path("a.png")), 8, 255);
        BufferedImage overlay = Pictures.read(path("routes/photo.v1_router0.png"));
        assertEquals(WIDTH, overlay.getWidth());
        assertEquals(HEIGHT, overlay.getHeight());
        JsonNode report = new ObjectMapper().readTree(path("r.json").toFile());
        assertEquals(image.toString(), report.get("image").asText());
        assertEquals(path("a.png").toString(), report.get("out").asText());
        assertEquals("cpu", report.get("backend").asText());
        assertEquals("mematte_tiny", report.get("model").asText());
        assertEquals(HEIGHT, report.get("height").asInt());
        assertEquals(WIDTH, report.get("width").asInt());
        assertEquals(4 * 6, report.get("tokens").get("total").asInt());
        assertEquals(4, report.get("tokens").get("kept").size());
        assertTrue(report.get("path").isNull() && report.get("gmacs").isNull(), report.toString());
        JsonNode seconds = report.get("seconds");
        double parts = 0;
        for (String part : List.of("load", "read", "encode", "decode", "write")) {
            parts += seconds.get(part).asDouble();
        }
        assertTrue(parts <= seconds.get("total").asDouble() + 1e-3, seconds.toString());
    }

    @Test
    void theReportTellsThePathAndItsCost() throws IOException {
        run("seeded:pam", "a.png", "--gmacs", "aggressive", "--report", path("r.json"))
                .done();
        JsonNode report = new ObjectMapper().readTree(path("r.json").toFile());
        PamPath taken = PamPath.of(report.get("path").asText());
        assertEquals(taken.gmacs(), report.get("gmacs").asDouble());
        assertTrue(taken.gmacs() <= 60, report.toString());
        assertEquals(0, report.get("tokens").get("total").asInt());
        assertEquals("pam", report.get("model").asText());
    }

    @Test
    void budgetsThatNoPathMeetsAreRefused() {
        run("seeded:pam", "a.png", "--gmacs", "51").refused("gmacs", "at least 52");
        run("seeded:mematte_tiny", "a.png", "--gmacs", "60").refused("gmacs", "mematte_tiny");
    }

    @Test
    void sixteenBits() {
        matte("a.png", "--bits", "16").done();
        assertKnownPixels(Pictures.read(path("a.png")), 16, 65535);
    }

    @Test
    void numpy() throws IOException {
        matte("a.npy", "--quiet").done();
        byte[] bytes = Files.readAllBytes(path("a.npy"));
        assertEquals(128 + 4 * HEIGHT * WIDTH, bytes.length);
        assertTrue(new String(bytes, 0, 128, StandardCharsets.ISO_8859_1).contains("(45, 70)"));
    }

    @Test
    void rawTrimapValues() {
        matte("a.png", "--trimap-values", "raw").done();
        assertKnownPixels(Pictures.read(path("a.png")), 8, 255);
        matte("b.png", "--trimap-values", "round").refused("--trimap-values", "snap or raw", "round");
    }

    @Test
    void quietSaysNothing() {
        assertEquals("", matte("a.png", "--quiet").done().out());
    }

    @Test
    void onePixel() {
        image = Pictures.photo(folder.resolve("in/one.png"), 1, 1);
        trimap = Pictures.trimap(folder.resolve("in/one_trimap.png"), 1, 1);
        matte("a.png").done();
        assertEquals(1, Pictures.read(path("a.png")).getWidth());
    }

    @Test
    void theSameTwice() throws IOException {
        matte("a.png", "--threads", "1").done();
        matte("b.png", "--threads", "2").done();
        assertArrayEquals(Files.readAllBytes(path("a.png")), Files.readAllBytes(path("b.png")));
    }

    @Test
    void existingOutputsAreKeptUnlessToBeOverwritten() throws IOException {
        Pictures.text(path("a.png"), "precious");
        matte("a.png").refused("a.png", "--overwrite");
        matte("b.png", "--report", path("a.png")).refused("a.png", "--overwrite");
        Pictures.text(path("routes/photo.v1_router0.png"), "precious");
        matte("b.png", "--routing", path("routes")).refused("photo.v1_router0.png", "--overwrite");
        Pictures.text(path("others/photo.v1_router3.png"), "precious");
        matte("b.png", "--routing", path("others")).refused("photo.v1_router3.png", "--overwrite");
        assertEquals("precious", Files.readString(path("a.png")));
        matte("a.png", "--overwrite").done();
        assertKnownPixels(Pictures.read(path("a.png")), 8, 255);
    }

    @Test
    void badInputWritesNothing() {
        List<String> before = Pictures.files(folder);
        matte("a.jpg").refused("--out", ".png or .npy");
        matte("missing/a.png").refused("missing");
        matte("a.png", "--bits", "12").refused("--bits", "8 or 16", "12");
        matte("a.npy", "--bits", "8").refused("--bits", ".npy");
        matte("a.png", "--format", "png").refused("--format");
        matte("a.png", "--report", path("missing/r.json")).refused("r.json", "missing");
        matte("a.png", "--report", path("a.png")).refused("a.png");
        matte("a.png", "--routing", image).refused("folder");
        matte("in/photo.v1.png", "--overwrite").refused("photo.v1.png");
        Path rightImage = image;
        image = path("none.png");
        matte("a.png").refused("none.png");
        image = folder;
        matte("a.png").refused("three files or three folders");
        image = Pictures.text(path("in/broken.png"), "no picture");
        matte("a.png").refused("broken.png");
        image = Pictures.photo(path("in/other.png"), HEIGHT, WIDTH + 1);
        matte("a.png").refused("71", "70");
        image = rightImage;
        trimap = image;
        matte("a.png").refused("photo.v1.png", "grey");
        List<String> after = new ArrayList<>(Pictures.files(folder));
        after.removeAll(List.of("in/broken.png", "in/other.png"));
        assertEquals(before, after);
    }

    @Test
    void aModelThatIsMissingWritesNothing() {
        List<String> before = Pictures.files(folder);
        run("/no/such.pth", "a.png", "--routing", path("routes")).refused("/no/such.pth");
        run("/no/such.pth", "a.png", "--report", path("r.json")).refused("/no/such.pth");
        assertEquals(before, Pictures.files(folder));
    }

    @Test
    void inputsAreNotOverwrittenWhateverLinksLeadToThem() throws IOException {
        Files.createSymbolicLink(path("in/here"), Path.of("."));
        Files.createSymbolicLink(path("linked"), path("in"));
        Files.createSymbolicLink(path("in/other.png"), Path.of("trimap.png"));
        byte[] photo = Files.readAllBytes(image);
        matte("in/here/photo.v1.png", "--overwrite").refused("photo.v1.png", "input");
        matte("linked/trimap.png", "--overwrite").refused("trimap.png", "input");
        matte("a.png", "--overwrite", "--report", path("linked/here/photo.v1.png"))
                .refused("photo.v1.png", "input");
        matte("linked/a.png", "--overwrite", "--report", path("in/a.png")).refused("a.png", "two outputs");
        trimap = path("in/other.png"); // neither the link nor what it leads to
        matte("in/other.png", "--overwrite").refused("other.png", "input");
        matte("in/trimap.png", "--overwrite").refused("trimap.png", "input");
        assertArrayEquals(photo, Files.readAllBytes(image));

        Files.createSymbolicLink(path("a.png"), image); // replaced, not written through
        matte("a.png", "--overwrite").done();
        assertArrayEquals(photo, Files.readAllBytes(image));
        assertKnownPixels(Pictures.read(path("a.png")), 8, 255);
    }

    @Test
    void overlaysAndReportsOverwriteNoInput() {
        image = Pictures.photo(path("in/p.png"), HEIGHT, WIDTH);
        trimap = Pictures.trimap(path("in/p_router2.png"), HEIGHT, WIDTH);
        matte("a.png", "--overwrite", "--routing", path("in")).refused("p_router2.png", "input");
        matte("in/p_router1.png", "--overwrite", "--routing", path("in")).refused("p_router1.png", "two outputs");
        Path model = Pictures.text(path("model.pth"), "weights");
        run(model.toString(), "a.png", "--overwrite", "--report", model).refused("model.pth", "input");
        run(path("").toString(), "a.png", "--overwrite", "--report", model).refused("model.pth", "input");
    }

    @Test
    void overlaysThatCannotBeMadeAreExplained() {
        BufferedImage known = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_BYTE_GRAY);
        trimap = Pictures.write(known, path("in/known.png"));
        CommandLineRun run = matte("a.png", "--routing", path("routes"));
        assertEquals(0, run.exitCode(), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains("photo.v1.png: no overlays"), run.err());
        assertEquals(List.of(), Pictures.files(path("routes")));
    }

    @Test
    void withinAMemoryBudget() throws IOException {
        matte("a.png").done();
        matte("b.png", "--memory-budget", "1GiB").done();
        assertArrayEquals(Files.readAllBytes(path("a.png")), Files.readAllBytes(path("b.png")));
    }

    @Test
    void overlaysNeedRouters() {
        run("seeded:vitmatte_tiny", "a.png", "--routing", path("routes")).refused("--routing", "vitmatte_tiny");
    }

    private CommandLineRun matte(String out, Object... more) {
        return run("seeded:mematte_tiny", out, more);
    }

    private CommandLineRun run(String model, String out, Object... more) {
        List<Object> args = new ArrayList<>(
                List.of("matte", "--model", model, "--image", image, "--trimap", trimap, "--out", path(out)));
        args.addAll(Arrays.asList(more));
        return CommandLineRun.of(args.toArray());
    }

    private Path path(String name) {
        return folder.resolve(name);
    }

    private static void assertKnownPixels(BufferedImage alpha, int bits, int foreground) {
        assertEquals(WIDTH, alpha.getWidth());
        assertEquals(HEIGHT, alpha.getHeight());
        assertEquals(1, alpha.getRaster().getNumBands());
        assertEquals(bits, alpha.getColorModel().getPixelSize());
        for (int x = 0; x < WIDTH; x++) {
            assertEquals(0, alpha.getRaster().getSample(x, 0, 0));
            assertEquals(foreground, alpha.getRaster().getSample(x, HEIGHT - 1, 0));
        }
    }
}
