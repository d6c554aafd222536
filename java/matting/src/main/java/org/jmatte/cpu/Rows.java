package org.jmatte.cpu;

import java.util.HashMap;
import java.util.Map;
import org.jmatte.cpu.Linear.Epilogue;

/**
 * A {@link Linear} over blocks of rows of a few sizes. A primitive takes half a megabyte and photos come in many sizes, so
 * there are primitives for few numbers of rows, and other numbers are put together from them or rounded up.
 */
final class Rows {
    /** Whole steps of oneDNN's matrix kernels. */
    private static final int STEP = 16;

    private record Piece(Product product, int first) {}

    private final Linear linear;
    private final ElementType destination;
    private final Map<Integer, Piece[]> pieces = new HashMap<>();

    private Rows(Linear linear, ElementType destination) {
        this.linear = linear;
        this.destination = destination;
    }

    /** For destinations that hold just the block: what exceeds a multiple of 16 rows is done by 8, 4, 2 and 1. */
    static Rows exact(Linear linear, ElementType destination, Epilogue epilogue, int... sizes) {
        Rows rows = new Rows(linear, destination);
        for (int size : sizes) {
            Piece[] parts = new Piece[Integer.bitCount(size % STEP) + (size >= STEP ? 1 : 0)];
            int first = 0;
            for (int i = 0; i < parts.length; i++) {
                int part = size - first >= STEP ? (size - first) / STEP * STEP : Integer.highestOneBit(size - first);
                parts[i] = new Piece(linear.product(part, destination, epilogue), first);
                first += part;
            }
            rows.pieces.put(size, parts);
        }
        return rows;
    }

    /** For sources and destinations with room for {@link #padded(int)} rows: the rows too many mean nothing. */
    static Rows padded(Linear linear, ElementType destination, Epilogue epilogue, int... sizes) {
        return padded(STEP, linear, destination, epilogue, sizes);
    }

    /** The same, rounded up to another multiple. */
    static Rows padded(int multiple, Linear linear, ElementType destination, Epilogue epilogue, int... sizes) {
        Rows rows = new Rows(linear, destination);
        for (int size : sizes) {
            Product product = linear.product(padded(size, multiple), destination, epilogue);
            rows.pieces.put(size, new Piece[] {new Piece(product, 0)});
        }
        return rows;
    }

    /** Rows that a block of so many takes where it is rounded up. */
    static int padded(int rows) {
        return padded(rows, STEP);
    }

    static int padded(int rows, int multiple) {
        return (rows + multiple - 1) / multiple * multiple;
    }

    /** Multiplies {@code rows} rows, one of the sizes. */
    void run(int rows, long source, long target, long scratch) {
        run(rows, source, target, scratch, linear.biasAddress());
    }

    /** The same with another bias [outputs] than the layer's own. */
    void run(int rows, long source, long target, long scratch, long bias) {
        for (Piece piece : pieces.get(rows)) {
            piece.product.run(
                    source + linear.operands().bytes((long) piece.first * linear.inputs()),
                    target + destination.bytes((long) piece.first * linear.outputs()),
                    scratch,
                    bias);
        }
    }

    long scratchBytes() {
        long most = 0;
        for (Piece[] parts : pieces.values()) {
            for (Piece part : parts) {
                most = Math.max(most, part.product.scratchBytes());
            }
        }
        return most;
    }

    long flops(long rows) {
        return linear.flops(rows);
    }
}
