package org.jmatte.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jmatte.kernels.ElementType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NumbersTest {
    private static float stored(float value, ElementType type) {
        return Numbers.floats(Numbers.bytes(new float[] {value}, type), type).get(0);
    }

    /** All 65,536 of them, but the NaNs' bits. */
    @ParameterizedTest
    @EnumSource(
            value = ElementType.class,
            names = {"FP16", "BF16"})
    void everyNumberOfATypeIsKept(ElementType type) {
        ByteBuffer all = ByteBuffer.allocate(2 << 16).order(ByteOrder.nativeOrder());
        for (int bits = 0; bits < 1 << 16; bits++) {
            all.putShort((short) bits);
        }
        float[] values = new float[1 << 16];
        Numbers.floats(all.rewind(), type).get(values);
        ByteBuffer back = Numbers.bytes(values, type);
        for (int bits = 0; bits < 1 << 16; bits++) {
            if (!Float.isNaN(values[bits])) {
                assertEquals((short) bits, back.getShort(2 * bits), Float.toString(values[bits]));
            }
        }
    }

    @Test
    void halfwayGoesToEven() {
        assertEquals(1, stored(1 + 0x1p-11f, ElementType.FP16));
        assertEquals(1 + 0x1p-9f, stored(1 + 0x3p-11f, ElementType.FP16));
        assertEquals(0, stored(0x1p-25f, ElementType.FP16));
        assertEquals(0x1p-23f, stored(0x3p-25f, ElementType.FP16));
        assertEquals(65504, stored(65519, ElementType.FP16));
        assertEquals(Float.POSITIVE_INFINITY, stored(65520, ElementType.FP16));
        assertEquals(Float.NEGATIVE_INFINITY, stored(-1e9f, ElementType.FP16));
        assertEquals(1, stored(1 + 0x1p-8f, ElementType.BF16));
        assertEquals(1 + 0x1p-6f, stored(1 + 0x3p-8f, ElementType.BF16));
        assertEquals(Float.NaN, stored(Float.NaN, ElementType.FP16));
        assertEquals(Float.NaN, stored(Float.NaN, ElementType.BF16));
    }
}
