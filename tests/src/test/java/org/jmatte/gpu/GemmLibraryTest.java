package org.jmatte.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.jmatte.Backend;
import org.jmatte.GemmLibrary;
import org.jmatte.InvalidInputException;
import org.jmatte.Matting;
import org.jmatte.MattingOptions;
import org.junit.jupiter.api.Test;

/** Whose products a model asks for, where there is no vendor's library. */
class GemmLibraryTest {
    private static final String MODEL = "seeded:mematte_tiny";
    private static final MattingOptions EMULATED = MattingOptions.defaults().withBackend(Backend.EMULATED);

    @Test
    void whatIsAskedForAndNotThereIsRefused() {
        assertEquals(
                "gemm: cuBLAS: expected a card, got emulated sm_80", refused(EMULATED.withGemm(GemmLibrary.CUBLAS)));
    }

    @Test
    void autoGoesOnWithOurs() {
        Matting.open(MODEL, EMULATED.withGemm(GemmLibrary.AUTO)).close();
    }

    @Test
    void modelsOnADeviceChooseTheSame() {
        try (Matting other = Matting.open(MODEL, EMULATED)) {
            assertEquals(Backend.EMULATED, other.backend());
            String message = refused(EMULATED.withGemm(GemmLibrary.AUTO));
            assertTrue(message.startsWith("gemm: expected OWN, as other models on emulated sm_80 have it, got AUTO"));
        }
        Matting.open(MODEL, EMULATED.withGemm(GemmLibrary.AUTO)).close();
    }

    @Test
    void theProcessorHasNone() {
        assertEquals(
                "gemm: cublas runs on a card only; use own or auto on the CPU",
                refused(MattingOptions.defaults().withBackend(Backend.CPU).withGemm(GemmLibrary.CUBLAS)));
    }

    private static String refused(MattingOptions options) {
        return assertThrows(InvalidInputException.class, () -> Matting.open(MODEL, options))
                .getMessage();
    }
}
