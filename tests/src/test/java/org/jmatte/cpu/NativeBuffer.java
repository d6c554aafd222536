package org.jmatte.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;

/**
 * Native memory for a kernel's operand, with guard words on both sides that {@link #close} checks. It starts at an odd
 * multiple of four bytes, because kernels may rely on no more.
 */
final class NativeBuffer implements AutoCloseable {
    static final int FP32 = 0;
    static final int BF16 = 1;

    private static final int GUARD = 68;
    private static final byte GUARD_BYTE = 0x5A;
    private static final byte UNWRITTEN = (byte) 0xFF; // as a number of either type: NaN

    private final BytePointer memory;
    private final ByteBuffer all;
    private final ByteBuffer data;

    private NativeBuffer(long bytes) {
        memory = new BytePointer(bytes + 2 * GUARD);
        all = memory.asByteBuffer().order(ByteOrder.nativeOrder());
        for (int i = 0; i < all.limit(); i++) all.put(i, GUARD_BYTE);
        data = all.slice(GUARD, (int) bytes).order(ByteOrder.nativeOrder());
        for (int i = 0; i < bytes; i++) data.put(i, UNWRITTEN);
    }

    /** Elements that read as NaN until they are written. */
    static NativeBuffer empty(int elements, int type) {
        return new NativeBuffer((long) elements * (type == BF16 ? 2 : 4));
    }

    static NativeBuffer emptyBytes(int bytes) {
        return new NativeBuffer(bytes);
    }

    static NativeBuffer of(float... values) {
        return of(values, FP32);
    }

    /** The values stored as {@code type}, rounded if need be. */
    static NativeBuffer of(float[] values, int type) {
        NativeBuffer buffer = empty(values.length, type);
        for (int i = 0; i < values.length; i++) {
            if (type == BF16)
                buffer.data.putShort(2 * i, (short) (Float.floatToRawIntBits(Numbers.bf16(values[i])) >>> 16));
            else buffer.data.putFloat(4 * i, values[i]);
        }
        return buffer;
    }

    static NativeBuffer of(int[] values) {
        NativeBuffer buffer = new NativeBuffer(4L * values.length);
        for (int i = 0; i < values.length; i++) buffer.data.putInt(4 * i, values[i]);
        return buffer;
    }

    static NativeBuffer of(short[] values) {
        NativeBuffer buffer = new NativeBuffer(2L * values.length);
        for (int i = 0; i < values.length; i++) buffer.data.putShort(2 * i, values[i]);
        return buffer;
    }

    static NativeBuffer of(byte[] values) {
        NativeBuffer buffer = new NativeBuffer(values.length);
        buffer.data.put(0, values);
        return buffer;
    }

    long address() {
        return memory.address() + GUARD;
    }

    float[] floats() {
        return floats(FP32);
    }

    float[] floats(int type) {
        float[] values = new float[data.limit() / (type == BF16 ? 2 : 4)];
        for (int i = 0; i < values.length; i++)
            values[i] = type == BF16 ? Float.intBitsToFloat(data.getShort(2 * i) << 16) : data.getFloat(4 * i);
        return values;
    }

    int[] ints() {
        int[] values = new int[data.limit() / 4];
        for (int i = 0; i < values.length; i++) values[i] = data.getInt(4 * i);
        return values;
    }

    int[] unsignedShorts() {
        int[] values = new int[data.limit() / 2];
        for (int i = 0; i < values.length; i++) values[i] = Short.toUnsignedInt(data.getShort(2 * i));
        return values;
    }

    byte[] bytes() {
        byte[] values = new byte[data.limit()];
        data.get(0, values);
        return values;
    }

    @Override
    public void close() {
        boolean intact = true;
        for (int i = 0; i < GUARD; i++)
            intact &= all.get(i) == GUARD_BYTE && all.get(all.limit() - 1 - i) == GUARD_BYTE;
        memory.deallocate();
        if (!intact) throw new AssertionError("A kernel wrote outside its buffer");
    }
}
