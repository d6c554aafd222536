package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.Launch.ceilDiv;

/**
 * Attention inside windows of 14 x 14 tokens, with decomposed relative position: {@code out[i] = sum_j softmax_j(q[i] .
 * k[j] / 8 + q[i] . relH[y(i) - y(j) + 13] + q[i] . relW[x(i) - x(j) + 13]) v[j]} over the 196 positions of the token's
 * window, head by head, of 64 channels each. Positions outside the grid take part with k and v equal to the bias: what
 * the product that makes qkv gives for a row of zeros.
 *
 * <p>{@code qkv} is [h * w, 3, heads, 64] fp32, fp16 or bf16, tokens row by row, q unscaled; {@code out} is [h * w, heads
 * * 64] of its type, in the same order: windows are cut by the kernel. A band of the grid that starts at a multiple of 14
 * rows and ends at one, or with the grid, is computed like a grid of its own, with the same result. All tensors start at
 * multiples of 16 bytes. Kernels: {@code kernels/window_attention.cu}.
 */
public final class WindowAttention {
    /** Rows and columns of a window. */
    public static final int WINDOW = 14;

    private static final String OPERATOR = "window_attention";

    private static final int DEPTH = SparseAttention.DEPTH;
    private static final int OFFSETS = 2 * WINDOW - 1;
    private static final int KEYS = WINDOW * WINDOW;
    /** Blocks of 64 queries that the fp32 kernel cuts a window into: four rows each. */
    private static final int FP32_PARTS = 4;

    private static final int MOST_SIDE = 65535;
    private static final int MOST_HEADS = 65535;

    private WindowAttention() {}

    /**
     * Attends in all windows of a grid.
     *
     * @param out [h * w, heads * 64]
     * @param qkv [h * w, 3, heads, 64]
     * @param bias [3, heads, 64] fp32, of the product that made qkv
     * @param relH [27, 64] of qkv's type, for differences of rows from -13 to 13
     * @param relW [27, 64], of columns
     * @param gridHeight h, from 0 to 65535
     * @param gridWidth w, likewise
     */
    public static void run(
            Device device,
            Tensor out,
            Tensor qkv,
            Tensor bias,
            Tensor relH,
            Tensor relW,
            int gridHeight,
            int gridWidth,
            Stream stream) {
        Call call = new Call(out, qkv, bias, relH, relW, gridHeight, gridWidth);
        call.check(device);
        device.launch(call.launch(), stream);
    }

    /** The kernel's arguments. */
    record Call(Tensor out, Tensor qkv, Tensor bias, Tensor relH, Tensor relW, int gridHeight, int gridWidth) {

        void check(Device device) {
            Arguments.type(OPERATOR, "qkv", qkv, FP32, FP16, BF16);
            Arguments.supported(OPERATOR, "qkv", qkv, device);
            Arguments.shape(OPERATOR, "qkv", qkv, "[h * w, 3, heads, 64]", Arguments.ANY, 3, Arguments.ANY, DEPTH);
            Arguments.range(OPERATOR, "heads", heads(), 1, MOST_HEADS);
            Arguments.range(OPERATOR, "gridHeight", gridHeight, 0, MOST_SIDE);
            Arguments.range(OPERATOR, "gridWidth", gridWidth, 0, MOST_SIDE);
            Arguments.check(
                    tokens() == (long) gridHeight * gridWidth,
                    OPERATOR,
                    "qkv",
                    "the tokens of a grid of " + gridHeight + " x " + gridWidth,
                    qkv);
            Arguments.range(OPERATOR, "windows * heads", windows() * heads(), 0, Integer.MAX_VALUE);
            Arguments.tensor(OPERATOR, "out", out, qkv.type(), "[h * w, heads * 64]", tokens(), heads() * DEPTH);
            Arguments.tensor(OPERATOR, "bias", bias, FP32, "[3, heads, 64]", 3, heads(), DEPTH);
            Arguments.tensor(OPERATOR, "relH", relH, qkv.type(), "[27, 64]", OFFSETS, DEPTH);
            Arguments.tensor(OPERATOR, "relW", relW, qkv.type(), "[27, 64]", OFFSETS, DEPTH);
            Arguments.aligned(OPERATOR, "out", out, 16);
            Arguments.aligned(OPERATOR, "qkv", qkv, 16);
            Arguments.aligned(OPERATOR, "bias", bias, 16);
            Arguments.aligned(OPERATOR, "relH", relH, 16);
            Arguments.aligned(OPERATOR, "relW", relW, 16);
            Arguments.distinct(OPERATOR, "out", out, "qkv", qkv);
        }

        private long tokens() {
            return qkv.size(0);
        }

        private long heads() {
            return qkv.size(2);
        }

        private long windows() {
            return ceilDiv(gridHeight, WINDOW) * (ceilDiv(gridWidth, WINDOW));
        }

        Launch launch() {
            ParameterBlock parameters = ParameterBlock.create()
                    .pointer(out)
                    .pointer(qkv)
                    .pointer(bias)
                    .pointer(relH)
                    .pointer(relW)
                    .integer32(gridHeight)
                    .integer32(gridWidth)
                    .integer32(heads());
            return new Launch(
                    OPERATOR,
                    OPERATOR + "_" + qkv.type().suffix(),
                    Math.toIntExact(windows() * heads()),
                    qkv.type() == FP32 ? FP32_PARTS : 1,
                    1,
                    parameters,
                    heads() * tokens() * DEPTH * (4L * KEYS + 2 * 2 * WINDOW),
                    out.bytes() + qkv.bytes() + bias.bytes() + relH.bytes() + relW.bytes());
        }
    }
}
