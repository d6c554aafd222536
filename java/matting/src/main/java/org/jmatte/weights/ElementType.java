package org.jmatte.weights;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** How a checkpoint stores one element. Reading converts to float32, rounding to nearest where it must. */
public enum ElementType {
    F16(2),
    BF16(2),
    F32(4),
    F64(8),
    I8(1),
    I16(2),
    I32(4),
    I64(8),
    U8(1),
    BOOL(1);

    private final int bytes;

    ElementType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes per element. */
    public int bytes() {
        return bytes;
    }

    /** Whether this is a floating-point type, as weights are. */
    public boolean floating() {
        return this == F16 || this == BF16 || this == F32 || this == F64;
    }

    /** The element at byte {@code at} of {@code source}, in the buffer's byte order. */
    float get(ByteBuffer source, int at) {
        return switch (this) {
            case F16 -> half(source.getShort(at));
            case BF16 -> Float.intBitsToFloat(source.getShort(at) << 16);
            case F32 -> source.getFloat(at);
            case F64 -> (float) source.getDouble(at);
            case I8 -> source.get(at);
            case I16 -> source.getShort(at);
            case I32 -> source.getInt(at);
            case I64 -> source.getLong(at);
            case U8 -> source.get(at) & 0xFF;
            case BOOL -> source.get(at) == 0 ? 0 : 1;
        };
    }

    /** Appends the first {@code count} elements of {@code source} to {@code target}. */
    void copy(ByteBuffer source, int count, FloatBuffer target) {
        if (this == F32) {
            target.put(source.asFloatBuffer().limit(count));
            return;
        }
        for (int i = 0; i < count; i++) {
            target.put(get(source, i * bytes));
        }
    }

    private static float half(short bits) {
        int sign = (bits & 0x8000) << 16;
        int exponent = bits >> 10 & 31;
        int mantissa = bits & 1023;
        if (exponent == 0) { // zero and subnormals: mantissa * 2^-24, exact in float32
            return Float.intBitsToFloat(sign | Float.floatToRawIntBits(mantissa * 0x1p-24f));
        }
        int widened = exponent == 31 ? 255 : exponent + 127 - 15;
        return Float.intBitsToFloat(sign | widened << 23 | mantissa << 13);
    }

    /** The nearest half-precision number, ties to even; infinity beyond the largest. */
    static short half(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = bits >>> 16 & 0x8000;
        float magnitude = Math.abs(value);
        if (Float.isNaN(value)) {
            return (short) (sign | 0x7E00);
        }
        if (magnitude >= 65520) { // half-way to 2^16 from the largest
            return (short) (sign | 0x7C00);
        }
        if (magnitude < 0x1p-14f) { // subnormal: a multiple of 2^-24, which the sum rounds to
            return (short) (sign | Float.floatToRawIntBits(magnitude + 0.5f) - Float.floatToRawIntBits(0.5f));
        }
        int rounded = (bits & 0x7FFFFFFF) + 0xFFF + (bits >>> 13 & 1);
        return (short) (sign | (rounded >>> 13) - ((127 - 15) << 10));
    }
}
