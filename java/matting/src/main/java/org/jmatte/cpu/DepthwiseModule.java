package org.jmatte.cpu;

import org.jmatte.bindings.cpu.CpuKernels;

/** The layers of y = x + project(act(expand(norm(depthwise(x))))): a large-kernel and two pointwise convolutions. */
final class DepthwiseModule {
    /** [49, C] */
    private final long depthwise;

    private final long bias;
    private final long normWeight;
    private final long normBias;
    private final int channels;
    private final Linear expand;
    private final Linear project;

    DepthwiseModule(CpuWeights weights, String name) {
        depthwise = weights.filters(name + ".depthwise");
        bias = weights.vector(name + ".depthwise.bias");
        normWeight = weights.vector(name + ".norm.weight");
        normBias = weights.vector(name + ".norm.bias");
        expand = weights.linear(name + ".expand");
        project = weights.linear(name + ".project");
        channels = expand.inputs();
    }

    Linear expand() {
        return expand;
    }

    Linear project() {
        return project;
    }

    /** Address of the depthwise filters, [49, C]. */
    long filters() {
        return depthwise;
    }

    /** out [columns, C] = norm(depthwise(map)) from (y, first) on, by the given filters. */
    void depthwise(FeatureMap map, long filters, int y, int first, int columns, long out) {
        CpuKernels.depthwise7x7_norm(
                map.address(),
                map.type().code(),
                map.height(),
                map.width(),
                channels,
                filters,
                bias,
                normWeight,
                normBias,
                LayerNorm.ENCODER_EPS,
                y,
                first,
                columns,
                out);
    }
}
