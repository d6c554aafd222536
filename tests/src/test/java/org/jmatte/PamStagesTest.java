package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jmatte.network.PamPath;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The intermediate results of PAM: what is told, and that the backends tell the same. */
class PamStagesTest {
    private static final int HEIGHT = 70;
    private static final int WIDTH = 100;
    private static final PamPath PATH = new PamPath(0b10110010110101); // rounding must not choose another

    private record Result(float[] values, long[] shape) {}

    private static Map<String, Result> exact;

    private static Map<String, Result> stages(MattingOptions options) {
        Map<String, Result> told = new LinkedHashMap<>();
        MatteRequest request = MatteRequest.defaults().withForcedPath(PATH).withStages((name, values, shape) -> {
            float[] copy = new float[values.remaining()];
            values.get(copy);
            told.put(name, new Result(copy, shape));
        });
        try (Matting matting = Matting.open("seeded:pam:2", options)) {
            matting.matte(Scenes.photo(HEIGHT, WIDTH, 2), Scenes.disc(HEIGHT, WIDTH, 2), request);
        }
        return told;
    }

    @BeforeAll
    static void run() {
        exact = stages(MattingOptions.defaults());
    }

    @Test
    void everyStageAndMarginIsTold() {
        List<String> features = exact.keySet().stream()
                .filter(name -> !name.endsWith(".margin"))
                .toList();
        assertEquals(
                List.of(
                        "encoder.quarter",
                        "encoder.eighth",
                        "encoder.sixteenth",
                        "encoder.thirtysecond",
                        "pyramid 0",
                        "pyramid 1",
                        "pyramid 2",
                        "decoder.sixteenth",
                        "decoder.eighth",
                        "decoder.quarter"),
                features);
        assertArrayEquals(new long[] {24, 32, 64}, exact.get("encoder.quarter").shape, "of 96x128, padded");
        assertArrayEquals(new long[] {3, 4, 320}, exact.get("pyramid 2").shape);
        List<String> margins = new ArrayList<>(exact.keySet());
        margins.removeAll(features);
        assertEquals(14, margins.size());
        assertEquals("segment0.margin", margins.get(0));
        assertEquals("segment13.margin", margins.get(13));
    }

    @Test
    void theDeviceTellsTheSame() {
        assertAlike(stages(MattingOptions.defaults().withBackend(Backend.EMULATED)), 1e-5);
    }

    @Test
    void bfloat16IsToldAsFloats() {
        assumeTrue(Machine.hasAvx512(), "this processor has AVX2 only");
        assertAlike(stages(MattingOptions.defaults().withPrecision(Precision.BF16)), 0.03);
    }

    private static void assertAlike(Map<String, Result> told, double tolerance) {
        assertEquals(List.copyOf(exact.keySet()), List.copyOf(told.keySet()));
        exact.forEach((name, expected) -> {
            assertArrayEquals(expected.shape, told.get(name).shape, name);
            float[] values = told.get(name).values;
            double difference = name.endsWith(".margin") // near 0 maybe
                    ? Math.abs(values[0] - expected.values[0])
                    : GoldenTest.relativeL2(FloatBuffer.wrap(values), expected.values);
            assertTrue(difference < tolerance, name + " differs by " + difference);
        });
    }
}
