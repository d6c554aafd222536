package org.jmatte.weights;

/**
 * A tensor's name, stored element type and shape (row-major, outermost first; a scalar has no dimensions).
 *
 * <p>Shapes are arrays: compare them with {@link java.util.Arrays#equals(long[], long[])}.
 */
public record TensorInfo(String name, ElementType type, long[] shape) {
    public TensorInfo {
        shape = shape.clone();
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    /**
     * The number of elements, the product of the shape.
     *
     * @throws ArithmeticException if it exceeds 2^63 - 1
     */
    public long elements() {
        long product = 1;
        for (long size : shape) {
            product = Math.multiplyExact(product, size);
        }
        return product;
    }
}
