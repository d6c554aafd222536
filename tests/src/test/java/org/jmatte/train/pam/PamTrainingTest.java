package org.jmatte.train.pam;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamPath;
import org.jmatte.train.data.GeneratedSamples;
import org.jmatte.train.data.SampleSource;
import org.jmatte.train.torch.Devices;
import org.jmatte.train.torch.ParametersFile;
import org.jmatte.train.torch.TorchOnACard;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.CheckpointException;
import org.jmatte.weights.ElementType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A training of a few images goes through all stages, and an interrupted one ends as an uninterrupted one. */
class PamTrainingTest {
    private static final int SIDE = 64;
    private static final PamTrainingOptions OPTIONS = options(null, 7);
    /** Its third stage ends in steps far too long: the last checkpoint is not the best. */
    private static final PamTrainingOptions DIVERGING = new PamTrainingOptions(
            null, 7, List.of(SIDE), 2, 8, 4, 16, List.of(5e-4, 5e-4, 0.1), false, "cpu", 1, 2, 1, 2);

    private static final SampleSource SAMPLES = new GeneratedSamples(7, SIDE, List.of());
    private static final SampleSource UNSEEN = new GeneratedSamples(8, SIDE, List.of());

    @TempDir
    private Path folder;

    private static PamTrainingOptions options(String initial, long seed) {
        return options(initial, seed, false, "cpu");
    }

    private static PamTrainingOptions options(String initial, long seed, boolean bfloat16, String device) {
        return new PamTrainingOptions(
                initial, seed, List.of(SIDE), 2, 8, 4, 4, List.of(5e-4, 5e-4, 5e-4), bfloat16, device, 1, 2, 1, 2);
    }

    /** Stands for a kill: nothing is written behind it. */
    private static final class Killed extends RuntimeException {}

    /** Kills the training in the row of its N-th report. */
    private static PamTraining.Listener killAt(int reports) {
        int[] left = {reports};
        return (stage, images, all, loss, speed) -> {
            if (--left[0] == 0) {
                throw new Killed();
            }
        };
    }

    private static boolean train(Path folder, PamTraining.Listener listener) throws InterruptedException {
        return train(OPTIONS, folder, listener);
    }

    private static boolean train(PamTrainingOptions options, Path folder, PamTraining.Listener listener)
            throws InterruptedException {
        try (PamTraining training = new PamTraining(options, SAMPLES, UNSEEN, folder)) {
            return training.run(2, listener, () -> false);
        }
    }

    @Test
    void aKilledTrainingEndsAsAnUninterruptedOne() throws Exception {
        Path whole = Files.createDirectory(folder.resolve("whole"));
        Path killed = Files.createDirectory(folder.resolve("killed"));
        assertTrue(train(DIVERGING, whole, killAt(-1)));
        for (int reports :
                new int[] {3, 4, 7}) { // in the first, the second and, behind its best point, the third stage
            assertThrows(Killed.class, () -> train(DIVERGING, killed, killAt(reports)));
        }
        try (PamTraining training = new PamTraining(DIVERGING, SAMPLES, UNSEEN, killed)) {
            assertFalse(training.run(2, killAt(-1), () -> true), "stopped");
        }
        assertTrue(train(DIVERGING, killed, killAt(-1)));
        assertEquals(losses(whole), losses(killed));
        assertEquals(
                Files.readAllLines(whole.resolve("validation.csv")),
                Files.readAllLines(killed.resolve("validation.csv")));
        assertArrayEquals(
                Files.readAllBytes(whole.resolve("pam.safetensors")),
                Files.readAllBytes(killed.resolve("pam.safetensors")));
        try (Checkpoint model = Checkpoint.open(whole.resolve("pam.safetensors"))) {
            assertEquals(
                    PamArchitecture.PAM.parameterShapes().keySet(),
                    model.tensors().keySet());
        }
        assertTrue(Files.size(whole.resolve("curve.png")) > 0);
        assertTrue(Files.readString(whole.resolve("paths.json")).contains("\"gmacs\" : 60"));
    }

    /** The log without the column of speed. */
    private static List<String> losses(Path folder) throws IOException {
        return Files.readAllLines(folder.resolve("log.csv")).stream()
                .map(line -> line.substring(0, line.lastIndexOf(',')))
                .toList();
    }

    @Test
    void itsEndIsTheCheckpointOfTheLeastValidationError() throws Exception {
        try (PamTraining training = new PamTraining(DIVERGING, SAMPLES, UNSEEN, folder)) {
            assertTrue(training.run(2, killAt(-1), () -> false));
        }
        List<double[]> errors = Files.readAllLines(folder.resolve("validation.csv")).stream()
                .skip(1)
                .filter(row -> !row.endsWith(",")) // of the last stage
                .map(row -> Arrays.stream(row.split(","))
                        .skip(1)
                        .mapToDouble(Double::parseDouble)
                        .toArray())
                .toList();
        double[] least = Collections.min(
                errors, Comparator.comparingDouble(row -> Arrays.stream(row).sum()));
        assertNotSame(errors.get(errors.size() - 1), least, "the last is the best, nothing to choose");
        JsonNode comparisons =
                new ObjectMapper().readTree(folder.resolve("paths.json").toFile());
        for (int i = 0; i < comparisons.size(); i++) {
            double learned = comparisons.get(i).get("learned").get("error").asDouble();
            assertEquals(least[1 + i], learned, 1e-6);
        }
        try (Pam pam = new Pam(Devices.cpu());
                Checkpoint model = Checkpoint.open(folder.resolve("pam.safetensors"))) {
            ParametersFile.read(model, pam.parameters());
            Evaluation validation = new Evaluation(pam, Evaluation.draw(2, UNSEEN::sample), false);
            assertEquals(least[0], validation.mean(PamPath.KEEP_ALL, PamArchitecture.largestGmacs()), 2e-4);
        }
    }

    @Test
    void aCheckpointThatCannotBeWrittenDoesNotEndTheTraining() throws Exception {
        Files.createDirectories(folder.resolve("checkpoint.safetensors").resolve("in the way"));
        assertThrows(
                CheckpointException.class,
                () -> new PamTraining(OPTIONS, SAMPLES, UNSEEN, folder),
                "a folder is no checkpoint to continue from");
        Path other = Files.createDirectory(folder.resolve("other"));
        try (PamTraining training = new PamTraining(OPTIONS, SAMPLES, UNSEEN, other)) {
            Files.createDirectories(other.resolve("checkpoint.safetensors").resolve("in the way"));
            assertTrue(training.run(2, killAt(-1), () -> false));
        }
        assertTrue(Files.exists(other.resolve("pam.safetensors")));
    }

    @Test
    void startsFromGivenWeights() throws Exception {
        Path initial = initial();
        Path seeded = Files.createDirectory(folder.resolve("seeded"));
        Path given = Files.createDirectory(folder.resolve("given"));
        assertEquals(firstLoss(seeded, options(null, 3)), firstLoss(given, options(initial.toString(), 4)));
    }

    /** Through all stages, with an interruption. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("gpu")
    void itTrainsAlikeOnACard(boolean bfloat16) throws Exception {
        TorchOnACard.assume();
        Path initial = initial();
        List<List<String>> losses = new ArrayList<>();
        for (String device : List.of("cpu", "cuda")) {
            Path of = Files.createDirectory(folder.resolve(device));
            PamTrainingOptions options = options(initial.toString(), 7, bfloat16, device);
            assertThrows(Killed.class, () -> train(options, of, killAt(3)));
            assertTrue(train(options, of, killAt(-1)));
            losses.add(losses(of));
        }
        assertEquals(losses.get(0).size(), losses.get(1).size());
        for (int row = 1; row < losses.get(0).size(); row++) {
            double here = loss(losses.get(0).get(row));
            assertEquals(here, loss(losses.get(1).get(row)), 0.05 * here, "row " + row);
        }
    }

    private static double loss(String row) {
        return Double.parseDouble(row.split(",")[2]);
    }

    private Path initial() {
        Path initial = folder.resolve("initial.safetensors");
        try (Pam pam = new Pam(Devices.cpu())) {
            pam.initialise(3);
            new ParametersFile().add(pam.parameters()).write(initial, ElementType.F32, Map.of());
        }
        return initial;
    }

    private static List<String> firstLoss(Path folder, PamTrainingOptions options) throws Exception {
        try (PamTraining training = new PamTraining(options, SAMPLES, UNSEEN, folder)) {
            assertThrows(Killed.class, () -> training.run(2, killAt(1), () -> false));
        }
        return losses(folder);
    }

    /** Callers of JavaCPP may hold a scope open that frees what is made inside it. */
    @Test
    void aCallersPointerScopeTakesNothingFromTheTraining() throws Exception {
        PamTraining made;
        try (PointerScope scope = new PointerScope()) {
            made = new PamTraining(OPTIONS, SAMPLES, UNSEEN, folder);
        }
        try (PamTraining training = made) {
            assertTrue(training.run(2, killAt(-1), () -> false));
        }
    }

    @Test
    void aRequestToStopWritesACheckpoint() throws Exception {
        try (PamTraining training = new PamTraining(OPTIONS, SAMPLES, UNSEEN, folder)) {
            assertFalse(training.run(2, killAt(-1), () -> true));
        }
        assertTrue(Files.exists(folder.resolve("checkpoint.safetensors")));
        assertEquals(2, Files.readAllLines(folder.resolve("log.csv")).size());
    }
}
