package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoCommandTest {
    @TempDir
    Path folder;

    private Path out;

    @BeforeEach
    void place() {
        out = folder.resolve("new/demo");
    }

    @Test
    void allFiles() throws IOException {
        CommandLineRun run = demo().done();
        assertEquals(List.of("alpha.png", "composite.png", "cutout.png", "path.txt"), Pictures.files(out));
        assertEquals(8, Pictures.read(out.resolve("alpha.png")).getColorModel().getPixelSize());
        assertEquals(
                32, Pictures.read(out.resolve("cutout.png")).getColorModel().getPixelSize());
        BufferedImage composite = Pictures.read(out.resolve("composite.png"));
        assertEquals(680, composite.getWidth());
        assertEquals(440, composite.getHeight());
        String path = Files.readString(out.resolve("path.txt"));
        assertTrue(
                path.matches("of the tokens, the routers kept( [01]\\.\\d\\d){4}; at most \\d+\\.\\d GMACs\\R"), path);
        assertTrue(run.out().endsWith(path), run.out());
        assertTrue(run.out().contains("440x680, mematte_tiny: matte "), run.out());
        assertTrue(run.out().matches("(?s).* s, peak memory \\d+ MiB.*"), run.out());
    }

    @Test
    void theWayOfAPathAdaptiveNetwork() throws IOException {
        CommandLineRun run = demo("--model", "seeded:pam").done();
        String path = Files.readString(out.resolve("path.txt"));
        assertTrue(path.matches("[01]{14}, \\d\\d\\.\\d\\d GMACs per 1024x1024 pixels\\R"), path);
        assertTrue(run.out().endsWith(path), run.out());
    }

    @Test
    void overAnotherBackground() {
        demo("--background", "#ff8000", "--quiet").done();
        assertEquals(0xFFFF8000, Pictures.read(out.resolve("composite.png")).getRGB(0, 0));
        demo("--background", folder.resolve("none.png"), "--overwrite").refused("none.png");
        demo("--background", "#ff", "--overwrite").refused("--background", "'#ff'");
    }

    @Test
    void existingFilesAreKeptUnlessToBeOverwritten() throws IOException {
        Path precious = Pictures.text(out.resolve("cutout.png"), "precious");
        demo().refused("cutout.png", "--overwrite");
        assertEquals(List.of("cutout.png"), Pictures.files(out));
        demo("--background", precious, "--overwrite").refused("cutout.png", "input");
        assertEquals("precious", Files.readString(precious));
        demo("--overwrite").done();
        assertEquals(680, Pictures.read(precious).getWidth());
    }

    @Test
    void networksWithoutRoutersTellTheirCost() throws IOException {
        demo("--model", "seeded:vitmatte_tiny").done();
        String path = Files.readString(out.resolve("path.txt"));
        assertTrue(path.matches("at most \\d+\\.\\d GMACs\\R"), path);
    }

    @Test
    void badPlacesAndModelsAreRefused() {
        demo("--model", "box:nothing").refused("box:nothing", "class path");
        assertEquals(List.of(), Pictures.files(folder));
        Pictures.text(folder.resolve("new"), "a file");
        demo().refused("new", "is a file");
    }

    private CommandLineRun demo(Object... more) {
        List<Object> args = new ArrayList<>(List.of("demo", "--out", out));
        if (!Arrays.asList(more).contains("--model")) {
            args.addAll(List.of("--model", "seeded:mematte_tiny"));
        }
        args.addAll(Arrays.asList(more));
        return CommandLineRun.of(args.toArray());
    }
}
