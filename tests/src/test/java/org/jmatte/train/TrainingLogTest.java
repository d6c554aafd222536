package org.jmatte.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingLogTest {
    private static final List<String> COLUMNS = List.of("images", "loss", "validation");

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void threeRows() {
        file = folder.resolve("log.csv");
        TrainingLog log = new TrainingLog(file, COLUMNS, 0);
        log.add(100, 0.5, Double.NaN);
        log.add(200, 0.25, 0.125);
        log.add(300, 2e-7, 0.125);
    }

    @Test
    void aRowIsInTheFileAtOnce() throws Exception {
        assertEquals(
                List.of("images,loss,validation", "100,0.500000,", "200,0.250000,0.125000", "300,2.00000e-07,0.125000"),
                Files.readAllLines(file));
    }

    @Test
    void continuingDropsWhatLiesBehindAndWhatWasCutShort() throws Exception {
        Files.writeString(file, "400,0.1", StandardOpenOption.APPEND);
        new TrainingLog(file, COLUMNS, 200).add(300, 0.75, Double.NaN);
        assertEquals(
                List.of("images,loss,validation", "100,0.500000,", "200,0.250000,0.125000", "300,0.750000,"),
                Files.readAllLines(file));
    }

    @Test
    void drawsItsColumns() throws Exception {
        Path curve = folder.resolve("curve.png");
        new TrainingLog(file, COLUMNS, 300).draw(curve, "title", List.of("loss"));
        assertNotNull(ImageIO.read(curve.toFile()));
    }

    @Test
    void aRowHasAllColumns() {
        TrainingLog log = new TrainingLog(file, COLUMNS, 300);
        assertThrows(IllegalArgumentException.class, () -> log.add(400, 1));
    }
}
