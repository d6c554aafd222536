package org.jmatte.kernels;

/** What an epilogue makes of a sum, in the kernels' order. */
enum Activation {
    IDENTITY,
    /** v Phi(v) */
    GELU,
    /** v where v is positive, else slope * v */
    LEAKY_RELU
}
