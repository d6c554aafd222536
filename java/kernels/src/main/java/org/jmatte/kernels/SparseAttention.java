package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.jmatte.kernels.Launch.ceilDiv;

/**
 * Attention of all tokens of a list with one another: {@code out[i] = sum_j softmax_j(q[i] . k[j] / 8 + bias[i, j])
 * v[j]}, head by head, of 64 channels each. The bias is none, or the decomposed relative position {@code q[i] .
 * relH[y(i) - y(j) + h - 1] + q[i] . relW[x(i) - x(j) + w - 1]} of tokens on a grid of h x w, with the unscaled q.
 *
 * <p>{@code qkv} is [M, 3, heads, 64] fp32, fp16 or bf16, q, k and v of a token as one product writes them; {@code out}
 * is [M, heads * 64] of its type. Scores are never stored: no scratch memory is needed. Softmax and sums are fp32. All
 * tensors start at multiples of 16 bytes. Kernels: {@code kernels/sparse_attention.cu}.
 */
public final class SparseAttention {
    private static final String OPERATOR = "sparse_attention";

    static final int DEPTH = 64;
    private static final int MOST_HEADS = 65535;
    /** So that the index of a query in the last block is an int. */
    private static final int MOST_TOKENS = Integer.MAX_VALUE - 128;

    private static final int MOST_SIDE = 65535;
    /** Fewer tokens than these take blocks of 64 queries: of 128, there would be too few for the multiprocessors. */
    private static final int FEW_TOKENS = 4096;

    private SparseAttention() {}

    /**
     * Attention without bias.
     *
     * @param out [M, heads * 64]; rows from the count on are left alone
     * @param qkv [M, 3, heads, 64]; rows from the count on are not read
     * @param count [1] i32: the number of tokens, where only the device knows it; null for M
     */
    public static void run(Device device, Tensor out, Tensor qkv, Tensor count, Stream stream) {
        Call call = new Call(out, qkv, count, null, null, 0, 0);
        call.check(device);
        device.launch(call.launch(call.queries()), stream);
    }

    /**
     * Attention with relative position.
     *
     * @param out [h * w, heads * 64]
     * @param qkv [h * w, 3, heads, 64]: tokens row by row
     * @param relH [2 h - 1, 64] of qkv's type, for differences from 1 - h to h - 1: resized to the grid
     * @param relW [2 w - 1, 64]
     * @param gridHeight h, from 1 to 65535
     * @param gridWidth w, likewise
     */
    public static void relative(
            Device device,
            Tensor out,
            Tensor qkv,
            Tensor relH,
            Tensor relW,
            int gridHeight,
            int gridWidth,
            Stream stream) {
        Arguments.notNull(OPERATOR, "relH", relH);
        Arguments.notNull(OPERATOR, "relW", relW);
        Call call = new Call(out, qkv, null, relH, relW, gridHeight, gridWidth);
        call.check(device);
        device.launch(call.launch(call.queries()), stream);
    }

    /** The kernels' arguments; relH and relW are null where there is no bias. */
    record Call(Tensor out, Tensor qkv, Tensor count, Tensor relH, Tensor relW, int gridHeight, int gridWidth) {

        void check(Device device) {
            Arguments.type(OPERATOR, "qkv", qkv, FP32, FP16, BF16);
            Arguments.supported(OPERATOR, "qkv", qkv, device);
            Arguments.shape(OPERATOR, "qkv", qkv, "[M, 3, heads, 64]", Arguments.ANY, 3, Arguments.ANY, DEPTH);
            Arguments.range(OPERATOR, "heads", heads(), 1, MOST_HEADS);
            if (relH == null) {
                Arguments.range(OPERATOR, "M", tokens(), 0, MOST_TOKENS);
            } else {
                Arguments.range(OPERATOR, "gridHeight", gridHeight, 1, MOST_SIDE);
                // The kernel's step of six rows of the grid is an int.
                Arguments.range(
                        OPERATOR,
                        "gridWidth",
                        gridWidth,
                        1,
                        Math.min(MOST_SIDE, Integer.MAX_VALUE / (6 * 3 * DEPTH * heads())));
                Arguments.check(
                        tokens() == (long) gridHeight * gridWidth,
                        OPERATOR,
                        "qkv",
                        "the tokens of a grid of " + gridHeight + " x " + gridWidth,
                        qkv);
                Arguments.tensor(OPERATOR, "relH", relH, qkv.type(), "[2 h - 1, 64]", 2L * gridHeight - 1, DEPTH);
                Arguments.tensor(OPERATOR, "relW", relW, qkv.type(), "[2 w - 1, 64]", 2L * gridWidth - 1, DEPTH);
                Arguments.aligned(OPERATOR, "relH", relH, 16);
                Arguments.aligned(OPERATOR, "relW", relW, 16);
            }
            Arguments.tensor(OPERATOR, "out", out, qkv.type(), "[M, heads * 64]", tokens(), heads() * DEPTH);
            Arguments.aligned(OPERATOR, "out", out, 16);
            Arguments.aligned(OPERATOR, "qkv", qkv, 16);
            Arguments.distinct(OPERATOR, "out", out, "qkv", qkv);
            if (count != null) {
                Arguments.tensor(OPERATOR, "count", count, I32, "[1]", 1);
                Arguments.distinct(OPERATOR, "out", out, "count", count);
            }
        }

        private long tokens() {
            return qkv.size(0);
        }

        private long heads() {
            return qkv.size(2);
        }

        /** How many queries a block takes best: 64 or 128. */
        int queries() {
            return qkv.type() == FP32 || tokens() < FEW_TOKENS ? 64 : 128;
        }

        /** Bytes and operations are those of M tokens, whatever the count. */
        Launch launch(int queries) {
            ParameterBlock parameters = ParameterBlock.create().pointer(out).pointer(qkv);
            long blocks;
            long biasFlops = 0;
            long bytes = out.bytes() + qkv.bytes();
            String kernel = OPERATOR;
            if (relH == null) {
                parameters.pointer(count).integer32(tokens());
                blocks = ceilDiv(tokens(), queries);
                bytes += count == null ? 0 : count.bytes();
            } else {
                parameters.pointer(relH).pointer(relW).integer32(gridHeight).integer32(gridWidth);
                int width = 16;
                blocks = ceilDiv(gridWidth, width) * ceilDiv(gridHeight, queries / width);
                biasFlops = 2L * DEPTH * (gridHeight + gridWidth);
                bytes += relH.bytes() + relW.bytes();
                kernel += "_relative";
            }
            parameters.integer32(heads());
            kernel += qkv.type() == FP32
                    ? "_fp32"
                    : "_" + queries + "_" + qkv.type().suffix();
            return new Launch(
                    OPERATOR,
                    kernel,
                    Math.toIntExact(blocks),
                    Math.toIntExact(heads()),
                    1,
                    parameters,
                    heads() * tokens() * (4 * DEPTH * tokens() + biasFlops),
                    bytes);
        }
    }
}
