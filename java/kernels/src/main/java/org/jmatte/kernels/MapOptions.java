package org.jmatte.kernels;

import static org.jmatte.kernels.Launch.ceilDiv;

import java.util.function.Consumer;

/**
 * What comes with a convolution of maps, from {@link #NONE} on: an activation, a norm, which part of the map is wanted.
 * Each method returns a copy with one thing more.
 */
public final class MapOptions {
    public static final MapOptions NONE = new MapOptions();

    /** Columns that a number in {@link #columns} stands for. */
    public static final int COLUMN_BLOCK = 32;

    private Activation activation = Activation.IDENTITY;
    private float slope;
    private Tensor normWeight;
    private Tensor normBias;
    private float eps;
    private int from;
    private int to = -1;
    private Tensor columns;
    private Tensor overflow;
    private int overflowBits;

    private MapOptions() {}

    private MapOptions(MapOptions o) {
        activation = o.activation;
        slope = o.slope;
        normWeight = o.normWeight;
        normBias = o.normBias;
        eps = o.eps;
        from = o.from;
        to = o.to;
        columns = o.columns;
        overflow = o.overflow;
        overflowBits = o.overflowBits;
    }

    private MapOptions with(Consumer<MapOptions> change) {
        MapOptions copy = new MapOptions(this);
        change.accept(copy);
        return copy;
    }

    /** act(v) = v Phi(v); only after a norm. */
    public MapOptions gelu() {
        return with(o -> o.activation = Activation.GELU);
    }

    /** act(v) = max(v, 0). */
    public MapOptions relu() {
        return leakyRelu(0);
    }

    /** act(v) = v where v is positive, else slope * v. */
    public MapOptions leakyRelu(float slope) {
        return with(o -> {
            o.activation = Activation.LEAKY_RELU;
            o.slope = slope;
        });
    }

    /**
     * Normalises each position over its channels before the activation.
     *
     * @param weight [Cout] fp32
     * @param bias [Cout] fp32
     */
    public MapOptions norm(Tensor weight, Tensor bias, float eps) {
        return with(o -> {
            o.normWeight = weight;
            o.normBias = bias;
            o.eps = eps;
        });
    }

    /** Only rows {@code from} to {@code to - 1} of the output. */
    public MapOptions rows(int from, int to) {
        return with(o -> {
            o.from = from;
            o.to = to;
        });
    }

    /**
     * Only some columns of the output: block i is columns 32 i to 32 i + 31.
     *
     * @param blocks [n] i32, numbers of blocks, none twice
     */
    public MapOptions columns(Tensor blocks) {
        return with(o -> o.columns = blocks);
    }

    /** Sets bits in a flag when an element of the output is not finite. @param flag [1] i32, set to 0 before */
    public MapOptions overflow(Tensor flag, int bits) {
        return with(o -> {
            o.overflow = flag;
            o.overflowBits = bits;
        });
    }

    Activation activation() {
        return activation;
    }

    float slope() {
        return slope;
    }

    Tensor normWeight() {
        return normWeight;
    }

    Tensor normBias() {
        return normBias;
    }

    float eps() {
        return eps;
    }

    Tensor columns() {
        return columns;
    }

    Tensor overflow() {
        return overflow;
    }

    int overflowBits() {
        return overflowBits;
    }

    int from() {
        return from;
    }

    /** The row after the last of an output of some height. */
    int to(int height) {
        return to < 0 ? height : to;
    }

    /** Rows wanted of an output of some height. */
    int count(int height) {
        return to(height) - from;
    }

    /** Blocks of columns wanted of an output of some width. */
    int columnBlocks(int width) {
        return columns == null ? ceilDiv(width, COLUMN_BLOCK) : Math.toIntExact(columns.size(0));
    }

    /** Columns wanted, at most. */
    long columnCount(int width) {
        return columns == null ? width : Math.min(width, columns.size(0) * COLUMN_BLOCK);
    }

    void check(String operator, int height) {
        Arguments.range(operator, "first row", from, 0, height);
        Arguments.range(operator, "row after the last", to(height), from, height);
        if (columns != null) {
            Arguments.tensor(operator, "columns", columns, ElementType.I32, "[n]", Arguments.ANY);
        }
        if (overflow != null) {
            Arguments.tensor(operator, "overflow", overflow, ElementType.I32, "[1]", 1);
        }
    }

    /** Of operators that have none of these. */
    void checkNoNorm(String operator) {
        Arguments.check(normWeight == null, operator, "norm", "none", "one");
        checkGelu(operator);
    }

    void checkGelu(String operator) {
        boolean alone = activation == Activation.GELU && normWeight == null;
        Arguments.check(!alone, operator, "activation", "GELU only after a norm", "GELU alone");
    }
}
