package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nothing is read before it is written: fresh memory is filled with numbers so large that they would show. */
class StaleMemoryTest {
    /** The C library fills memory with the complement: bytes 0x7F, in either type a number of 3e38. */
    private static final Map<String, String> HUGE_NUMBERS = Map.of("MALLOC_PERTURB_", "128");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mematte_tiny-100x320-seed2",
                "mematte_tiny-544x608-seed3-cap200",
                "vitmatte_tiny-96x160-seed7-stages",
                "pam-100x200-seed2-gmacs52",
                "pam-96x128-seed1-gmacs64"
            })
    void freshMemoryDoesNotShow(String golden) {
        ChildProcess probe =
                ChildProcess.run(HUGE_NUMBERS, IsaProbe.class, Isa.AUTO.name(), Precision.FP32.name(), golden);
        assertTrue(probe.number("worst") < 1e-4, () -> "alpha " + probe);
        assertEquals("true", probe.said().get("tokens"));
    }
}
