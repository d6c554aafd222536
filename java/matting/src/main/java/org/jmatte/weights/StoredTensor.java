package org.jmatte.weights;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Where a tensor lies in its file. Element (i, j, ...) is at byte {@code offset + (i * strides[0] + j * strides[1] +
 * ...) * type.bytes()}; the constructor's caller has checked with {@link #span} that all of them lie inside.
 */
record StoredTensor(TensorInfo info, ByteOrder order, long offset, long[] strides) {
    private static final int MOST_DIMENSIONS = 64; // PyTorch's own limit

    /** The row-major strides, in elements, of a shape that {@link #span} can check. */
    static long[] rowMajor(long[] shape) {
        long[] strides = new long[shape.length];
        long next = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = next;
            next *= Math.max(shape[i], 1); // an overflow makes span() refuse the shape
        }
        return strides;
    }

    /**
     * Elements from the first to just behind the last, 0 for an empty tensor; -1 for a shape or strides that make no
     * sense: negative, of different lengths, or with more elements than a buffer holds.
     */
    static long span(long[] shape, long[] strides) {
        if (shape.length != strides.length || shape.length > MOST_DIMENSIONS) {
            return -1;
        }
        long elements = 1;
        long last = 0;
        boolean empty = false;
        for (int i = 0; i < shape.length; i++) {
            if (shape[i] < 0 || shape[i] > Integer.MAX_VALUE || strides[i] < 0 || strides[i] > Integer.MAX_VALUE) {
                return -1;
            }
            empty |= shape[i] == 0;
            elements *= Math.max(shape[i], 1);
            last += (shape[i] - 1) * strides[i]; // both below 2^31, at most 64 times: checked per step
            if (elements > Integer.MAX_VALUE || last > Integer.MAX_VALUE) {
                return -1;
            }
        }
        return empty ? 0 : last + 1;
    }

    void read(ByteSource source, FloatBuffer target) {
        long[] shape = info.shape();
        long span = span(shape, strides);
        int elements = (int) info.elements();
        if (target.remaining() < elements) {
            throw new IllegalArgumentException("Tensor " + info.name() + " has " + elements
                    + " elements, but the target has room for " + target.remaining());
        }
        if (elements == 0) {
            return;
        }
        try (ByteSource.Window window = source.window(offset, span * info.type().bytes())) {
            ByteBuffer bytes = window.bytes.order(order);
            if (contiguous(shape)) {
                info.type().copy(bytes, elements, target);
            } else {
                gather(bytes, shape, 0, 0, target);
            }
        }
    }

    private boolean contiguous(long[] shape) {
        long[] expected = rowMajor(shape);
        for (int i = 0; i < shape.length; i++) {
            if (shape[i] != 1 && strides[i] != expected[i]) {
                return false;
            }
        }
        return true;
    }

    private void gather(ByteBuffer bytes, long[] shape, int dimension, long at, FloatBuffer target) {
        if (dimension == shape.length) {
            target.put(info.type().get(bytes, (int) at * info.type().bytes()));
            return;
        }
        for (long i = 0; i < shape[dimension]; i++) {
            gather(bytes, shape, dimension + 1, at + i * strides[dimension], target);
        }
    }
}
