package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jmatte.image.Alpha;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole networks against the PyTorch reference. */
class GoldenTest {
    private static final double TOLERANCE = 1e-4;
    private static final double STAGE_TOLERANCE = 1e-5;

    static List<String> goldens() {
        return Golden.ALL;
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void fp32EqualsTheReference(String name) {
        try (Golden golden = new Golden(name);
                Matting matting = Matting.open(golden.model(), options(golden))) {
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
                assertTrue(stages.keySet().contains("block11") && stages.keySet().contains("embedding"));
            }
            double worst = worst(matte.alpha(), golden.values("alpha"));
            System.out.printf("%s: alpha within %.2g, stages %s%n", name, worst, stages);
            assertTrue(worst < TOLERANCE, "alpha differs by " + worst);
            assertEquals(matte.plannedBytes(), matte.peakBytes());
        }
    }

    static MattingOptions options(Golden golden) {
        return MattingOptions.defaults()
                .withMaxTokens(golden.maxTokens())
                .withPadding(golden.huggingface() ? Padding.HUGGINGFACE : Padding.AUTO);
    }

    static double worst(Alpha alpha, float[] expected) {
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            double difference = Math.abs(alpha.get(i / alpha.width(), i % alpha.width()) - expected[i]);
            worst = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(worst, difference);
        }
        return worst;
    }

    private static double relativeL2(FloatBuffer values, float[] expected) {
        double error = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            error += Math.pow(values.get(i) - expected[i], 2);
            norm += Math.pow(expected[i], 2);
        }
        return Math.sqrt(error / norm);
    }
}
