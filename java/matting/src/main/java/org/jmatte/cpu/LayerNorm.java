package org.jmatte.cpu;

import org.jmatte.bindings.cpu.CpuKernels;

/** Layer normalisation over the channels of a row: (v - mean) / sqrt(variance + eps) * weight + bias. */
final class LayerNorm {
    /** Of the encoder. */
    static final float ENCODER_EPS = 1e-6f;
    /** Of the routers. */
    static final float ROUTER_EPS = 1e-5f;

    private final long weight;
    private final long bias;
    private final int channels;
    private final float eps;

    LayerNorm(CpuWeights weights, String name, float eps) {
        this.channels = (int) weights.shape(name + ".weight")[0];
        this.weight = weights.vector(name + ".weight");
        this.bias = weights.vector(name + ".bias");
        this.eps = eps;
    }

    /** out [rows, channels] = norm of consecutive rows of x (fp32). */
    void run(long x, long rows, long out, ElementType type) {
        gather(x, 0, rows, out, type);
    }

    /** out [rows, channels] = norm of the rows of x (fp32) that an index array (ints; 0: all in order) names. */
    void gather(long x, long index, long rows, long out, ElementType type) {
        CpuKernels.layer_norm(x, index, rows, channels, weight, bias, eps, 0, out, type.code());
    }

    /** out [rows, channels] = GELU(norm(x)) of consecutive rows. */
    void runGelu(long x, long rows, long out, ElementType type) {
        CpuKernels.layer_norm(x, 0, rows, channels, weight, bias, eps, 1, out, type.code());
    }
}
