package org.jmatte.gpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.jmatte.kernels.ElementType;

/** Floats in the types that a device stores them in. */
final class Numbers {
    private Numbers() {}

    /** The values as stored, rounded to nearest even. */
    static ByteBuffer bytes(float[] values, ElementType type) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(values.length, type.bytes()))
                .order(ByteOrder.nativeOrder());
        switch (type) {
            case FP32 -> bytes.asFloatBuffer().put(values);
            case FP16 -> {
                for (float value : values) {
                    bytes.putShort(toHalf(value));
                }
            }
            case BF16 -> {
                for (float value : values) {
                    bytes.putShort(toBfloat(value));
                }
            }
            default -> throw new IllegalArgumentException("no floats in " + type);
        }
        return bytes.rewind();
    }

    /** The floats that bytes of a type stand for. */
    static FloatBuffer floats(ByteBuffer bytes, ElementType type) {
        if (type == ElementType.FP32) {
            return bytes.asFloatBuffer();
        }
        FloatBuffer floats = FloatBuffer.allocate(bytes.remaining() / type.bytes());
        while (bytes.hasRemaining()) {
            short bits = bytes.getShort();
            floats.put(type == ElementType.FP16 ? fromHalf(bits) : Float.intBitsToFloat(bits << 16));
        }
        return floats.rewind();
    }

    private static short toBfloat(float value) {
        int bits = Float.floatToIntBits(value);
        boolean nan = (bits & 0x7fffffff) > 0x7f800000;
        return (short) (nan ? bits >> 16 : bits + 0x7fff + (bits >> 16 & 1) >> 16);
    }

    /** IEEE binary16: 5 bits of exponent, 10 of fraction. */
    private static short toHalf(float value) {
        int bits = Float.floatToIntBits(value);
        int sign = bits >>> 16 & 0x8000;
        float magnitude = Math.abs(value);
        if (Float.isNaN(value)) {
            return (short) (sign | 0x7e00);
        }
        if (magnitude >= 65520) { // halfway from the largest number to the next
            return (short) (sign | 0x7c00);
        }
        // Rounding happens when a number of the last place's magnitude, 2^(exponent - 10 + 23), is added and taken off.
        int exponent = Math.max(Math.getExponent(magnitude), -14);
        float place = Math.scalb(1f, exponent + 13);
        float rounded = magnitude + place - place;
        int half = rounded < 0x1p-14f
                ? (int) (rounded * 0x1p24f)
                : (Float.floatToIntBits(rounded) >> 13) - (127 - 15 << 10);
        return (short) (sign | half);
    }

    private static float fromHalf(short bits) {
        int exponent = bits >> 10 & 31;
        int fraction = bits & 1023;
        float magnitude;
        if (exponent == 31) {
            magnitude = fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
        } else if (exponent == 0) {
            magnitude = fraction * 0x1p-24f;
        } else {
            magnitude = Float.intBitsToFloat(exponent + 127 - 15 << 23 | fraction << 13);
        }
        return bits < 0 ? -magnitude : magnitude;
    }
}
