package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every instruction set that this machine has, each in a process of its own: the choice is one per process. */
class IsaTest {
    /** One and a half times the mean error that PyTorch's bf16 makes of this golden. */
    private static final double BF16_MEAN_ERROR = 1.5 * 0.0012;

    private static void assumeHas(Isa isa) {
        boolean has =
                switch (isa) {
                    case AUTO, AVX2 -> true;
                    case AVX512 -> Machine.hasAvx512();
                    case AMX -> Machine.hasAmx();
                };
        assumeTrue(has, () -> "this processor has no " + isa);
    }

    private static ChildProcess probe(Isa isa, Precision precision) {
        return ChildProcess.run(Map.of(), IsaProbe.class, isa.name(), precision.name(), IsaProbe.GOLDEN);
    }

    @ParameterizedTest
    @EnumSource(Isa.class)
    void fp32EqualsTheReference(Isa isa) {
        assumeHas(isa);
        ChildProcess probe = probe(isa, Precision.FP32);
        assertTrue(probe.number("worst") < 1e-4, () -> "alpha " + probe);
        assertEquals("true", probe.said().get("tokens"));
    }

    @ParameterizedTest
    @EnumSource(value = Isa.class, names = "AVX2", mode = EnumSource.Mode.EXCLUDE)
    void bf16ErrsLittleMoreThanPyTorch(Isa isa) {
        assumeHas(isa);
        Machine.assumeBf16();
        ChildProcess probe = probe(isa, Precision.BF16);
        assertTrue(probe.number("mean") < BF16_MEAN_ERROR, () -> "alpha " + probe);
    }

    @Test
    void bf16NeedsMoreThanAvx2() {
        String refused = probe(Isa.AVX2, Precision.BF16).said().get("refused");
        assertTrue(refused != null && refused.contains("bf16") && refused.contains("AVX-512"), refused);
    }

    @Test
    void whatTheProcessorLacksIsRefused() {
        assumeTrue(!Machine.hasAmx(), "this processor has everything");
        String refused = probe(Isa.AMX, Precision.FP32).said().get("refused");
        assertTrue(refused != null && refused.contains("got amx"), refused);
    }

    @Test
    void otherPlatformsHearWhatIsSupported() {
        Map<String, String> elsewhere = Map.of("JAVA_TOOL_OPTIONS", "-Dorg.bytedeco.javacpp.platform=linux-arm64");
        ChildProcess probe =
                ChildProcess.run(elsewhere, IsaProbe.class, Isa.AUTO.name(), Precision.FP32.name(), IsaProbe.GOLDEN);
        String refused = probe.said().get("refused");
        assertTrue(refused != null && refused.contains("linux-x86_64") && refused.contains("linux-arm64"), refused);
    }
}
