package org.jmatte.kernels;

/**
 * What comes with a convolution of maps, from {@link #NONE} on: an activation, a norm, which part of the map is wanted.
 * Each method returns a copy with one thing more.
 */
public final class MapOptions {
    public static final MapOptions NONE = new MapOptions();

    /** Columns that a number in {@link #columns} stands for. */
    public static final int COLUMN_BLOCK = 32;

    /** In the order of the kernels. */
    enum Activation {
        IDENTITY,
        GELU,
        LEAKY_RELU
    }

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

    /** act(v) = v Phi(v); only after a norm. */
    public MapOptions gelu() {
        return activation(Activation.GELU, 0);
    }

    /** act(v) = max(v, 0). */
    public MapOptions relu() {
        return activation(Activation.LEAKY_RELU, 0);
    }

    /** act(v) = v where v is positive, else slope * v. */
    public MapOptions leakyRelu(float slope) {
        return activation(Activation.LEAKY_RELU, slope);
    }

    private MapOptions activation(Activation function, float withSlope) {
        MapOptions copy = new MapOptions(this);
        copy.activation = function;
        copy.slope = withSlope;
        return copy;
    }

    /**
     * Normalises each position over its channels before the activation.
     *
     * @param weight [Cout] fp32
     * @param bias [Cout] fp32
     */
    public MapOptions norm(Tensor weight, Tensor bias, float eps) {
        MapOptions copy = new MapOptions(this);
        copy.normWeight = weight;
        copy.normBias = bias;
        copy.eps = eps;
        return copy;
    }

    /** Only rows {@code from} to {@code to - 1} of the output. */
    public MapOptions rows(int from, int to) {
        MapOptions copy = new MapOptions(this);
        copy.from = from;
        copy.to = to;
        return copy;
    }

    /**
     * Only some columns of the output: block i is columns 32 i to 32 i + 31.
     *
     * @param blocks [n] i32, numbers of blocks, none twice
     */
    public MapOptions columns(Tensor blocks) {
        MapOptions copy = new MapOptions(this);
        copy.columns = blocks;
        return copy;
    }

    /** Sets bits in a flag when an element of the output is not finite. @param flag [1] i32, set to 0 before */
    public MapOptions overflow(Tensor flag, int bits) {
        MapOptions copy = new MapOptions(this);
        copy.overflow = flag;
        copy.overflowBits = bits;
        return copy;
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
        return columns == null ? (width + COLUMN_BLOCK - 1) / COLUMN_BLOCK : Math.toIntExact(columns.size(0));
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
