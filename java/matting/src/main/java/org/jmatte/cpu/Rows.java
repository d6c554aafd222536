package org.jmatte.cpu;

import org.jmatte.cpu.Linear.Epilogue;

/** A {@link Linear} over blocks of rows: the primitive for full blocks, and the one for the last. */
final class Rows {
    private final Linear linear;
    private final int size;
    private final Product full;
    private final Product last;

    Rows(Linear linear, Blocks blocks, ElementType destination, Epilogue epilogue) {
        this(linear, blocks.size(), blocks.last(), destination, epilogue);
    }

    Rows(Linear linear, int size, int lastSize, ElementType destination, Epilogue epilogue) {
        this.linear = linear;
        this.size = size;
        this.full = linear.product(size, destination, epilogue);
        this.last = linear.product(lastSize, destination, epilogue);
    }

    /** Multiplies {@code rows} rows, which is the size of a full or of the last block. */
    void run(int rows, long source, long destination, long scratch) {
        (rows == size ? full : last).run(source, destination, scratch);
    }

    /** The same with another bias [outputs] than the layer's own. */
    void run(int rows, long source, long destination, long scratch, long bias) {
        (rows == size ? full : last).run(source, destination, scratch, bias);
    }

    long scratchBytes() {
        return Math.max(full.scratchBytes(), last.scratchBytes());
    }

    long flops(long rows) {
        return linear.flops(rows);
    }
}
