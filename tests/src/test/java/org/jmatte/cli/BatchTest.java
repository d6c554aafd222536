package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jmatte.InvalidInputException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchTest {
    @TempDir
    Path folder;

    private Path images;
    private Path trimaps;
    private Path out;

    @BeforeEach
    void folders() {
        images = folder.resolve("images");
        trimaps = folder.resolve("trimaps");
        out = folder.resolve("out");
    }

    @Test
    void filesAreMatchedByPathWithoutExtension() {
        add(images, "b.jpg", "a.png", "nested/deep/a.v2.webp");
        add(trimaps, "a.png", "b.tif", "nested/deep/a.v2.PNG");
        assertEquals(
                List.of(
                        job("a", "a.png", "a.png"),
                        job("b", "b.jpg", "b.tif"),
                        job("nested/deep/a.v2", "nested/deep/a.v2.webp", "nested/deep/a.v2.PNG")),
                batch(false).jobs());
    }

    @Test
    void hiddenFilesAndOtherTypesAreIgnored() {
        add(images, "a.png", ".b.png", "notes.txt", "png");
        add(trimaps, "a.png", "Thumbs.db");
        Batch batch = batch(false);
        assertEquals(1, batch.jobs().size());
        assertEquals(List.of(), batch.unmatched());
    }

    @Test
    void filesWithoutPartnerAreNamed() {
        add(images, "a.png", "x/c.png");
        add(trimaps, "a.png", "c.png");
        Batch batch = batch(false);
        assertEquals(1, batch.jobs().size());
        assertEquals(2, batch.unmatched().size());
        assertTrue(batch.unmatched().get(0).startsWith(images.resolve("x/c.png") + ": there is no trimap x/c.*"));
        assertTrue(batch.unmatched().get(1).startsWith(trimaps.resolve("c.png") + ": there is no photo c.*"));
    }

    @Test
    void finishedOnesAreSkippedUnlessToBeOverwritten() {
        add(images, "a.png", "b.png");
        add(trimaps, "a.png", "b.png");
        add(out, "a.png", "b.npy");
        assertEquals(List.of(job("b", "b.png", "b.png")), batch(false).jobs());
        assertEquals(1, batch(false).finished());
        assertEquals(2, batch(true).jobs().size());
        assertEquals(0, batch(true).finished());
    }

    @Test
    void onlyThoseWithAllOutputsAreFinished() {
        add(images, "a.png", "b.png");
        add(trimaps, "a.png", "b.png");
        add(out, "a.png", "b.png", "cutouts/a.png");
        Path cutouts = out.resolve("cutouts");
        Batch batch = Batch.of(
                images, trimaps, out, AlphaFile.PNG, job -> List.of(job.out(), cutouts.resolve(job.name() + ".png")));
        assertEquals(List.of(job("b", "b.png", "b.png")), batch.jobs());
        assertEquals(1, batch.finished());
        assertTrue(batch.kept().contains(cutouts.resolve("a.png")));
    }

    @Test
    void twoOfOneNameAreRefused() {
        add(images, "x/a.png", "x/a.jpg");
        add(trimaps, "x/a.png");
        InvalidInputException e = assertThrows(InvalidInputException.class, () -> batch(false));
        assertTrue(e.getMessage().contains("a.jpg") && e.getMessage().contains("a.png"), e.getMessage());
    }

    @Test
    void aFolderWithoutPicturesIsRefused() {
        add(images, "notes.txt");
        add(trimaps, "a.png");
        InvalidInputException e = assertThrows(InvalidInputException.class, () -> batch(false));
        assertTrue(e.getMessage().contains(images.toString()), e.getMessage());
    }

    @Test
    void outputsDoNotBecomeInputs() {
        add(images, "a.png");
        add(trimaps, "a.png");
        out = images;
        assertThrows(InvalidInputException.class, () -> batch(false));
        out = trimaps;
        assertThrows(InvalidInputException.class, () -> batch(true));
        out = images.resolve("mattes");
        add(out, "a.png");
        assertEquals(
                new Batch(
                        List.of(),
                        1,
                        List.of(),
                        List.of(images.resolve("a.png"), trimaps.resolve("a.png"), out.resolve("a.png"))),
                batch(false));
    }

    @Test
    void resultsBehindALinkDoNotBecomeInputs() throws IOException {
        add(images, "a.png");
        add(trimaps, "a.png");
        add(out, "old.png");
        Files.createSymbolicLink(images.resolve("link"), out);
        assertEquals(1, batch(false).jobs().size());
        assertEquals(List.of(), batch(false).unmatched());
    }

    @Test
    void resultsMayGoAroundTheInputs() {
        add(images, "a.png");
        add(trimaps, "a.png");
        out = folder;
        assertEquals(List.of(job("a", "a.png", "a.png")), batch(false).jobs());
        add(out, "a.png");
        assertEquals(1, batch(false).finished());
    }

    private Batch batch(boolean overwrite) {
        return Batch.of(images, trimaps, out, AlphaFile.PNG, job -> overwrite ? List.of() : List.of(job.out()));
    }

    private Job job(String name, String image, String trimap) {
        return new Job(name, images.resolve(image), trimaps.resolve(trimap), out.resolve(name + ".png"));
    }

    private static void add(Path folder, String... names) {
        for (String name : names) {
            Pictures.text(folder.resolve(name), "");
        }
    }
}
