package org.jmatte.kernels;

import static org.jmatte.kernels.Refusals.refusal;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class TensorTest {
    @Test
    void knowsItsSizes() {
        Tensor tensor = Tensor.wrap(256, ElementType.FP16, 2, 3, 5);
        assertEquals(256, tensor.pointer());
        assertEquals(30, tensor.elements());
        assertEquals(60, tensor.bytes());
        assertEquals(3, tensor.axes());
        assertEquals(2, tensor.size(0));
        assertEquals(5, tensor.size(2));
        assertEquals(5, tensor.size(-1));
        assertEquals("[2, 3, 5] fp16", tensor.toString());
    }

    @Test
    void morethan2To31Elements() {
        Tensor tensor = Tensor.wrap(256, ElementType.FP32, 65536, 65536);
        assertEquals(1L << 32, tensor.elements());
        assertEquals(1L << 34, tensor.bytes());
        assertEquals(256 + (1L << 18) * 65535, tensor.rows(65535, 1).pointer());
    }

    @Test
    void itsShapeIsItsOwn() {
        long[] sizes = {2, 3};
        Tensor tensor = Tensor.wrap(256, ElementType.U8, sizes);
        sizes[0] = 9;
        tensor.shape()[1] = 9;
        assertArrayEquals(new long[] {2, 3}, tensor.shape());
    }

    @Test
    void withoutElementsItNeedsNoMemory() {
        assertEquals(0, Tensor.wrap(0, ElementType.FP32, 0, 384).bytes());
        assertEquals(1, Tensor.wrap(4, ElementType.FP32).elements(), "a scalar has one element");
    }

    @Test
    void whatItRefuses() {
        assertEquals(
                "tensor: pointer: expected a device address for [2, 3] fp16, got 0",
                refusal(() -> Tensor.wrap(0, ElementType.FP16, 2, 3)));
        assertEquals(
                "tensor: pointer: expected a multiple of 4 for fp32, got 0x102",
                refusal(() -> Tensor.wrap(0x102, ElementType.FP32, 2, 3)));
        assertEquals(
                "tensor: shape: expected sizes from 0, got [2, -3]",
                refusal(() -> Tensor.wrap(256, ElementType.FP16, 2, -3)));
        assertEquals(
                "tensor: shape: expected at most 2^63 - 1 bytes, got [4294967296, 2147483648] fp32",
                refusal(() -> Tensor.wrap(256, ElementType.FP32, 1L << 32, 1L << 31)));
        assertEquals("tensor: type: expected an element type, got null", refusal(() -> Tensor.wrap(256, null, 2, 3)));
        assertEquals(
                "tensor: shape: expected sizes, got null",
                refusal(() -> Tensor.wrap(256, ElementType.FP16, (long[]) null)));
    }

    @Test
    void views() {
        Tensor tensor = Tensor.wrap(256, ElementType.FP16, 4, 6);
        Tensor rows = tensor.rows(1, 2);
        assertEquals(256 + 12, rows.pointer());
        assertArrayEquals(new long[] {2, 6}, rows.shape());
        assertEquals(24, rows.bytes());
        assertArrayEquals(new long[] {2, 2, 6}, tensor.reshape(2, 2, 6).shape());
        assertEquals(0, tensor.rows(4, 0).elements());
        assertEquals(
                "tensor: rows: expected a range within [4, 6] fp16, got 2 from 3", refusal(() -> tensor.rows(3, 2)));
        assertEquals(
                "tensor: shape: expected the elements of [4, 6] fp16, got [5, 5] fp16",
                refusal(() -> tensor.reshape(5, 5)));
    }
}
