package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code matte} of whole folders. */
class MatteFoldersTest {
    @TempDir
    Path folder;

    private Path images;
    private Path trimaps;
    private Path out;

    @BeforeEach
    void pairs() {
        images = folder.resolve("images");
        trimaps = folder.resolve("trimaps");
        out = folder.resolve("out/mattes");
        pair("b", 33, 20);
        pair("nested/a", 20, 47);
    }

    @Test
    void everyPairIsMatted() throws IOException {
        Path report = folder.resolve("r.json");
        CommandLineRun run = matte("--report", report, "--routing", folder.resolve("routes"));
        assertTrue(run.done().out().startsWith("2 made, 0 finished before, 0 failed"), run.out());
        assertEquals(List.of("b.png", "nested/a.png"), Pictures.files(out));
        assertEquals(47, Pictures.read(out.resolve("nested/a.png")).getWidth());
        assertEquals(8, Pictures.files(folder.resolve("routes")).size());
        assertTrue(Files.exists(folder.resolve("routes/nested/a_router3.png")));
        JsonNode reports = new ObjectMapper().readTree(report.toFile());
        assertEquals(2, reports.size());
        assertEquals(
                images.resolve("b.png").toString(), reports.get(0).get("image").asText());
        assertEquals(0, reports.get(1).get("seconds").get("load").asDouble());
    }

    @Test
    void formatAndQuiet() {
        assertEquals("", matte("--format", "npy", "--quiet").done().out());
        assertEquals(List.of("b.npy", "nested/a.npy"), Pictures.files(out));
    }

    @Test
    void badPairsAreNamedAndTheOthersDone() throws IOException {
        Pictures.text(images.resolve("broken.png"), "no picture");
        Pictures.trimap(trimaps.resolve("broken.png"), 4, 4);
        Pictures.photo(images.resolve("size.png"), 4, 4);
        Pictures.trimap(trimaps.resolve("size.png"), 4, 5);
        Pictures.photo(images.resolve("single.png"), 4, 4);
        Path report = folder.resolve("r.json");
        CommandLineRun run = matte("--report", report);
        assertEquals(1, run.exitCode());
        assertTrue(run.out().startsWith("2 made, 0 finished before, 3 failed"), run.out());
        assertEquals(3, run.err().lines().count(), run.err());
        for (String name : List.of("broken", "size", "single")) {
            assertTrue(run.err().contains(name), run.err());
        }
        assertEquals(List.of("b.png", "nested/a.png"), Pictures.files(out));
        assertEquals(2, new ObjectMapper().readTree(report.toFile()).size());
    }

    @Test
    void aSecondRunGoesOnWhereTheFirstStopped() throws IOException {
        matte().done();
        Path done = out.resolve("b.png");
        FileTime old = FileTime.fromMillis(1_000_000);
        Files.setLastModifiedTime(done, old);
        Files.delete(out.resolve("nested/a.png"));
        assertTrue(matte().done().out().startsWith("1 made, 1 finished before, 0 failed"));
        assertEquals(old, Files.getLastModifiedTime(done));
        assertTrue(matte().done().out().startsWith("0 made, 2 finished before, 0 failed"));
        assertTrue(matte("--overwrite").done().out().startsWith("2 made, 0 finished before, 0 failed"));
        assertTrue(Files.getLastModifiedTime(done).compareTo(old) > 0);
    }

    @Test
    void outputsAskedForLaterAreMade() {
        matte().done();
        Path cutouts = folder.resolve("cutouts");
        assertTrue(matte("--cutout", cutouts).done().out().startsWith("2 made, 0 finished before, 0 failed"));
        assertEquals(List.of("b.png", "nested/a.png"), Pictures.files(cutouts));
        assertTrue(matte("--cutout", cutouts).done().out().startsWith("0 made, 2 finished before, 0 failed"));
    }

    @Test
    void onACardSeveralAreUnderWay() throws IOException {
        Pictures.text(images.resolve("a.png"), "no picture");
        Pictures.trimap(trimaps.resolve("a.png"), 4, 4);
        pair("c", 20, 18);
        Path report = folder.resolve("r.json");
        CommandLineRun run = matte("--backend", "emulated", "--dtype", "fp16", "--report", report);
        assertEquals(1, run.exitCode());
        assertTrue(run.out().startsWith("3 made, 0 finished before, 1 failed"), run.out());
        assertEquals(List.of("b.png", "c.png", "nested/a.png"), Pictures.files(out));
        JsonNode reports = new ObjectMapper().readTree(report.toFile());
        for (int i = 0; i < 3; i++) {
            String name = List.of("b.png", "c.png", "nested/a.png").get(i);
            assertEquals(
                    images.resolve(name).toString(), reports.get(i).get("image").asText());
        }
    }

    @Test
    void aReportIsWrittenWhenAllWasFinishedBefore() throws IOException {
        matte().done();
        Path report = Pictures.text(folder.resolve("r.json"), "old");
        matte("--report", report).done();
        JsonNode reports = new ObjectMapper().readTree(report.toFile());
        assertTrue(reports.isArray() && reports.isEmpty(), reports.toString());
    }

    @Test
    void inputsAreNotOverwritten() throws IOException {
        pair("b_router0", 8, 8);
        Pictures.photo(images.resolve("single.png"), 4, 4);
        matte("--quiet");
        List<String> before = Pictures.files(folder);
        byte[] photo = Files.readAllBytes(images.resolve("b.png"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), images);
        for (String overwrite : List.of("--quiet", "--overwrite")) { // with all finished, and with none
            matte(overwrite, "--report", images.resolve("b.png")).refused("b.png", "input");
            matte(overwrite, "--report", link.resolve("nested/a.png")).refused("a.png", "input");
            matte(overwrite, "--report", trimaps.resolve("b.png")).refused("b.png", "input");
            matte(overwrite, "--report", images.resolve("single.png")).refused("single.png", "input");
        }
        matte("--report", out.resolve("nested/a.png")).refused("a.png", "finished before");
        matte("--overwrite", "--routing", images).refused("b_router0.png", "input");
        matte("--overwrite", "--routing", out).refused("b_router0.png", "two outputs");
        matte("--overwrite", "--report", out.resolve("b.png")).refused("b.png", "two outputs");
        assertEquals(before, Pictures.files(folder));
        assertArrayEquals(photo, Files.readAllBytes(images.resolve("b.png")));
    }

    @Test
    void resultsAroundTheInputsOverwriteNone() throws IOException {
        out = folder;
        assertTrue(matte().done().out().startsWith("2 made"));
        pair("images/b", 8, 8);
        byte[] photo = Files.readAllBytes(images.resolve("b.png"));
        matte("--overwrite").refused("b.png", "input");
        assertArrayEquals(photo, Files.readAllBytes(images.resolve("b.png")));
    }

    @Test
    void aPairWhoseOutputHasNoPlaceIsSkipped() throws IOException {
        pair("c", 8, 8);
        pair("d", 8, 8);
        Path routes = folder.resolve("routes");
        Files.createDirectories(out.resolve("b.png"));
        Files.createDirectories(routes.resolve("c_router3.png"));
        Pictures.text(out.resolve("nested"), "a file where a folder is to be made");
        CommandLineRun run = matte("--routing", routes);
        assertEquals(1, run.exitCode());
        assertTrue(run.out().startsWith("1 made, 0 finished before, 3 failed"), run.out());
        assertEquals(3, run.err().lines().count(), run.err());
        for (String name : List.of("b", "c", "nested/a")) {
            assertTrue(run.err().contains("jmatte: skipped " + name + ": "), run.err());
        }
        assertEquals(List.of("d.png", "nested"), Pictures.files(out));
        assertEquals(1, matte("--report", folder.resolve("r.json")).exitCode());
    }

    @Test
    void withinAMemoryBudget() throws IOException {
        matte().done();
        byte[] expected = Files.readAllBytes(out.resolve("nested/a.png"));
        Pictures.text(images.resolve("broken.png"), "no picture");
        Pictures.trimap(trimaps.resolve("broken.png"), 4, 4);
        CommandLineRun run = matte("--overwrite", "--memory-budget", "1GiB");
        assertEquals(1, run.exitCode());
        assertTrue(run.out().startsWith("2 made, 0 finished before, 1 failed"), run.out());
        assertArrayEquals(expected, Files.readAllBytes(out.resolve("nested/a.png")));
    }

    @Test
    void foldersThatDoNotFitAreRefused() throws IOException {
        Pictures.text(out, "a file");
        matte().refused("three files or three folders");
        Files.delete(out);
        Pictures.photo(images.resolve("b.jpg"), 4, 4);
        matte().refused("b.jpg", "b.png");
        Files.delete(images.resolve("b.jpg"));
        matte("--report", folder.resolve("none/r.json")).refused("none");
        matte("--format", "npy", "--bits", "16").refused("--bits");
        matte("--format", "tif").refused("--format", "png or npy");
        assertEquals(List.of(), Pictures.files(out));
    }

    /** A killed batch leaves whole outputs only. */
    @Test
    @Timeout(120)
    void aKilledRunLeavesNoPartialFiles() throws Exception {
        for (int i = 0; i < 200; i++) {
            pair("many" + i, 200, 200);
        }
        Path log = folder.resolve("log.txt");
        Process process = CommandLineRun.start(log, args().toArray());
        while (process.isAlive() && Pictures.files(out).size() < 3) {
            Thread.sleep(20);
        }
        assertTrue(process.isAlive(), Files.readString(log));
        process.destroy();
        int code = process.waitFor();
        assertEquals(143, code, Files.readString(log));
        assertEquals(List.of("jmatte: interrupted; finished files stay"), Files.readAllLines(log));
        List<String> files = Pictures.files(out);
        assertTrue(files.size() < 202, "nothing was left to be done");
        for (String file : files) {
            assertTrue(file.endsWith(".png") && !file.startsWith("."), file);
            Pictures.read(out.resolve(file));
        }
    }

    private CommandLineRun matte(Object... more) {
        List<Object> args = args();
        args.addAll(Arrays.asList(more));
        return CommandLineRun.of(args.toArray());
    }

    private List<Object> args() {
        return new ArrayList<>(List.of(
                "matte", "--model", "seeded:mematte_tiny", "--image", images, "--trimap", trimaps, "--out", out));
    }

    private void pair(String name, int height, int width) {
        Pictures.photo(images.resolve(name + ".png"), height, width);
        Pictures.trimap(trimaps.resolve(name + ".png"), height, width);
    }
}
