package org.jmatte.train.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import org.bytedeco.pytorch.Context;
import org.jmatte.InvalidInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DevicesTest {
    private static String refusal(String name) {
        return assertThrows(InvalidInputException.class, () -> Devices.named(name))
                .getMessage();
    }

    @Test
    void theProcessorIsADevice() {
        assertTrue(Devices.named("cpu").is_cpu());
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpu", "CUDA", "cuda:", "cuda:x", "cuda:-1", "cpu:1", ""})
    void otherNamesAreRefused(String name) {
        assertEquals("device: expected cpu, cuda or cuda:N, got " + name, refusal(name));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cuda", "cuda:1"})
    void aCardNeedsLibtorchWithCuda(String name) {
        assumeFalse(Context.hasCUDART(), "libtorch has CUDA");
        String message = refusal(name);
        assertTrue(message.startsWith("device " + name + ": expected libtorch with CUDA"), message);
        assertTrue(message.contains("-Ptorch-cuda"), message);
    }
}
