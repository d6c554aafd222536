package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.jmatte.kernels.ElementType.U8;
import static org.jmatte.kernels.Launch.ceilDiv;

import java.util.ArrayList;
import java.util.List;

/**
 * Token routing: which tokens attend globally, {@code keep[n] = margin[n] > 0}, of which at most the cap of largest
 * margin, and the moves of rows that follow from it.
 *
 * <p>The parts in the order of their use: {@link #pool} and {@link #mean} average the second half of the router's hidden
 * rows over all tokens; {@link #fold} brings the mean, being the same for every token, into the next layer's bias; {@link
 * #margins} is the last layer; {@link #select} makes lists of tokens; {@link #gather} and {@link #scatter} move rows by
 * them. All sums are fp32, in an order that depends on the sizes alone. Kernels: {@code kernels/token_routing.cu}.
 */
public final class TokenRouting {
    /** In element 2 of {@link #select}'s result: a margin is not a number. */
    public static final int NOT_A_NUMBER = 1;
    /** In element 2 of the result: more tokens are forced than the cap allows; the first of them were kept. */
    public static final int TOO_MANY = 2;

    private static final String OPERATOR = "token_routing";

    /** What a block takes; the kernel's constants. */
    public static final int POOL_ROWS = 128;

    private static final int MEAN_CHANNELS = 32;
    private static final int FOLD_OUTPUTS = 8;
    private static final int MOVED_ROWS = 32;
    private static final int SELECTED_TOKENS = 1024;

    private static final int BINS = 2048;
    private static final int DIGITS = 3;
    private static final int COUNTS_BYTES = 16;
    /** Before the counts of the blocks: the histograms, and the threshold. */
    private static final int BINS_BYTES = DIGITS * BINS * Integer.BYTES;

    private static final int THRESHOLD_BYTES = 16;

    /** So that the last row of the last block is an int. */
    private static final int MOST = Integer.MAX_VALUE - 4096;

    private TokenRouting() {}

    /** Rows of partial sums that {@link #pool} leaves for so many rows. */
    public static long partialRows(long rows) {
        return ceilDiv(rows, POOL_ROWS);
    }

    /**
     * partial[b] = sum of the second half of 128 rows of hidden; local = the first half, in its own type.
     *
     * @param local [N, C/2] of hidden's type, or fp16 or bf16 where that is fp32; null for none
     * @param partial [ceil(N/128), C/2] fp32
     * @param hidden [N, C], C even: all tokens, or a chunk of them
     */
    public static void pool(Device device, Tensor local, Tensor partial, Tensor hidden, Stream stream) {
        Arguments.type(OPERATOR, "hidden", hidden, FP32, FP16, BF16);
        Arguments.supported(OPERATOR, "hidden", hidden, device);
        Arguments.shape(OPERATOR, "hidden", hidden, "[N, C]", Arguments.ANY, Arguments.ANY);
        long rows = hidden.size(0);
        long half = hidden.size(1) / 2;
        Arguments.range(OPERATOR, "N", rows, 0, MOST);
        Arguments.range(OPERATOR, "C", hidden.size(1), 2, MOST);
        Arguments.check(hidden.size(1) % 2 == 0, OPERATOR, "C", "an even number", hidden.size(1));
        Arguments.tensor(OPERATOR, "partial", partial, FP32, "[ceil(N/128), C/2]", partialRows(rows), half);
        int pack = 16 / hidden.type().bytes();
        boolean packed = half % pack == 0;
        if (local != null) {
            if (hidden.type() == FP32) {
                Arguments.type(OPERATOR, "local", local, FP32, FP16, BF16);
            } else {
                Arguments.type(OPERATOR, "local", local, hidden.type());
            }
            Arguments.supported(OPERATOR, "local", local, device);
            Arguments.shape(OPERATOR, "local", local, "[N, C/2]", rows, half);
            Arguments.distinct(OPERATOR, "local", local, "hidden", hidden);
            if (packed) {
                Arguments.aligned(OPERATOR, "local", local, pack * local.type().bytes());
            }
        }
        if (packed) {
            Arguments.aligned(OPERATOR, "hidden", hidden, 16);
        }
        device.launch(poolLaunch(local, partial, hidden), stream);
    }

    static Launch poolLaunch(Tensor local, Tensor partial, Tensor hidden) {
        long rows = hidden.size(0);
        ElementType to = local == null ? hidden.type() : local.type();
        String types = to == hidden.type() ? to.suffix() : hidden.type() + "_" + to;
        ParameterBlock parameters = ParameterBlock.create()
                .pointer(local)
                .pointer(partial)
                .pointer(hidden)
                .integer32(rows)
                .integer32(hidden.size(1));
        long sums = rows * hidden.size(1) / 2;
        long bytes = local == null ? hidden.bytes() / 2 : hidden.bytes() + local.bytes();
        return launch("pool_" + types, partialRows(rows), parameters, sums, bytes + partial.bytes());
    }

    /**
     * mean[c] = sum of partial[.][c] / tokens.
     *
     * @param mean [C] fp32
     * @param partial [P, C] fp32
     */
    public static void mean(Device device, Tensor mean, Tensor partial, long tokens, Stream stream) {
        device.launch(meanLaunch(OPERATOR, mean, partial, tokens), stream);
    }

    /** The launch of an operator that has the kernel of kernels/channel_sums.cuh; arguments are checked. */
    static Launch meanLaunch(String operator, Tensor mean, Tensor partial, long tokens) {
        Arguments.tensor(operator, "partial", partial, FP32, "[P, C]", Arguments.ANY, Arguments.ANY);
        long channels = partial.size(1);
        Arguments.range(operator, "P", partial.size(0), 0, MOST);
        Arguments.range(operator, "C", channels, 0, MOST);
        Arguments.tensor(operator, "mean", mean, FP32, "[C]", channels);
        Arguments.range(operator, "tokens", tokens, 1, MOST);
        Arguments.distinct(operator, "mean", mean, "partial", partial);
        ParameterBlock parameters = ParameterBlock.create()
                .pointer(mean)
                .pointer(partial)
                .integer32(partial.size(0))
                .integer32(channels)
                .float32((float) (1.0 / tokens));
        return new Launch(
                operator,
                operator + "_mean_fp32",
                Math.toIntExact(ceilDiv(channels, MEAN_CHANNELS)),
                1,
                1,
                parameters,
                partial.elements() + channels,
                partial.bytes() + mean.bytes());
    }

    /**
     * folded[o] = bias[o] + sum over c of weight[o][P - I + c] * mean[c].
     *
     * @param folded [O] fp32; may be bias
     * @param weight [O, P] fp32, of which the last I columns count: those of the pooled half
     * @param bias [O] fp32
     * @param mean [I] fp32
     */
    public static void fold(Device device, Tensor folded, Tensor weight, Tensor bias, Tensor mean, Stream stream) {
        Arguments.tensor(OPERATOR, "mean", mean, FP32, "[I]", Arguments.ANY);
        Arguments.tensor(OPERATOR, "weight", weight, FP32, "[O, P]", Arguments.ANY, Arguments.ANY);
        Arguments.range(OPERATOR, "O", weight.size(0), 0, MOST);
        Arguments.range(OPERATOR, "P", weight.size(1), Math.max(1, mean.size(0)), MOST);
        Arguments.tensor(OPERATOR, "folded", folded, FP32, "[O]", weight.size(0));
        Arguments.tensor(OPERATOR, "bias", bias, FP32, "[O]", weight.size(0));
        Arguments.distinct(OPERATOR, "folded", folded, "mean", mean);
        Arguments.distinct(OPERATOR, "folded", folded, "weight", weight);
        device.launch(foldLaunch(folded, weight, bias, mean), stream);
    }

    static Launch foldLaunch(Tensor folded, Tensor weight, Tensor bias, Tensor mean) {
        long outputs = weight.size(0);
        long inputs = mean.size(0);
        long stride = weight.size(1);
        ParameterBlock parameters = ParameterBlock.create()
                .pointer(folded)
                .pointer(weight.pointer() + (stride - inputs) * FP32.bytes())
                .pointer(bias)
                .pointer(mean)
                .integer32(outputs)
                .integer32(inputs)
                .integer32(stride);
        long bytes = outputs * inputs * FP32.bytes() + folded.bytes() + bias.bytes() + mean.bytes();
        return launch("fold_fp32", ceilDiv(outputs, FOLD_OUTPUTS), parameters, 2 * outputs * inputs, bytes);
    }

    /**
     * margin[n] = sum over c of y[n][c] * weight[c] + bias.
     *
     * @param margin [N] fp32
     * @param y [N, C]
     * @param weight [C] fp32: the difference of the last layer's two rows
     */
    public static void margins(Device device, Tensor margin, Tensor y, Tensor weight, float bias, Stream stream) {
        Arguments.type(OPERATOR, "y", y, FP32, FP16, BF16);
        Arguments.supported(OPERATOR, "y", y, device);
        Arguments.shape(OPERATOR, "y", y, "[N, C]", Arguments.ANY, Arguments.ANY);
        Arguments.range(OPERATOR, "N", y.size(0), 0, MOST);
        Arguments.range(OPERATOR, "C", y.size(1), 1, MOST);
        Arguments.tensor(OPERATOR, "margin", margin, FP32, "[N]", y.size(0));
        Arguments.tensor(OPERATOR, "weight", weight, FP32, "[C]", y.size(1));
        if (y.size(1) % (16 / y.type().bytes()) == 0) {
            Arguments.aligned(OPERATOR, "y", y, 16);
        }
        device.launch(marginsLaunch(margin, y, weight, bias), stream);
    }

    static Launch marginsLaunch(Tensor margin, Tensor y, Tensor weight, float bias) {
        ParameterBlock parameters = ParameterBlock.create()
                .pointer(margin)
                .pointer(y)
                .pointer(weight)
                .integer32(y.size(0))
                .integer32(y.size(1))
                .float32(bias);
        return launch(
                "margins_" + y.type(),
                ceilDiv(y.size(0), MOVED_ROWS),
                parameters,
                2 * y.elements(),
                y.bytes() + margin.bytes() + weight.bytes());
    }

    /** Bytes of scratch that {@link #select} takes for so many tokens. */
    public static long scratchBytes(long tokens) {
        return BINS_BYTES + THRESHOLD_BYTES + ceilDiv(tokens, SELECTED_TOKENS) * COUNTS_BYTES;
    }

    /**
     * Keeps the tokens of positive margin, at most {@code cap} of them, those of largest margin, ties to the lowest token.
     *
     * @param selected [cap] i32: takes the kept tokens, ascending
     * @param rest [N] i32: takes the others, ascending; null if nobody wants them
     * @param inverse [N] i32: a token's rank among the kept ones, or the complement of its rank among the others
     * @param result [4] i32: the number kept; the number of others; {@link #NOT_A_NUMBER} or 0; the bits of the margin
     *     that decided the cap, 0 where it did not
     * @param margin [N] fp32
     * @param scratch [{@link #scratchBytes}] u8, 16-byte aligned
     */
    public static void select(
            Device device,
            Tensor selected,
            Tensor rest,
            Tensor inverse,
            Tensor result,
            Tensor margin,
            Tensor scratch,
            Stream stream) {
        Arguments.tensor(OPERATOR, "margin", margin, FP32, "[N]", Arguments.ANY);
        Arguments.aligned(OPERATOR, "margin", margin, 16);
        run(device, new Selection(selected, rest, inverse, result, margin, null, scratch), stream);
    }

    /**
     * Keeps the tokens whose flags are not zero. More than {@code cap} are an error, {@link #TOO_MANY} in the result.
     *
     * @param flags [N] u8; all others as for {@link #select}
     */
    public static void force(
            Device device,
            Tensor selected,
            Tensor rest,
            Tensor inverse,
            Tensor result,
            Tensor flags,
            Tensor scratch,
            Stream stream) {
        Arguments.tensor(OPERATOR, "flags", flags, U8, "[N]", Arguments.ANY);
        run(device, new Selection(selected, rest, inverse, result, null, flags, scratch), stream);
    }

    private static void run(Device device, Selection selection, Stream stream) {
        selection.check();
        if (selection.capped()) {
            device.fill(selection.scratch.pointer(), (byte) 0, BINS_BYTES, stream);
        }
        for (Launch launch : selection.launches()) {
            device.launch(launch, stream);
        }
    }

    /** A choice of tokens; margin or flags is null. */
    record Selection(
            Tensor selected, Tensor rest, Tensor inverse, Tensor result, Tensor margin, Tensor flags, Tensor scratch) {
        private long tokens() {
            return margin == null ? flags.size(0) : margin.size(0);
        }

        private long cap() {
            return selected.size(0);
        }

        /** Whether the cap can decide. */
        boolean capped() {
            return margin != null && cap() < tokens();
        }

        private void check() {
            long tokens = tokens();
            Arguments.range(OPERATOR, "N", tokens, 1, MOST);
            Arguments.tensor(OPERATOR, "selected", selected, I32, "[cap]", Arguments.ANY);
            Arguments.range(OPERATOR, "cap", cap(), 0, Integer.MAX_VALUE);
            if (rest != null) {
                Arguments.tensor(OPERATOR, "rest", rest, I32, "[N]", tokens);
            }
            Arguments.tensor(OPERATOR, "inverse", inverse, I32, "[N]", tokens);
            Arguments.tensor(OPERATOR, "result", result, I32, "[4]", 4);
            Arguments.tensor(OPERATOR, "scratch", scratch, U8, "[bytes]", Arguments.ANY);
            Arguments.range(OPERATOR, "bytes of scratch", scratch.size(0), scratchBytes(tokens), Long.MAX_VALUE);
            Arguments.aligned(OPERATOR, "scratch", scratch, 16);
        }

        List<Launch> launches() {
            long tokens = tokens();
            long blocks = ceilDiv(tokens, SELECTED_TOKENS);
            int cap = Math.toIntExact(cap());
            long bins = scratch.pointer();
            long threshold = bins + BINS_BYTES;
            long counts = threshold + THRESHOLD_BYTES;
            long read = margin == null ? flags.bytes() : margin.bytes();
            List<Launch> launches = new ArrayList<>();
            for (int digit = 0; capped() && digit < DIGITS; digit++) {
                ParameterBlock parameters = ParameterBlock.create()
                        .pointer(bins)
                        .pointer(margin)
                        .integer32(tokens)
                        .integer32(cap)
                        .integer32(digit);
                launches.add(launch("histogram_fp32", blocks, parameters, 0, read));
            }
            ParameterBlock count = ParameterBlock.create()
                    .pointer(counts)
                    .pointer(threshold)
                    .pointer(capped() ? bins : 0)
                    .pointer(margin)
                    .pointer(flags)
                    .integer32(tokens)
                    .integer32(cap);
            launches.add(launch("count_fp32", blocks, count, 0, read + blocks * COUNTS_BYTES));
            ParameterBlock write = ParameterBlock.create()
                    .pointer(selected)
                    .pointer(rest)
                    .pointer(inverse)
                    .pointer(result)
                    .pointer(counts)
                    .pointer(threshold)
                    .pointer(margin)
                    .pointer(flags)
                    .integer32(tokens)
                    .integer32(cap);
            long lists = tokens * I32.bytes() * (rest == null ? 1 : 2);
            launches.add(launch("write_fp32", blocks, write, 0, read + blocks * COUNTS_BYTES + lists));
            return launches;
        }
    }

    /**
     * out[r] = x[index[r]] for r below count; rows of any type.
     *
     * @param out [R, C]
     * @param x [N, C]
     * @param index [R] i32, each from 0 to N - 1
     * @param count [1] i32, at most R: the number of rows, where only the device knows it; null for R
     */
    public static void gather(Device device, Tensor out, Tensor x, Tensor index, Tensor count, Stream stream) {
        move(device, "gather", out, x, index, count, stream);
    }

    /**
     * out[index[r]] = x[r] for r below count; rows of any type.
     *
     * @param out [N, C]
     * @param x [R, C]
     * @param index [R] i32, each from 0 to N - 1, none twice
     * @param count [1] i32, at most R: the number of rows, where only the device knows it; null for R
     */
    public static void scatter(Device device, Tensor out, Tensor x, Tensor index, Tensor count, Stream stream) {
        move(device, "scatter", out, x, index, count, stream);
    }

    private static void move(
            Device device, String what, Tensor out, Tensor x, Tensor index, Tensor count, Stream stream) {
        boolean gather = what.equals("gather");
        Arguments.tensor(OPERATOR, "index", index, I32, "[R]", Arguments.ANY);
        Arguments.range(OPERATOR, "R", index.size(0), 0, MOST);
        Arguments.shape(
                OPERATOR, "x", x, gather ? "[N, C]" : "[R, C]", gather ? Arguments.ANY : index.size(0), Arguments.ANY);
        Arguments.check(x.type().bytes() > 1, OPERATOR, "x", "elements of 2 or 4 bytes", x);
        Arguments.range(OPERATOR, "bytes of a row", x.size(1) * x.type().bytes(), 0, MOST);
        Arguments.tensor(
                OPERATOR,
                "out",
                out,
                x.type(),
                gather ? "[R, C]" : "[N, C]",
                gather ? index.size(0) : Arguments.ANY,
                x.size(1));
        if (count != null) {
            Arguments.tensor(OPERATOR, "count", count, I32, "[1]", 1);
        }
        Arguments.distinct(OPERATOR, "out", out, "x", x);
        if (x.size(1) * x.type().bytes() % 16 == 0) {
            Arguments.aligned(OPERATOR, "out", out, 16);
            Arguments.aligned(OPERATOR, "x", x, 16);
        }
        device.launch(moveLaunch(what, out, x, index, count), stream);
    }

    static Launch moveLaunch(String what, Tensor out, Tensor x, Tensor index, Tensor count) {
        long rows = index.size(0);
        long rowBytes = x.size(1) * x.type().bytes();
        ParameterBlock parameters = ParameterBlock.create()
                .pointer(out)
                .pointer(x)
                .pointer(index)
                .pointer(count)
                .integer32(rows)
                .integer32(rowBytes);
        long bytes = 2 * rows * rowBytes + index.bytes() + (count == null ? 0 : count.bytes());
        return launch(what, ceilDiv(rows, MOVED_ROWS), parameters, 0, bytes);
    }

    private static Launch launch(String kernel, long blocks, ParameterBlock parameters, long flops, long bytes) {
        return new Launch(OPERATOR, OPERATOR + "_" + kernel, Math.toIntExact(blocks), 1, 1, parameters, flops, bytes);
    }
}
