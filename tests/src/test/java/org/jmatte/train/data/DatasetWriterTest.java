package org.jmatte.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.jmatte.image.ImageFiles;
import org.jmatte.image.Trimap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetWriterTest {
    private static final int SIDE = 40;

    @TempDir
    Path folder;

    @Test
    void filesHoldTheSamplesInEightBits() throws IOException {
        SampleSource source = new GeneratedSamples(1, SIDE, List.of());
        DatasetWriter.write(source, 12, 2, folder.resolve("set"));
        Sample sample = source.sample(13);
        requirePlanes(sample.foreground(), "fg");
        requirePlanes(sample.background(), "bg");
        requirePlanes(sample.image(), "merged");
        requirePlanes(sample.alpha(), "alpha");
        Trimap trimap = ImageFiles.trimap(folder.resolve("set/trimaps/000013.png"), Trimap.Values.RAW);
        for (int i = 0; i < SIDE * SIDE; i++) {
            assertEquals(Math.round(255 * sample.trimap()[i]), trimap.bytes().get(i) & 255);
        }
        for (String name : List.of("fg", "alpha", "bg", "merged", "trimaps")) {
            try (Stream<Path> files = Files.list(folder.resolve("set").resolve(name))) {
                assertArrayEquals(
                        new String[] {"000012.png", "000013.png"},
                        files.map(file -> file.getFileName().toString())
                                .sorted()
                                .toArray());
            }
        }
    }

    private void requirePlanes(float[] planes, String name) throws IOException {
        BufferedImage image = ImageIO.read(
                folder.resolve("set").resolve(name).resolve("000013.png").toFile());
        assertEquals(planes.length / (SIDE * SIDE), image.getRaster().getNumBands());
        for (int i = 0; i < planes.length; i++) {
            int at = i % (SIDE * SIDE);
            int value = image.getRaster().getSample(at % SIDE, at / SIDE, i / (SIDE * SIDE));
            assertEquals(planes[i], value / 255f, 0.51f / 255, name);
        }
    }

    @Test
    void whatWasWrittenTrainsFromFolders() {
        DatasetWriter.write(new GeneratedSamples(2, SIDE, List.of()), 0, 3, folder);
        SampleSource source = new FolderSamples(1, SIDE, folder, folder.resolve("bg"));
        for (int i = 0; i < 5; i++) {
            Samples.requireConsistent(source.sample(i), SIDE);
        }
    }
}
