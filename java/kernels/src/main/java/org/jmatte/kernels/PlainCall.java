package org.jmatte.kernels;

/** What a launch computes apart from its epilogue: something that vendors' libraries have as well. */
public sealed interface PlainCall {
    /** Whether this is all that the launch computes. */
    boolean whole();

    /**
     * d = a w', or d += a w'; row-major, neither gathered nor scattered.
     *
     * @param d [M, N]
     * @param a [M, K]
     * @param w [N, K]
     * @param accumulates whether it is added to d
     */
    record Product(Tensor d, Tensor a, Tensor w, boolean accumulates, boolean whole) implements PlainCall {}

    /**
     * out = 3x3 convolution of in with zero padding 1, all rows of both in memory.
     *
     * @param weight [Cout, 9, Cin]
     * @param stride 1 or 2
     */
    record Convolution(FeatureMap out, FeatureMap in, Tensor weight, int stride, boolean whole) implements PlainCall {}
}
