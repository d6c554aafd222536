package org.jmatte.kernels;

/** Parameter structs that several operators' kernels share. */
final class MapParameters {
    private MapParameters() {}

    /** {@code Convolution} of {@code kernels/convolution.cuh}. */
    static ParameterBlock convolution(FeatureMap out, FeatureMap in, Tensor weight, Tensor bias, MapOptions o) {
        return ParameterBlock.create()
                .pointer(out.rows())
                .pointer(in.rows())
                .pointer(weight)
                .pointer(bias)
                .pointer(o.normWeight())
                .pointer(o.normBias())
                .pointer(o.columns())
                .pointer(o.overflow())
                .sizes(in)
                .sizes(out)
                .wanted(o, out.height(), out.width())
                .integer32(in.channels())
                .integer32(out.channels())
                .activation(o.activation(), o.slope())
                .float32(o.eps())
                .integer32(o.overflowBits());
    }
}
