package org.jmatte.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.ShortBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.jmatte.StageListener;

/** Java views of native addresses. JavaCPP takes a capacity of 0 for 1: such views are made apart. */
final class NativeMemory {
    /** A pointer to anywhere; owns nothing. */
    static final class Address extends Pointer {
        Address at(long value) {
            address = value;
            return this;
        }
    }

    private NativeMemory() {}

    static FloatBuffer floats(long address, long count) {
        return count == 0
                ? FloatBuffer.allocate(0)
                : new FloatPointer(new Address().at(address)).capacity(count).asBuffer();
    }

    /** The same of any type, for a listener; narrow numbers are widened into a copy. Read only. */
    static FloatBuffer floats(long address, long count, ElementType type) {
        StageListener.requireBuffer(type.bytes(count));
        if (type == ElementType.FP32) {
            return floats(address, count).asReadOnlyBuffer();
        }
        ShortBuffer narrow = bytes(address, type.bytes(count)).asShortBuffer();
        FloatBuffer floats = FloatBuffer.allocate(narrow.remaining());
        while (narrow.hasRemaining()) {
            floats.put(Float.intBitsToFloat(narrow.get() << 16));
        }
        return floats.rewind().asReadOnlyBuffer();
    }

    static IntBuffer ints(long address, long count) {
        return count == 0
                ? IntBuffer.allocate(0)
                : new IntPointer(new Address().at(address)).capacity(count).asBuffer();
    }

    static ByteBuffer bytes(long address, long count) {
        return new BytePointer(new Address().at(address))
                .capacity(count)
                .asBuffer()
                .order(ByteOrder.nativeOrder());
    }

    /** The address of a direct buffer's first element, whatever its position. */
    static long address(ByteBuffer direct) {
        return new BytePointer(direct.duplicate().clear()).address();
    }

    /** The sum of each column of rows of floats, added up in order. */
    static double[] columnSums(long address, long rows, int columns) {
        double[] sums = new double[columns];
        FloatBuffer values = floats(address, rows * columns);
        for (long row = 0; row < rows; row++) {
            for (int c = 0; c < columns; c++) {
                sums[c] += values.get();
            }
        }
        return sums;
    }

    static void copy(long to, long from, long count) {
        Pointer.memcpy(new Address().at(to), new Address().at(from), count);
    }

    static void clear(long address, long count) {
        Pointer.memset(new Address().at(address), 0, count);
    }
}
