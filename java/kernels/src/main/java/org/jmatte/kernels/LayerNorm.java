package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.jmatte.kernels.Launch.ceilDiv;

/**
 * Layer norm of the rows of a matrix: {@code out = (x - mean) / sqrt(variance + eps) * weight + bias}, mean and variance
 * over the C elements of a row.
 *
 * <p>{@code x} and {@code out} are [N, C], of one type, or one fp32 and the other fp16 or bf16; {@code weight} and {@code
 * bias} are [C] fp32. Mean and variance are computed in fp32, the variance from centred values. Tensors start at
 * multiples of 16 bytes where C is a multiple of the elements in them. Kernels: {@code kernels/layer_norm.cu}.
 */
public final class LayerNorm {
    private static final String OPERATOR = "layer_norm";

    private static final int ROWS_PER_BLOCK = 8;
    /** So that the row of a thread in the last block is an int. */
    private static final int MOST_ROWS = Integer.MAX_VALUE - ROWS_PER_BLOCK;

    /** Per element: sum, difference, square, scale, weight and bias. */
    private static final int NORM_FLOPS = 7;

    private static final int GELU_FLOPS = 20;

    private LayerNorm() {}

    /** out = norm(x); out may be x. */
    public static void run(Device device, Tensor out, Tensor x, Tensor weight, Tensor bias, float eps, Stream stream) {
        new Call(out, null, x, null, null, weight, bias, null, null, eps, false).run(device, stream);
    }

    /** out = GELU(norm(x)); out may be x. */
    public static void gelu(Device device, Tensor out, Tensor x, Tensor weight, Tensor bias, float eps, Stream stream) {
        new Call(out, null, x, null, null, weight, bias, null, null, eps, true).run(device, stream);
    }

    /**
     * out[r] = norm(x[index[r]]) for r below count.
     *
     * @param out [R, C]
     * @param x [N, C]
     * @param index [R] i32, each from 0 to N - 1
     * @param count [1] i32, at most R: the number of rows, where only the device knows it; null for R
     */
    public static void gather(
            Device device,
            Tensor out,
            Tensor x,
            Tensor weight,
            Tensor bias,
            Tensor index,
            Tensor count,
            float eps,
            Stream stream) {
        Arguments.notNull(OPERATOR, "index", index);
        new Call(out, null, x, null, null, weight, bias, index, count, eps, false).run(device, stream);
    }

    /**
     * sum = x + y and out = norm(sum), of the sum as it is stored.
     *
     * @param sum [N, C], of x's type; may be x, which updates a residual stream in place
     * @param y [N, C], of out's type
     */
    public static void add(
            Device device,
            Tensor out,
            Tensor sum,
            Tensor x,
            Tensor y,
            Tensor weight,
            Tensor bias,
            float eps,
            Stream stream) {
        Arguments.notNull(OPERATOR, "sum", sum);
        Arguments.notNull(OPERATOR, "y", y);
        new Call(out, sum, x, y, null, weight, bias, null, null, eps, false).run(device, stream);
    }

    /**
     * out = norm(x) + residual.
     *
     * @param residual [N, C], of out's type; may be out
     */
    public static void residual(
            Device device,
            Tensor out,
            Tensor x,
            Tensor residual,
            Tensor weight,
            Tensor bias,
            float eps,
            Stream stream) {
        Arguments.notNull(OPERATOR, "residual", residual);
        new Call(out, null, x, null, residual, weight, bias, null, null, eps, false).run(device, stream);
    }

    /** The kernel's tensors in its order; null for what a use does not have. */
    record Call(
            Tensor out,
            Tensor sum,
            Tensor x,
            Tensor y,
            Tensor residual,
            Tensor weight,
            Tensor bias,
            Tensor index,
            Tensor count,
            float eps,
            boolean gelu) {

        void run(Device device, Stream stream) {
            check(device);
            device.launch(launch(), stream);
        }

        private void check(Device device) {
            Arguments.type(OPERATOR, "x", x, FP32, FP16, BF16);
            Arguments.shape(OPERATOR, "x", x, "[N, C]", Arguments.ANY, Arguments.ANY);
            Arguments.supported(OPERATOR, "x", x, device);
            long channels = x.size(1);
            Arguments.range(OPERATOR, "C", channels, 1, Integer.MAX_VALUE);
            if (x.type() == FP32) {
                Arguments.type(OPERATOR, "out", out, FP32, FP16, BF16);
            } else {
                Arguments.type(OPERATOR, "out", out, x.type(), FP32);
            }
            Arguments.supported(OPERATOR, "out", out, device);
            long rows = index == null ? x.size(0) : Arguments.ANY;
            Arguments.shape(OPERATOR, "out", out, index == null ? "[N, C]" : "[R, C]", rows, channels);
            rows = out.size(0);
            Arguments.range(OPERATOR, "rows", rows, 0, MOST_ROWS);
            if (index != null) {
                Arguments.tensor(OPERATOR, "index", index, I32, "[R]", rows);
                Arguments.distinct(OPERATOR, "out", out, "x", x);
            }
            sameOrApart("out", out, "x", x);
            if (count != null) {
                Arguments.tensor(OPERATOR, "count", count, I32, "[1]", 1);
            }
            if (y != null) {
                Arguments.tensor(OPERATOR, "sum", sum, x.type(), "[N, C]", rows, channels);
                Arguments.tensor(OPERATOR, "y", y, out.type(), "[N, C]", rows, channels);
                Arguments.distinct(OPERATOR, "sum", sum, "out", out);
                sameOrApart("sum", sum, "x", x);
            }
            if (residual != null) {
                Arguments.tensor(OPERATOR, "residual", residual, out.type(), "[N, C]", rows, channels);
                sameOrApart("residual", residual, "out", out);
            }
            Arguments.tensor(OPERATOR, "weight", weight, FP32, "[C]", channels);
            Arguments.tensor(OPERATOR, "bias", bias, FP32, "[C]", channels);
            // Rows of packs are read as such; others element by element.
            int pack = 16 / Math.max(x.type().bytes(), out.type().bytes());
            if (channels % pack == 0) {
                Arguments.packed(OPERATOR, "out", out, pack);
                Arguments.packed(OPERATOR, "sum", sum, pack);
                Arguments.packed(OPERATOR, "x", x, pack);
                Arguments.packed(OPERATOR, "y", y, pack);
                Arguments.packed(OPERATOR, "residual", residual, pack);
                Arguments.packed(OPERATOR, "weight", weight, 4);
                Arguments.packed(OPERATOR, "bias", bias, 4);
            }
        }

        /** In place is fine, another overlap is not. */
        private static void sameOrApart(String argument, Tensor tensor, String other, Tensor otherTensor) {
            if (tensor.pointer() != otherTensor.pointer() || tensor.type() != otherTensor.type()) {
                Arguments.distinct(OPERATOR, argument, tensor, other, otherTensor);
            }
        }

        Launch launch() {
            long rows = out.size(0);
            long channels = out.size(1);
            ParameterBlock parameters = ParameterBlock.create()
                    .pointer(out)
                    .pointer(sum)
                    .pointer(x)
                    .pointer(y)
                    .pointer(residual)
                    .pointer(weight)
                    .pointer(bias)
                    .pointer(index)
                    .pointer(count)
                    .integer32(rows)
                    .integer32(channels)
                    .float32(eps)
                    .integer32(gelu ? 1 : 0);
            int perElement = NORM_FLOPS + (gelu ? GELU_FLOPS : 0) + (y == null ? 0 : 1) + (residual == null ? 0 : 1);
            long bytes = out.bytes() + rows * channels * x.type().bytes() + weight.bytes() + bias.bytes();
            for (Tensor optional : new Tensor[] {sum, y, residual, index, count}) {
                bytes += optional == null ? 0 : optional.bytes();
            }
            return new Launch(
                    OPERATOR,
                    kernel(),
                    Math.toIntExact(ceilDiv(rows, ROWS_PER_BLOCK)),
                    1,
                    1,
                    parameters,
                    rows * channels * perElement,
                    bytes);
        }

        private String kernel() {
            String types = x.type() == out.type()
                    ? x.type().suffix()
                    : x.type().suffix() + "_" + out.type().suffix();
            return OPERATOR + "_" + types;
        }
    }
}
