package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jmatte.image.Alpha;
import org.jmatte.weights.HuggingFaceDirectory;
import org.jmatte.weights.ModelSource;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole networks against the PyTorch reference. */
class GoldenTest {
    private static final double TOLERANCE = 1e-4;
    private static final double STAGE_TOLERANCE = 1e-5;

    static List<String> goldens() {
        return Golden.ALL;
    }

    @TempDir
    private Path directory;

    @ParameterizedTest
    @MethodSource("goldens")
    void fp32EqualsTheReference(String name) {
        try (Golden golden = new Golden(name);
                Matting matting = Matting.open(model(golden), options(golden))) {
            Map<String, Double> stages = new HashMap<>();
            MatteRequest request = MatteRequest.defaults()
                    .withFormat(Alpha.Format.F32)
                    .withKeepKnown(false)
                    .withStages((stage, values, shape) -> {
                        if (golden.has(stage)) {
                            stages.put(stage, relativeL2(values, golden.values(stage)));
                        }
                    });
            Matte matte = matting.matte(golden.photo(), golden.trimap(), request);
            assertEquals(golden.kept(), matte.routing().kept(), "tokens kept");
            stages.forEach((stage, error) -> {
                if (!stage.endsWith("margin")) {
                    assertTrue(error < STAGE_TOLERANCE, stage + " differs by " + error);
                }
            });
            if (name.endsWith("stages")) {
                assertTrue(
                        stages.keySet().contains("block11") && stages.keySet().contains("embedding"));
            }
            double worst = worst(matte.alpha(), golden.values("alpha"));
            System.out.printf("%s: alpha within %.2g, stages %s%n", name, worst, stages);
            assertTrue(worst < TOLERANCE, "alpha differs by " + worst);
            assertEquals(matte.plannedBytes(), matte.peakBytes());
        }
    }

    /**
     * Mean error of alpha that PyTorch's own bf16 makes against fp32, with the golden's tokens (2.13 on a CPU with
     * oneDNN held to AVX512_CORE_BF16, whose AMX convolution of patches is faulty).
     */
    @ParameterizedTest
    @CsvSource({
        "mematte_s-200x333-seed4, 0.0011",
        "mematte_s-512x512-seed5-cap100, 0.0030",
        "mematte_b-160x192-seed6, 0.0029",
        "mematte_tiny-100x320-seed2, 0.0012",
        "vitmatte_s-200x333-seed8, 0.0019"
    })
    void bf16ErrsLittleMoreThanPyTorch(String name, double peer) {
        Machine.assumeBf16();
        try (Golden golden = new Golden(name);
                Matting matting = Matting.open(golden.model(), options(golden).withPrecision(Precision.BF16))) {
            MatteRequest request = MatteRequest.defaults()
                    .withFormat(Alpha.Format.F32)
                    .withKeepKnown(false)
                    .withForcedTokens(golden.kept());
            Matte matte = matting.matte(golden.photo(), golden.trimap(), request);
            double error = mean(matte.alpha(), golden.values("alpha"));
            System.out.printf("%s: bf16 mean error %.5f, PyTorch's %.4f%n", name, error, peer);
            assertTrue(error <= 1.5 * peer, "mean error of alpha " + error);
        }
    }

    static double mean(Alpha alpha, float[] expected) {
        double sum = 0;
        for (int i = 0; i < expected.length; i++) {
            sum += Math.abs(alpha.get(i / alpha.width(), i % alpha.width()) - expected[i]);
        }
        return sum / expected.length;
    }

    /** Hugging Face's conventions follow from its files. */
    private String model(Golden golden) {
        if (!golden.huggingface()) {
            return golden.model();
        }
        try (ModelSource seeded = ModelSource.open(golden.model())) {
            HuggingFaceDirectory.write(seeded.checkpoint(), directory);
        }
        return directory.toString();
    }

    static MattingOptions options(Golden golden) {
        MattingOptions options = MattingOptions.defaults().withMaxTokens(golden.maxTokens());
        return golden.gmacs() == 0 ? options : options.withGmacs(golden.gmacs());
    }

    static double worst(Alpha alpha, float[] expected) {
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            double difference = Math.abs(alpha.get(i / alpha.width(), i % alpha.width()) - expected[i]);
            worst = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(worst, difference);
        }
        return worst;
    }

    static double relativeL2(FloatBuffer values, float[] expected) {
        double error = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            error += Math.pow(values.get(i) - expected[i], 2);
            norm += Math.pow(expected[i], 2);
        }
        return Math.sqrt(error / norm);
    }
}
