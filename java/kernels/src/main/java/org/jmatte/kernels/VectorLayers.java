package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.Launch.ceilDiv;

/**
 * Small layers of one vector, {@code out = act(weight cat(a, b) + bias)}, and per-channel factors of a map, {@code out =
 * in * scale}: PAM's path selection.
 *
 * <p>Vectors and weights are fp32, maps fp32, fp16 or bf16. Kernels: {@code kernels/vector_layers.cu}.
 */
public final class VectorLayers {
    private static final String OPERATOR = "vector_layers";

    private static final int THREADS = 256;
    private static final int OUTPUTS_OF_BLOCK = 8;
    private static final int PACK_BYTES = 16;

    private VectorLayers() {}

    /** What follows a sum; in the order of the kernel. */
    public enum Activation {
        IDENTITY,
        /** v where v is positive, else slope * v. */
        LEAKY_RELU,
        /** 1 / (1 + exp(-v)) */
        SIGMOID
    }

    /**
     * out = act(weight cat(a, b) + bias).
     *
     * @param out [N]
     * @param a [A]
     * @param b [B], or null
     * @param weight [N, A + B]
     * @param bias [N], or null
     * @param slope of the leaky ReLU
     */
    public static void dense(
            Device device,
            Tensor out,
            Tensor a,
            Tensor b,
            Tensor weight,
            Tensor bias,
            Activation activation,
            float slope,
            Stream stream) {
        DenseCall call = new DenseCall(out, a, b, weight, bias, activation, slope);
        call.check();
        device.launch(call.launch(), stream);
    }

    /**
     * out = in * scale.
     *
     * @param out [H, W, C], may be in
     * @param in [H, W, C]; both wholly in memory
     * @param scale [C]
     */
    public static void scale(Device device, FeatureMap out, FeatureMap in, Tensor scale, Stream stream) {
        ScaleCall call = new ScaleCall(out, in, scale);
        call.check(device);
        device.launch(call.launch(), stream);
    }

    record DenseCall(Tensor out, Tensor a, Tensor b, Tensor weight, Tensor bias, Activation activation, float slope) {
        void check() {
            Arguments.tensor(OPERATOR, "out", out, FP32, "[N]", Arguments.ANY);
            Arguments.tensor(OPERATOR, "a", a, FP32, "[A]", Arguments.ANY);
            if (b != null) {
                Arguments.tensor(OPERATOR, "b", b, FP32, "[B]", Arguments.ANY);
            }
            Arguments.range(OPERATOR, "N", out.size(0), 0, Integer.MAX_VALUE / 2);
            Arguments.range(OPERATOR, "A + B", inputs(), 0, Integer.MAX_VALUE / 2);
            Arguments.tensor(OPERATOR, "weight", weight, FP32, "[N, A + B]", out.size(0), inputs());
            if (bias != null) {
                Arguments.tensor(OPERATOR, "bias", bias, FP32, "[N]", out.size(0));
            }
            Arguments.notNull(OPERATOR, "activation", activation);
            Arguments.distinct(OPERATOR, "out", out, "a", a);
            Arguments.distinct(OPERATOR, "out", out, "weight", weight);
            if (b != null) {
                Arguments.distinct(OPERATOR, "out", out, "b", b);
            }
        }

        private long inputs() {
            return a.size(0) + (b == null ? 0 : b.size(0));
        }

        Launch launch() {
            ParameterBlock parameters = ParameterBlock.create()
                    .pointer(out)
                    .pointer(a)
                    .pointer(b)
                    .pointer(weight)
                    .pointer(bias)
                    .integer32(a.size(0))
                    .integer32(b == null ? 0 : b.size(0))
                    .integer32(out.size(0))
                    .integer32(activation.ordinal())
                    .float32(slope);
            long bytes = out.bytes() + inputs() * FP32.bytes() + weight.bytes() + (bias == null ? 0 : bias.bytes());
            return new Launch(
                    OPERATOR,
                    OPERATOR + "_dense_fp32",
                    (int) (ceilDiv(out.size(0), OUTPUTS_OF_BLOCK)),
                    1,
                    1,
                    parameters,
                    2 * weight.elements(),
                    bytes);
        }
    }

    record ScaleCall(FeatureMap out, FeatureMap in, Tensor scale) {
        void check(Device device) {
            Arguments.notNull(OPERATOR, "out", out);
            Arguments.notNull(OPERATOR, "in", in);
            Arguments.supported(OPERATOR, "in", in.rows(), device);
            out.expect(OPERATOR, "out", in.type(), in.height(), in.width(), in.channels());
            in.expectRows(OPERATOR, "in", 0, in.height());
            out.expectRows(OPERATOR, "out", 0, out.height());
            Arguments.tensor(OPERATOR, "scale", scale, FP32, "[C]", in.channels());
            if (out.rows().pointer() != in.rows().pointer() || out.pitch() != in.pitch()) {
                out.expectApart(OPERATOR, "out", "in", in);
            }
            out.expectApart(OPERATOR, "out", "scale", scale);
        }

        Launch launch() {
            long positions = (long) in.height() * in.width();
            int elements = PACK_BYTES / in.type().bytes();
            long packs = ceilDiv(in.channels(), elements);
            ParameterBlock parameters = ParameterBlock.create()
                    .pointer(out.rows())
                    .pointer(in.rows())
                    .pointer(scale)
                    .integer64(positions)
                    .integer32(in.channels())
                    .integer32(out.pitch())
                    .integer32(in.pitch());
            long values = positions * in.channels();
            return new Launch(
                    OPERATOR,
                    OPERATOR + "_scale_" + in.type().suffix(),
                    Math.toIntExact(ceilDiv(positions * packs, THREADS)),
                    1,
                    1,
                    parameters,
                    values,
                    2 * values * in.type().bytes() + scale.bytes());
        }
    }
}
