package org.jmatte.kernels;

import static org.jmatte.kernels.Refusals.refusal;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ArgumentsTest {
    private static final Tensor Q = Tensor.wrap(0x1010, ElementType.FP16, 989, 64);

    @Test
    void whatFitsPasses() {
        assertDoesNotThrow(() -> {
            Arguments.check(true, "op", "a", "b", "c");
            Arguments.notNull("op", "q", Q);
            Arguments.type("op", "q", Q, ElementType.FP32, ElementType.FP16);
            Arguments.shape("op", "q", Q, "[M, 64]", Arguments.ANY, 64);
            Arguments.tensor("op", "q", Q, ElementType.FP16, "[M, 64]", 989, 64);
            Arguments.aligned("op", "q", Q, 16);
            Arguments.aligned("op", "q", Tensor.wrap(0x1011, ElementType.U8, 0), 16);
            Arguments.range("op", "n", 3, 3, 3);
            Arguments.distinct("op", "q", Q, "k", Tensor.wrap(0x1010 + 989 * 128, ElementType.FP16, 1));
        });
    }

    @Test
    void messagesNameTheArgumentWhatWasExpectedAndWhatCame() {
        assertEquals(
                "sparse_attention: q: expected a value, got null",
                refusal(() -> Arguments.notNull("sparse_attention", "q", null)));
        assertEquals(
                "sparse_attention: q: expected fp32 or bf16, got [989, 64] fp16",
                refusal(() -> Arguments.type("sparse_attention", "q", Q, ElementType.FP32, ElementType.BF16)));
        assertEquals(
                "sparse_attention: q: expected [M, 32] = [*, 32], got [989, 64] fp16",
                refusal(() -> Arguments.shape("sparse_attention", "q", Q, "[M, 32]", Arguments.ANY, 32)));
        assertEquals(
                "sparse_attention: q: expected [M], got [989, 64] fp16",
                refusal(() -> Arguments.shape("sparse_attention", "q", Q, "[M]", Arguments.ANY)));
        assertEquals(
                "sparse_attention: q: expected [M, 64] = [500, 64] fp32, got [989, 64] fp16",
                refusal(() -> Arguments.tensor("sparse_attention", "q", Q, ElementType.FP32, "[M, 64]", 500, 64)));
        assertEquals(
                "sparse_attention: q: expected an address that is a multiple of 256, got 0x1010",
                refusal(() -> Arguments.aligned("sparse_attention", "q", Q, 256)));
        assertEquals(
                "sparse_attention: heads: expected 1 to 12, got 13",
                refusal(() -> Arguments.range("sparse_attention", "heads", 13, 1, 12)));
        assertEquals(
                "sparse_attention: out: expected memory apart from q's, got memory that overlaps it",
                refusal(() -> Arguments.distinct(
                        "sparse_attention", "out", Tensor.wrap(0x1020, ElementType.FP16, 8), "q", Q)));
        assertEquals(
                "sparse_attention: q: expected an even number, got 989",
                refusal(() -> Arguments.check(false, "sparse_attention", "q", "an even number", 989)));
    }

    @DeviceTest
    void bf16NeedsSm80(Device device) {
        Tensor tensor = Tensor.wrap(256, ElementType.BF16, 3);
        if (device.architecture() >= 80) {
            assertDoesNotThrow(() -> Arguments.supported("layer_norm", "x", tensor, device));
        } else {
            assertEquals(
                    "layer_norm: x: expected fp16 or fp32 on a card before sm_80 (" + device.name()
                            + " is sm_75), got [3] bf16",
                    refusal(() -> Arguments.supported("layer_norm", "x", tensor, device)));
        }
        assertDoesNotThrow(() -> Arguments.supported("layer_norm", "x", Tensor.wrap(256, ElementType.FP16, 3), device));
    }
}
