package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A tensor in device memory between guard words, filled from floats or read as such. */
final class TestTensor implements AutoCloseable {
    private static final int GUARD = 256;
    private static final byte GUARD_BYTE = (byte) 0xA5;

    private final Device device;
    private final DeviceBuffer buffer;
    private final Tensor tensor;

    private TestTensor(Device device, int offset, ElementType type, long... shape) {
        this.device = device;
        long elements = 1;
        for (long size : shape) {
            elements *= size;
        }
        long bytes = elements * type.bytes();
        buffer = device.allocate(bytes + 2 * GUARD + offset);
        device.fill(buffer.pointer(), GUARD_BYTE, buffer.bytes(), device.defaultStream());
        tensor = Tensor.wrap(buffer.pointer() + GUARD + offset, type, shape);
    }

    /** Values are rounded to the type. */
    static TestTensor of(Device device, ElementType type, float[] values, long... shape) {
        return at(device, 0, type, values, shape);
    }

    /** One that starts some bytes behind a multiple of 256. */
    static TestTensor at(Device device, int offset, ElementType type, float[] values, long... shape) {
        TestTensor t = new TestTensor(device, offset, type, shape);
        assertEquals(t.tensor.elements(), values.length);
        t.write(values);
        return t;
    }

    static TestTensor filled(Device device, ElementType type, float value, long... shape) {
        TestTensor t = new TestTensor(device, 0, type, shape);
        float[] values = new float[Math.toIntExact(t.tensor.elements())];
        java.util.Arrays.fill(values, value);
        t.write(values);
        return t;
    }

    Tensor tensor() {
        return tensor;
    }

    void write(float[] values) {
        ElementType type = tensor.type();
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(tensor.bytes())).order(ByteOrder.nativeOrder());
        for (float v : values) {
            switch (type) {
                case FP32 -> bytes.putFloat(v);
                case FP16 -> bytes.putShort(toHalf(v));
                case BF16 -> bytes.putShort(toBfloat(v));
                case U8 -> bytes.put((byte) (int) v);
                case U16 -> bytes.putShort((short) (int) v);
                default -> bytes.putInt((int) v);
            }
        }
        device.copyToDevice(tensor.pointer(), bytes.flip(), device.defaultStream());
    }

    /** The values; fails if a guard word was written. */
    float[] read() {
        int length = Math.toIntExact(tensor.bytes());
        int before = (int) (tensor.pointer() - buffer.pointer());
        byte[] all = new byte[Math.toIntExact(buffer.bytes())];
        device.copyToHost(ByteBuffer.wrap(all), buffer.pointer(), device.defaultStream());
        for (int i = 0; i < all.length; i++) {
            if (i < before || i >= before + length) {
                assertEquals(GUARD_BYTE, all[i], "guard byte " + (i - before) + " of " + tensor);
            }
        }
        ByteBuffer bytes = ByteBuffer.wrap(all, before, length).slice().order(ByteOrder.nativeOrder());
        float[] values = new float[Math.toIntExact(tensor.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (tensor.type()) {
                case FP32 -> bytes.getFloat();
                case FP16 -> fromHalf(bytes.getShort());
                case BF16 -> Float.intBitsToFloat(bytes.getShort() << 16);
                case U8 -> bytes.get() & 0xff;
                case U16 -> bytes.getShort() & 0xffff;
                default -> bytes.getInt();
            };
        }
        return values;
    }

    @Override
    public void close() {
        buffer.close();
    }

    // ---------------------------------------------------------------- rounding

    /** The value as the type stores it. */
    static float round(ElementType type, float v) {
        return switch (type) {
            case FP16 -> fromHalf(toHalf(v));
            case BF16 -> Float.intBitsToFloat(toBfloat(v) << 16);
            default -> v;
        };
    }

    static float[] round(ElementType type, float[] values) {
        float[] rounded = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            rounded[i] = round(type, values[i]);
        }
        return rounded;
    }

    /** Largest relative error of a rounding. */
    static double unit(ElementType type) {
        return switch (type) {
            case FP16 -> 0x1p-11;
            case BF16 -> 0x1p-8;
            default -> 0x1p-24;
        };
    }

    private static short toBfloat(float v) {
        int bits = Float.floatToRawIntBits(v);
        if (Float.isNaN(v)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    private static short toHalf(float v) {
        int sign = Float.floatToRawIntBits(v) >>> 16 & 0x8000;
        float a = Math.abs(v);
        if (Float.isNaN(v)) {
            return (short) (sign | 0x7e00);
        }
        if (a >= 65520) {
            return (short) (sign | 0x7c00);
        }
        if (a < 0x1p-14f) {
            return (short) (sign | (int) Math.rint(a * 0x1p24));
        }
        int exponent = Math.getExponent(a);
        int mantissa = (int) Math.rint(a * Math.pow(2, 10 - exponent)); // 1024 to 2048
        return (short) (sign | (exponent + 14 << 10) + mantissa);
    }

    private static float fromHalf(short half) {
        int exponent = half >>> 10 & 31;
        int mantissa = half & 1023;
        float a = exponent == 0
                ? mantissa * 0x1p-24f
                : exponent == 31
                        ? (mantissa == 0 ? Float.POSITIVE_INFINITY : Float.NaN)
                        : (float) ((1024 + mantissa) * Math.pow(2, exponent - 25));
        return half < 0 ? -a : a;
    }
}
