package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.jmatte.kernels.Launch.ceilDiv;

/**
 * The residual stream takes what attention and refinement have made of its tokens, {@code x[t] += selected ?
 * attention[t] : gate * refinement[t]}, and its next norm, {@code out = (x - mean) / sqrt(variance + eps) * weight +
 * bias}, is taken in the same pass.
 *
 * <p>{@code x} is [N, C] fp32, fp16 or bf16; {@code attention}, {@code refinement} and {@code out} are of its type, or
 * fp16 or bf16 where x is fp32. Sums and norm are computed in fp32, the norm of x as it is stored. Kernels: {@code
 * kernels/merge_tokens.cu}.
 */
public final class MergeTokens {
    /** Where the row of token t is. */
    public enum Rows {
        /** At t. */
        IN_PLACE,
        /** At the token's rank: rows lie in the order of the tokens that have one. */
        COMPACT
    }

    private static final String OPERATOR = "merge_tokens";

    private static final int ROWS_PER_BLOCK = 8;
    /** So that the row of a thread in the last block is an int. */
    private static final int MOST_ROWS = Integer.MAX_VALUE - ROWS_PER_BLOCK;
    /** Per element: product and sum; sum, difference, square, scale, weight and bias of the norm. */
    private static final int MERGE_FLOPS = 2;

    private static final int NORM_FLOPS = 7;

    private MergeTokens() {}

    /**
     * Merges and normalises.
     *
     * @param x [N, C], in place
     * @param out [N, C]
     * @param attention [N, C], or [M, C] with {@link Rows#COMPACT}
     * @param refinement [N, C], or [N - M, C] with {@link Rows#COMPACT}
     * @param gate [C] fp32
     * @param inverse [N] i32: a token's rank among the selected ones, or the complement of its rank among the others,
     *     as {@link TokenRouting#select} writes it
     * @param weight [C] fp32
     * @param bias [C] fp32
     */
    public static void run(
            Device device,
            Tensor x,
            Tensor out,
            Tensor attention,
            Rows attentionRows,
            Tensor refinement,
            Rows refinementRows,
            Tensor gate,
            Tensor inverse,
            Tensor weight,
            Tensor bias,
            float eps,
            Stream stream) {
        Arguments.notNull(OPERATOR, "out", out);
        new Call(x, out, attention, attentionRows, refinement, refinementRows, gate, inverse, weight, bias, eps)
                .run(device, stream);
    }

    /** Merges alone; arguments as for {@link #run}. */
    public static void merge(
            Device device,
            Tensor x,
            Tensor attention,
            Rows attentionRows,
            Tensor refinement,
            Rows refinementRows,
            Tensor gate,
            Tensor inverse,
            Stream stream) {
        new Call(x, null, attention, attentionRows, refinement, refinementRows, gate, inverse, null, null, 0)
                .run(device, stream);
    }

    /** The kernel's tensors; out, weight and bias are null where there is no norm. */
    record Call(
            Tensor x,
            Tensor out,
            Tensor attention,
            Rows attentionRows,
            Tensor refinement,
            Rows refinementRows,
            Tensor gate,
            Tensor inverse,
            Tensor weight,
            Tensor bias,
            float eps) {

        void run(Device device, Stream stream) {
            check(device);
            device.launch(launch(), stream);
        }

        private void check(Device device) {
            Arguments.type(OPERATOR, "x", x, FP32, FP16, BF16);
            Arguments.supported(OPERATOR, "x", x, device);
            Arguments.shape(OPERATOR, "x", x, "[N, C]", Arguments.ANY, Arguments.ANY);
            long rows = x.size(0);
            long channels = x.size(1);
            Arguments.range(OPERATOR, "N", rows, 0, MOST_ROWS);
            Arguments.range(OPERATOR, "C", channels, 1, Integer.MAX_VALUE);
            if (x.type() == FP32) {
                Arguments.type(OPERATOR, "attention", attention, FP32, FP16, BF16);
            } else {
                Arguments.type(OPERATOR, "attention", attention, x.type());
            }
            Arguments.supported(OPERATOR, "attention", attention, device);
            Arguments.notNull(OPERATOR, "attentionRows", attentionRows);
            Arguments.notNull(OPERATOR, "refinementRows", refinementRows);
            source("attention", attention, attentionRows, "[M, C]");
            source("refinement", refinement, refinementRows, "[N - M, C]");
            Arguments.tensor(OPERATOR, "gate", gate, FP32, "[C]", channels);
            Arguments.tensor(OPERATOR, "inverse", inverse, I32, "[N]", rows);
            if (out != null) {
                Arguments.tensor(OPERATOR, "out", out, attention.type(), "[N, C]", rows, channels);
                Arguments.distinct(OPERATOR, "out", out, "x", x);
                apartFromSource("attention", attention, attentionRows);
                apartFromSource("refinement", refinement, refinementRows);
                Arguments.tensor(OPERATOR, "weight", weight, FP32, "[C]", channels);
                Arguments.tensor(OPERATOR, "bias", bias, FP32, "[C]", channels);
            }
            int pack = 16 / x.type().bytes();
            if (channels % pack == 0) {
                Arguments.packed(OPERATOR, "x", x, pack);
                Arguments.packed(OPERATOR, "out", out, pack);
                Arguments.packed(OPERATOR, "attention", attention, pack);
                Arguments.packed(OPERATOR, "refinement", refinement, pack);
                Arguments.packed(OPERATOR, "gate", gate, 4);
                Arguments.packed(OPERATOR, "weight", weight, 4);
                Arguments.packed(OPERATOR, "bias", bias, 4);
            }
        }

        private void source(String argument, Tensor tensor, Rows rows, String compact) {
            boolean inPlace = rows == Rows.IN_PLACE;
            Arguments.tensor(
                    OPERATOR,
                    argument,
                    tensor,
                    attention.type(),
                    inPlace ? "[N, C]" : compact,
                    inPlace ? x.size(0) : Arguments.ANY,
                    x.size(1));
            Arguments.distinct(OPERATOR, "x", x, argument, tensor);
        }

        /** A row may be overwritten by the result of its own token alone. */
        private void apartFromSource(String argument, Tensor tensor, Rows rows) {
            if (rows == Rows.COMPACT || out.pointer() != tensor.pointer()) {
                Arguments.distinct(OPERATOR, "out", out, argument, tensor);
            }
        }

        Launch launch() {
            long rows = x.size(0);
            long channels = x.size(1);
            ParameterBlock parameters = ParameterBlock.create()
                    .pointer(x)
                    .pointer(out)
                    .pointer(attention)
                    .pointer(refinement)
                    .pointer(gate)
                    .pointer(inverse)
                    .pointer(weight)
                    .pointer(bias)
                    .integer32(rows)
                    .integer32(channels)
                    .integer32(attentionRows == Rows.COMPACT ? 1 : 0)
                    .integer32(refinementRows == Rows.COMPACT ? 1 : 0)
                    .float32(eps);
            long bytes = 2 * x.bytes()
                    + rows * channels * attention.type().bytes()
                    + gate.bytes()
                    + inverse.bytes()
                    + (out == null ? 0 : out.bytes() + weight.bytes() + bias.bytes());
            String types = x.type() == attention.type() ? x.type().suffix() : x.type() + "_" + attention.type();
            return new Launch(
                    OPERATOR,
                    OPERATOR + "_" + types,
                    Math.toIntExact(ceilDiv(rows, ROWS_PER_BLOCK)),
                    1,
                    1,
                    parameters,
                    rows * channels * (MERGE_FLOPS + (out == null ? 0 : NORM_FLOPS)),
                    bytes);
        }
    }
}
