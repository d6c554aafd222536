package org.jmatte.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class ElementTypeTest {
    @Test
    void everyHalfIsItsValue() {
        ByteBuffer bits = ByteBuffer.allocate(2);
        for (int half = 0; half < 1 << 16; half++) {
            int exponent = half >> 10 & 31;
            int mantissa = half & 1023;
            double value = exponent == 0 ? Math.scalb(mantissa, -24) : Math.scalb(1024 + mantissa, exponent - 25);
            if (exponent == 31) {
                value = mantissa == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
            }
            float expected = (float) (half >> 15 == 1 ? -value : value);
            assertEquals(expected, ElementType.F16.get(bits.putShort(0, (short) half), 0));
        }
    }

    @Test
    void everyTypeReads() {
        ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        assertEquals(-1.5f, ElementType.BF16.get(bytes.putShort(0, (short) 0xBFC0), 0));
        assertEquals(1e-3f, ElementType.F32.get(bytes.putFloat(0, 1e-3f), 0));
        assertEquals(1e-3f, ElementType.F64.get(bytes.putDouble(0, 1e-3), 0));
        assertEquals(-3, ElementType.I64.get(bytes.putLong(0, -3), 0));
        assertEquals(-3, ElementType.I32.get(bytes.putInt(0, -3), 0));
        assertEquals(-3, ElementType.I16.get(bytes.putShort(0, (short) -3), 0));
        assertEquals(-3, ElementType.I8.get(bytes.put(0, (byte) -3), 0));
        assertEquals(253, ElementType.U8.get(bytes, 0));
        assertEquals(1, ElementType.BOOL.get(bytes, 0));
        assertEquals(0, ElementType.BOOL.get(bytes.put(0, (byte) 0), 0));
    }
}
