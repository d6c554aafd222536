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
                .integer32(in.height())
                .integer32(in.width())
                .integer32(in.ring())
                .integer32(in.pitch())
                .integer32(out.height())
                .integer32(out.width())
                .integer32(out.ring())
                .integer32(out.pitch())
                .integer32(o.from())
                .integer32(o.to(out.height()))
                .integer32(o.columnBlocks(out.width()))
                .integer32(in.channels())
                .integer32(out.channels())
                .integer32(o.activation().ordinal())
                .float32(o.slope())
                .float32(o.eps())
                .integer32(o.overflowBits());
    }
}
