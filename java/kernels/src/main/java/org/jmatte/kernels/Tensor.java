package org.jmatte.kernels;

import java.util.Arrays;

/**
 * A dense row-major tensor in device memory: address, element type and shape. It owns nothing, so memory that someone
 * else allocated is as good as a {@link DeviceBuffer}'s; whoever owns the memory keeps it alive until the work on it is
 * done.
 */
public final class Tensor {
    private final long pointer;
    private final ElementType type;
    private final long[] shape;
    private final long elements;

    private Tensor(long pointer, ElementType type, long[] shape, long elements) {
        this.pointer = pointer;
        this.type = type;
        this.shape = shape;
        this.elements = elements;
    }

    /**
     * Names device memory as a tensor.
     *
     * @param pointer the device address (a {@code CUdeviceptr}), a multiple of the element's size; 0 only without elements
     * @param shape the sizes, outermost first; 0 is a size like any other
     * @throws InvalidArgumentException if one of these is not met
     */
    public static Tensor wrap(long pointer, ElementType type, long... shape) {
        if (type == null) {
            throw new InvalidArgumentException("tensor: type: expected an element type, got null");
        }
        if (shape == null) {
            throw new InvalidArgumentException("tensor: shape: expected sizes, got null");
        }
        long[] sizes = shape.clone();
        long elements = count(sizes, type);
        if (pointer == 0 && elements > 0) {
            throw new InvalidArgumentException(
                    "tensor: pointer: expected a device address for " + describe(sizes, type) + ", got 0");
        }
        if (pointer % type.bytes() != 0) {
            throw new InvalidArgumentException("tensor: pointer: expected a multiple of " + type.bytes() + " for "
                    + type + ", got 0x" + Long.toHexString(pointer));
        }
        return new Tensor(pointer, type, sizes, elements);
    }

    private static long count(long[] shape, ElementType type) {
        long elements = 1;
        try {
            for (long size : shape) {
                if (size < 0) {
                    throw new InvalidArgumentException(
                            "tensor: shape: expected sizes from 0, got " + Arrays.toString(shape));
                }
                elements = Math.multiplyExact(elements, size);
            }
            Math.multiplyExact(elements, type.bytes());
            return elements;
        } catch (ArithmeticException e) {
            throw new InvalidArgumentException(
                    "tensor: shape: expected at most 2^63 - 1 bytes, got " + describe(shape, type), e);
        }
    }

    public long pointer() {
        return pointer;
    }

    public ElementType type() {
        return type;
    }

    public long[] shape() {
        return shape.clone();
    }

    public int axes() {
        return shape.length;
    }

    /** The size of an axis, counted from the outermost; negative ones from the innermost: -1 is the last. */
    public long size(int axis) {
        return shape[axis < 0 ? shape.length + axis : axis];
    }

    public long elements() {
        return elements;
    }

    public long bytes() {
        return elements * type.bytes();
    }

    /** The same elements with another shape. */
    public Tensor reshape(long... sizes) {
        if (count(sizes, type) != elements) {
            throw new InvalidArgumentException(
                    "tensor: shape: expected the elements of " + this + ", got " + describe(sizes, type));
        }
        return new Tensor(pointer, type, sizes.clone(), elements);
    }

    /** Entries {@code first} to {@code first + count - 1} of the outermost axis. */
    public Tensor rows(long first, long count) {
        if (shape.length == 0 || first < 0 || count < 0 || first > shape[0] - count) {
            throw new InvalidArgumentException(
                    "tensor: rows: expected a range within " + this + ", got " + count + " from " + first);
        }
        long[] sizes = shape.clone();
        sizes[0] = count;
        long row = shape[0] == 0 ? 0 : elements / shape[0];
        return new Tensor(pointer + first * row * type.bytes(), type, sizes, count * row);
    }

    /** For messages: {@code [989, 384] fp16}. */
    @Override
    public String toString() {
        return describe(shape, type);
    }

    private static String describe(long[] shape, ElementType type) {
        return Arrays.toString(shape) + " " + type;
    }
}
