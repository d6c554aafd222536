package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.TreeMap;
import java.util.Map;
import org.jmatte.image.Alpha;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole networks through the card's kernels, on the emulated device, against the PyTorch reference. */
class EmulatedGoldenTest {
    private static final double TOLERANCE = 1e-4;
    private static final double STAGE_TOLERANCE = 1e-5;

    @ParameterizedTest
    @ValueSource(strings = {"mematte_tiny-96x128-seed1-stages", "mematte_tiny-100x320-seed2", "vitmatte_tiny-96x160-seed7-stages"})
    void fp32EqualsTheReference(String name) {
        try (Golden golden = new Golden(name);
                Matting matting = Matting.open(golden.model(), GoldenTest.options(golden).withBackend(Backend.EMULATED))) {
            Map<String, Double> stages = new TreeMap<>();
            MatteRequest request = MatteRequest.defaults()
                    .withFormat(Alpha.Format.F32)
                    .withKeepKnown(false)
                    .withStages((stage, values, shape) -> {
                        if (golden.has(stage)) {
                            stages.put(stage, GoldenTest.relativeL2(values, golden.values(stage)));
                        }
                    });
            Matte matte = matting.matte(golden.photo(), golden.trimap(), request);
            double worst = GoldenTest.worst(matte.alpha(), golden.values("alpha"));
            System.out.printf("%s: alpha within %.2g, stages %s%n", name, worst, stages);
            assertEquals(golden.kept(), matte.routing().kept(), "tokens kept");
            stages.forEach((stage, error) -> {
                if (!stage.endsWith("margin")) {
                    assertTrue(error < STAGE_TOLERANCE, stage + " differs by " + error);
                }
            });
            assertTrue(worst < TOLERANCE, "alpha differs by " + worst);
            assertEquals(matte.plannedBytes(), matte.peakBytes());
        }
    }
}
