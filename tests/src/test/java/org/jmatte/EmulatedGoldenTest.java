package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jmatte.image.Alpha;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole networks through the card's kernels, on the emulated device, against the PyTorch reference. */
class EmulatedGoldenTest {
    private static final double TOLERANCE = 1e-4;
    private static final double STAGE_TOLERANCE = 1e-5;
    private static final MatteRequest EXACT =
            MatteRequest.defaults().withFormat(Alpha.Format.F32).withKeepKnown(false);

    private static Matting open(Golden golden, Precision precision, StreamType stream) {
        return Matting.open(
                golden.model(),
                GoldenTest.options(golden)
                        .withBackend(Backend.EMULATED)
                        .withPrecision(precision)
                        .withStream(stream));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mematte_tiny-96x128-seed1-stages",
                "mematte_tiny-100x320-seed2",
                "vitmatte_tiny-96x160-seed7-stages"
            })
    void fp32EqualsTheReference(String name) {
        assertEqualsReference(name);
    }

    /** A released network's size, and a cap that decides. */
    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = {"mematte_s-200x333-seed4", "mematte_tiny-544x608-seed3-cap200"})
    void fp32EqualsTheReferenceAtOtherSizes(String name) {
        assertEqualsReference(name);
    }

    private static void assertEqualsReference(String name) {
        try (Golden golden = new Golden(name);
                Matting matting = open(golden, Precision.FP32, StreamType.AUTO)) {
            Map<String, Double> stages = new TreeMap<>();
            Matte matte = matting.matte(golden.photo(), golden.trimap(), EXACT.withStages((stage, values, shape) -> {
                if (golden.has(stage)) {
                    stages.put(stage, GoldenTest.relativeL2(values, golden.values(stage)));
                }
            }));
            assertEquals(golden.kept(), matte.routing().kept(), "tokens kept");
            stages.forEach((stage, error) -> {
                if (!stage.endsWith("margin")) {
                    assertTrue(error < STAGE_TOLERANCE, stage + " differs by " + error);
                }
            });
            double worst = GoldenTest.worst(matte.alpha(), golden.values("alpha"));
            System.out.printf("%s: alpha within %.2g%n", name, worst);
            assertTrue(worst < TOLERANCE, "alpha differs by " + worst);
            assertEquals(matte.plannedBytes(), matte.peakBytes());
        }
    }

    /**
     * The golden's tokens are forced. The peer is PyTorch computing in fp32, its weights and the results of all products,
     * norms and activations rounded to the type, and the stream after each block if it is narrow.
     */
    @ParameterizedTest
    @CsvSource({
        "mematte_tiny-96x128-seed1-stages, FP16, FP32, 0.000238",
        "mematte_tiny-96x128-seed1-stages, FP16, FP16, 0.000281",
        "mematte_tiny-96x128-seed1-stages, BF16, AUTO, 0.001757",
        "mematte_tiny-100x320-seed2, FP16, FP16, 0.000160",
        "mematte_tiny-100x320-seed2, BF16, AUTO, 0.001023",
        "vitmatte_tiny-96x160-seed7-stages, FP16, FP32, 0.000105",
        "vitmatte_tiny-96x160-seed7-stages, FP16, FP16, 0.000114",
        "vitmatte_tiny-96x160-seed7-stages, BF16, AUTO, 0.000616"
    })
    void narrowTypesErrLittleMoreThanPlainComputation(
            String name, Precision precision, StreamType stream, double peer) {
        try (Golden golden = new Golden(name);
                Matting matting = open(golden, precision, stream)) {
            Matte matte = matting.matte(golden.photo(), golden.trimap(), EXACT.withForcedTokens(golden.kept()));
            double error = GoldenTest.mean(matte.alpha(), golden.values("alpha"));
            System.out.printf("%s %s %s: mean error %.6f, plain %.6f%n", name, precision, stream, error, peer);
            assertTrue(error <= 2 * peer, "mean error of alpha " + error);
            assertEquals(matte.plannedBytes(), matte.peakBytes());
        }
    }

    static List<String> pam() {
        return Golden.PAM;
    }

    @ParameterizedTest
    @MethodSource("pam")
    void pamTakesTheReferencesPathToItsAlpha(String name) {
        try (Golden golden = new Golden(name);
                Matting matting = open(golden, Precision.FP32, StreamType.AUTO)) {
            Matte matte = matting.matte(golden.photo(), golden.trimap(), EXACT);
            assertEquals(PamTest.path(golden), matte.path());
            double worst = GoldenTest.worst(matte.alpha(), golden.values("alpha"));
            System.out.printf("%s: alpha within %.2g%n", name, worst);
            assertTrue(worst < TOLERANCE, "alpha differs by " + worst);
            assertEquals(matte.plannedBytes(), matte.peakBytes());
        }
    }

    /** Along the reference's paths; PyTorch's own bf16 makes mean errors of about 0.00097, fp16 has three bits more. */
    @ParameterizedTest
    @CsvSource({"FP16, 0.0002", "BF16, 0.0019"})
    void pamInNarrowTypes(Precision precision, double most) {
        for (String name : Golden.PAM) {
            try (Golden golden = new Golden(name);
                    Matting matting = open(golden, precision, StreamType.AUTO)) {
                MatteRequest request = EXACT.withForcedPath(PamTest.path(golden));
                Matte matte = matting.matte(golden.photo(), golden.trimap(), request);
                double error = GoldenTest.mean(matte.alpha(), golden.values("alpha"));
                System.out.printf("%s %s: mean error %.6f%n", name, precision, error);
                assertTrue(error <= most, name + ": mean error of alpha " + error);
            }
        }
    }
}
