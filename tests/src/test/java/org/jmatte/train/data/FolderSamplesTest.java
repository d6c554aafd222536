package org.jmatte.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jmatte.InvalidInputException;
import org.jmatte.image.PngWriter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderSamplesTest {
    private static final int SIDE = 64;

    @TempDir
    Path folder;

    private Path colors;
    private Path alphas;
    private Path backgrounds;

    @BeforeEach
    void createFolders() throws IOException {
        colors = Files.createDirectories(folder.resolve("fg"));
        alphas = Files.createDirectories(folder.resolve("alpha"));
        backgrounds = Files.createDirectories(folder.resolve("bg"));
    }

    private void writeGoodFiles() {
        PngWriter.write(TestPictures.gradient(300, 420), colors.resolve("large.png"));
        PngWriter.write(TestPictures.disc(300, 420, 110), alphas.resolve("large.png"));
        PngWriter.write(TestPictures.gradient(90, 70), colors.resolve("small.one.png"));
        PngWriter.write(TestPictures.disc(90, 70, 20), alphas.resolve("small.one.png"));
        PngWriter.write(TestPictures.gradient(200, 150), backgrounds.resolve("scene.png"));
    }

    private SampleSource source() {
        return new FolderSamples(1, SIDE, folder, backgrounds);
    }

    @Test
    void everySampleIsConsistent() {
        writeGoodFiles();
        SampleSource source = source();
        LongStream.range(0, 30).forEach(i -> Samples.requireConsistent(source.sample(i), SIDE));
    }

    @Test
    void anIndexGivesTheSameSampleInAnyOrderOnAnyThread() {
        writeGoodFiles();
        SampleSource source = source();
        List<Sample> inOrder = LongStream.range(0, 12).mapToObj(source::sample).toList();
        SampleSource other = source();
        List<Sample> backwards = IntStream.range(0, 12)
                .parallel()
                .mapToObj(i -> other.sample(11 - i))
                .toList();
        for (int i = 0; i < 12; i++) {
            Samples.requireSame(inOrder.get(i), backwards.get(11 - i));
        }
        assertFalse(Arrays.equals(inOrder.get(0).image(), inOrder.get(1).image()));
    }

    @Test
    void unusableFilesAreNamedOnceAndLeftOut() throws IOException {
        writeGoodFiles();
        PngWriter.write(TestPictures.gradient(50, 50), colors.resolve("alone.png"));
        pair("sizes", TestPictures.gradient(50, 60), TestPictures.disc(60, 50, 10));
        pair("opaque", TestPictures.gradient(50, 50), TestPictures.disc(50, 50, 1000));
        Files.writeString(colors.resolve("torn.png"), "no picture");
        PngWriter.write(TestPictures.disc(50, 50, 10), alphas.resolve("torn.png"));
        Files.writeString(backgrounds.resolve("torn-scene.png"), "");
        String log = logOf(() -> {
            SampleSource source = source();
            for (int i = 0; i < 40; i++) {
                Sample sample = source.sample(i);
                assertTrue(sample.name().matches("(large|small\\.one)-\\d+"), sample.name());
            }
        });
        assertEquals(1, count(log, "alone.png: no alpha matte of this name in " + alphas), log);
        assertEquals(1, count(log, "sizes.png: the foreground has 60x50 pixels, its alpha matte"), log);
        assertEquals(1, count(log, "opaque.png has but one value, 255"), log);
        assertEquals(1, count(log, "torn.png: not an image"), log);
        assertEquals(1, count(log, "torn-scene.png: the file is empty"), log);
    }

    private void pair(String name, BufferedImage picture, BufferedImage alpha) {
        PngWriter.write(picture, colors.resolve(name + ".png"));
        PngWriter.write(alpha, alphas.resolve(name + ".png"));
    }

    private static String logOf(Runnable task) {
        PrintStream error = System.err;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            task.run();
        } finally {
            System.setErr(error);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static int count(String text, String part) {
        return (text.length() - text.replace(part, "").length()) / part.length();
    }

    @Test
    void foregroundsAreFoundByTheirNamesUpToTheExtension() throws IOException {
        writeGoodFiles();
        Files.move(alphas.resolve("large.png"), alphas.resolve("large.PNG"));
        Files.delete(colors.resolve("small.one.png"));
        assertTrue(source().sample(3).name().startsWith("large-"));
    }

    @Test
    void aFolderWithoutTheLayoutIsRefused() throws IOException {
        Path elsewhere = Files.createDirectories(folder.resolve("elsewhere"));
        String message = refusal(elsewhere, backgrounds);
        assertTrue(
                message.startsWith(elsewhere + ": expected fg/ with pictures and alpha/ with their alpha mattes"),
                message);
        assertTrue(message.endsWith("there is no folder " + elsewhere.resolve("fg")), message);
    }

    @Test
    void emptyFoldersAreRefused() {
        String message = refusal(folder, backgrounds);
        assertTrue(message.startsWith(folder + ": expected fg/"), message);
        assertTrue(message.endsWith("no such pair was found"), message);
        writeGoodFiles();
        Path missing = folder.resolve("missing");
        assertTrue(refusal(folder, missing).startsWith(missing + ": the folder cannot be read"));
    }

    @Test
    void aFolderWithoutBackgroundsIsRefused() throws IOException {
        writeGoodFiles();
        Files.delete(backgrounds.resolve("scene.png"));
        assertEquals(
                backgrounds + ": no files; a folder of background pictures is expected", refusal(folder, backgrounds));
    }

    @Test
    void foregroundsThatAreAllUnusableAreRefused() throws IOException {
        PngWriter.write(TestPictures.gradient(60, 60), backgrounds.resolve("scene.png"));
        Files.writeString(colors.resolve("torn.png"), "no picture");
        Files.writeString(alphas.resolve("torn.png"), "no picture");
        SampleSource source = source();
        InvalidInputException refused = assertThrows(InvalidInputException.class, () -> source.sample(0));
        assertEquals(colors + ": none of the 1 foregrounds can be used; the log says why", refused.getMessage());
    }

    private String refusal(Path foregrounds, Path scenes) {
        return assertThrows(InvalidInputException.class, () -> new FolderSamples(1, SIDE, foregrounds, scenes))
                .getMessage();
    }
}
