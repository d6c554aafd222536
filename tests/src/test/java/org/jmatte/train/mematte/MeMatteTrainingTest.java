package org.jmatte.train.mematte;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jmatte.InvalidInputException;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.Matting;
import org.jmatte.MattingOptions;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.train.data.GeneratedSamples;
import org.jmatte.train.data.Sample;
import org.jmatte.train.data.SampleSource;
import org.jmatte.train.torch.Devices;
import org.jmatte.train.torch.Parameters;
import org.jmatte.train.torch.ParametersFile;
import org.jmatte.train.torch.TorchOnACard;
import org.jmatte.weights.ElementType;
import org.jmatte.weights.HuggingFaceDirectory;
import org.jmatte.weights.ModelSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MeMatteTrainingTest {
    private static final String INIT = "seeded:vitmatte_tiny";
    private static final int SIDE = 64;
    private static final SampleSource SAMPLES = new GeneratedSamples(7, SIDE, List.of());

    private static final SampleSource UNSEEN = new GeneratedSamples(8, SIDE, List.of());

    @TempDir
    private Path folder;

    private static MeMatteTrainingOptions options(String init, int batch, long iterations, double rate) {
        return new MeMatteTrainingOptions(init, 7, SIDE, batch, iterations, rate, false, "cpu", 1, 2);
    }

    /** Stands for a kill: nothing is written behind it. */
    private static final class Killed extends RuntimeException {}

    /** Kills the training in the row of its N-th report; 0 lets it go on. */
    private static MeMatteTraining.Listener killAt(int reports) {
        int[] left = {reports};
        return (iteration, loss, kept, speed) -> {
            if (--left[0] == 0) {
                throw new Killed();
            }
        };
    }

    private static boolean train(MeMatteTrainingOptions options, Path folder, MeMatteTraining.Listener listener)
            throws InterruptedException {
        try (MeMatteTraining training = new MeMatteTraining(options, SAMPLES, UNSEEN, folder)) {
            return training.run(2, listener, () -> false);
        }
    }

    /** The log without the column of speed. */
    private static List<String> losses(Path folder) throws IOException {
        return Files.readAllLines(folder.resolve("log.csv")).stream()
                .map(line -> line.substring(0, line.lastIndexOf(',')))
                .toList();
    }

    @Test
    void aKilledTrainingEndsAsAnUninterruptedOne() throws Exception {
        MeMatteTrainingOptions options = options(INIT, 2, 6, 5e-4);
        Path whole = Files.createDirectory(folder.resolve("whole"));
        Path killed = Files.createDirectory(folder.resolve("killed"));
        assertTrue(train(options, whole, killAt(0)));
        assertThrows(Killed.class, () -> train(options, killed, killAt(2)));
        assertTrue(train(options, killed, killAt(0)));
        assertEquals(losses(whole), losses(killed));
        assertArrayEquals(
                Files.readAllBytes(whole.resolve("mematte.safetensors")),
                Files.readAllBytes(killed.resolve("mematte.safetensors")));
        assertEquals(
                Files.readAllLines(whole.resolve("validation.csv")),
                Files.readAllLines(killed.resolve("validation.csv")));
        assertTrue(Files.size(whole.resolve("curve.png")) > 0);
    }

    @Test
    void bfloat16TrainsToo() throws Exception {
        double exact = firstLoss(options(INIT, 1, 1, 5e-4));
        double narrow = firstLoss(new MeMatteTrainingOptions(INIT, 7, SIDE, 1, 1, 5e-4, true, "cpu", 1, 2));
        assertEquals(exact, narrow, 0.05 * exact);
    }

    @Test
    @Tag("gpu")
    void itTrainsAlikeOnACard() throws Exception {
        TorchOnACard.assume();
        double here = firstLoss(options(INIT, 1, 1, 5e-4));
        double there = firstLoss(new MeMatteTrainingOptions(INIT, 7, SIDE, 1, 1, 5e-4, false, "cuda", 1, 2));
        assertEquals(here, there, 0.01 * here);
    }

    private double firstLoss(MeMatteTrainingOptions options) throws Exception {
        Path of = Files.createTempDirectory(folder, "one");
        assertTrue(train(options, of, killAt(0)));
        return Double.parseDouble(losses(of).get(1).split(",")[1]);
    }

    @Test
    void aRequestToStopWritesACheckpoint() throws Exception {
        try (MeMatteTraining training = new MeMatteTraining(options(INIT, 1, 3, 5e-4), SAMPLES, UNSEEN, folder)) {
            assertFalse(training.run(2, killAt(0), () -> true));
        }
        assertTrue(Files.exists(folder.resolve("checkpoint.safetensors")));
        assertFalse(Files.exists(folder.resolve("mematte.safetensors")));
    }

    @Test
    void itStartsFromViTMatteOnly() {
        InvalidInputException error = assertThrows(
                InvalidInputException.class, () -> train(options("seeded:mematte_tiny", 1, 1, 1), folder, killAt(0)));
        assertEquals(
                "seeded:mematte_tiny:1: expected a ViTMatte to start from, got mematte_tiny; give ViTMatte's weights",
                error.getMessage());
    }

    /** Also if photos were normalised in another way than the authors do. */
    @Test
    void theInferenceEngineRunsWhatWasTrained() throws Exception {
        Path init = Files.createDirectory(folder.resolve("init"));
        try (ModelSource seeded = ModelSource.open(INIT)) {
            HuggingFaceDirectory.write(seeded.checkpoint(), init);
        }
        try (MeMatteTraining training =
                new MeMatteTraining(options(init.toString(), 2, 6, 5e-3), SAMPLES, UNSEEN, folder)) {
            assertTrue(training.run(6, killAt(0), () -> false));
            compareWithEngine(training.student());
        }
    }

    private void compareWithEngine(MeMatte student) {
        Sample sample = SAMPLES.sample(3);
        ByteBuffer pixels = ByteBuffer.allocateDirect(3 * SIDE * SIDE);
        ByteBuffer marks = ByteBuffer.allocateDirect(SIDE * SIDE);
        float[] image = new float[3 * SIDE * SIDE]; // what is left of the sample in 8 bits
        float[] trimap = new float[SIDE * SIDE];
        for (int i = 0; i < trimap.length; i++) {
            for (int c = 0; c < 3; c++) {
                int value = Math.round(255 * sample.image()[c * trimap.length + i]);
                pixels.put((byte) value);
                image[c * trimap.length + i] = value / 255f;
            }
            int mark = Math.round(255 * sample.trimap()[i]);
            marks.put((byte) mark);
            trimap[i] = mark / 255f;
        }
        try (PointerScope temporaries = new PointerScope();
                NoGradGuard guard = new NoGradGuard();
                Matting matting =
                        Matting.open(folder.resolve("mematte.safetensors").toString())) {
            MeMatte.Prediction expected = student.infer(
                    Tensor.create(image, 1, 3, SIDE, SIDE),
                    Tensor.create(trimap, 1, 1, SIDE, SIDE),
                    false,
                    MattingOptions.DEFAULT_MAX_TOKENS);
            Matte matte = matting.matte(
                    Photo.wrap(pixels.flip(), SIDE, SIDE, 8, 3 * SIDE),
                    Trimap.wrap(marks.flip(), SIDE, SIDE, Trimap.Values.RAW),
                    MatteRequest.defaults().withFormat(Alpha.Format.F32).withKeepKnown(false));
            for (int r = 0; r < expected.kept().size(); r++) {
                float[] kept = Parameters.toArray(expected.kept().get(r));
                BitSet chosen = matte.routing().kept().get(r);
                for (int i = 0; i < kept.length; i++) {
                    assertEquals(kept[i] == 1, chosen.get(i), "token " + i + " of router " + r);
                }
            }
            float[] alpha = Parameters.toArray(expected.alpha());
            for (int i = 0; i < alpha.length; i++) {
                assertEquals(alpha[i], matte.alpha().get(i / SIDE, i % SIDE), 1e-4, "alpha of pixel " + i);
            }
        }
    }

    /** From a start whose attention adds little, so that some hundred iterations teach the light refinement to replace it. */
    @Test
    @Tag("long")
    void aTinyNetworkOverfitsTenImages() throws Exception {
        Path init = folder.resolve("init.safetensors");
        lessenAttention(init);
        SampleSource ten = index -> SAMPLES.sample(index % 10);
        MeMatteTrainingOptions options = options(init.toString(), 1, 400, 4e-3);
        try (MeMatteTraining training = new MeMatteTraining(options, ten, UNSEEN, folder)) {
            assertTrue(training.run(options.iterations(), killAt(0), () -> false));
            compareWithEngine(training.student());
        }
        List<String> names =
                List.of(Files.readAllLines(folder.resolve("log.csv")).get(0).split(","));
        List<double[]> rows = Files.readAllLines(folder.resolve("log.csv")).stream()
                .skip(1)
                .map(line -> Arrays.stream(line.split(","))
                        .mapToDouble(Double::parseDouble)
                        .toArray())
                .toList();
        int loss = names.indexOf("loss");
        int kept = names.indexOf("kept_ratio");
        List<double[]> last = rows.subList(rows.size() - 4, rows.size());
        double ratio = last.stream().mapToDouble(row -> row[kept]).average().orElseThrow();
        double before = rows.get(0)[loss];
        double after = last.get(last.size() - 1)[loss];
        System.out.printf("loss %.3f to %.3f, kept %.3f%n", before, after, ratio);
        assertEquals(Criterion.TARGET_RATIO, ratio, 0.05);
        assertTrue(after <= before / 2, "loss from " + before + " to " + after);
    }

    private static void lessenAttention(Path init) {
        try (ModelSource source = ModelSource.open(INIT);
                MeMatte network = MeMatte.frozen(source, Devices.cpu())) {
            Parameters parameters = network.parameters();
            parameters.names().stream()
                    .filter(name -> name.endsWith("attn.proj.weight"))
                    .forEach(name -> parameters.get(name).mul_(new Scalar(0.1)));
            new ParametersFile().add(parameters).write(init, ElementType.F32, Map.of());
        }
    }
}
