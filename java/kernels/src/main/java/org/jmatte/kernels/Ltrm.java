package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.Launch.ceilDiv;

/**
 * What lightweight token refinement has beside its linear layers: {@code g = GELU(depthwise 5x5(map) + bias)} with the
 * sums of g over all tokens, and the gate {@code scale = 1 + sigmoid(conv1d(fc2(mean of g)))} over channels.
 *
 * <p>{@link #depthwise} runs band by band; its partial sums lie one behind the other, so that {@link #mean} can add those
 * of all bands; {@link #gate} then has what {@link MergeTokens} multiplies by. Sums are fp32, taken before g is rounded,
 * in an order that depends on the sizes alone. Kernels: {@code kernels/ltrm.cu}.
 */
public final class Ltrm {
    private static final String OPERATOR = "ltrm";

    /** What a block takes; the kernels' constants. */
    private static final int COLUMNS = 32;

    private static final int CHANNELS = 64;
    private static final int GATE_CHANNELS = 32;
    private static final int MOST_TAPS = 33;
    private static final int KERNEL = 5;

    /** A block goes down so many rows at most and least. */
    private static final int LONGEST_MARCH = 32;

    private static final int SHORTEST_MARCH = 8;
    /** Blocks that a multiprocessor should get, two at a time. */
    private static final int BLOCKS_PER_MULTIPROCESSOR = 4;

    private static final int GELU_FLOPS = 20;
    private static final int MOST = Integer.MAX_VALUE - 4096;

    private Ltrm() {}

    /** Rows of partial sums that {@link #depthwise} leaves for a band. */
    public static long partialRows(Device device, long rows, long width, long channels) {
        return parts(rows, width, march(device.multiprocessors(), rows, width, channels));
    }

    private static long parts(long rows, long width, long march) {
        return ceilDiv(rows, march) * ceilDiv(width, COLUMNS);
    }

    /** Output rows of a block: many, for little overlap, as long as the device is filled. */
    static int march(int multiprocessors, long rows, long width, long channels) {
        long besides = ceilDiv(width, COLUMNS) * ceilDiv(channels, CHANNELS);
        int march = LONGEST_MARCH;
        while (march > SHORTEST_MARCH
                && ceilDiv(rows, march) * besides < (long) BLOCKS_PER_MULTIPROCESSOR * multiprocessors) {
            march /= 2;
        }
        return march;
    }

    /**
     * out = g of the rows {@code first} to {@code first + rows - 1}, and their partial sums.
     *
     * @param out [rows, width, D]
     * @param partial [{@link #partialRows}, D] fp32
     * @param map [ring, width, D] of out's type, D even: row y of the hidden map at slot y % ring, at least the rows
     *     {@code first - 2} to {@code first + rows + 1} that exist; it holds what comes after fc1's GELU
     * @param weight [5, 5, D] fp32
     * @param bias [D] fp32
     * @param height rows of the whole map; beyond them are zeros
     */
    public static void depthwise(
            Device device,
            Tensor out,
            Tensor partial,
            Tensor map,
            Tensor weight,
            Tensor bias,
            long height,
            long first,
            Stream stream) {
        Arguments.type(OPERATOR, "map", map, FP32, FP16, BF16);
        Arguments.supported(OPERATOR, "map", map, device);
        Arguments.shape(OPERATOR, "map", map, "[ring, width, D]", Arguments.ANY, Arguments.ANY, Arguments.ANY);
        long width = map.size(1);
        long channels = map.size(2);
        Arguments.range(OPERATOR, "D", channels, 2, MOST);
        Arguments.check(channels % 2 == 0, OPERATOR, "D", "an even number", channels);
        Arguments.range(OPERATOR, "elements of a row", width * channels, 0, MOST);
        Arguments.tensor(OPERATOR, "out", out, map.type(), "[rows, width, D]", Arguments.ANY, width, channels);
        long rows = out.size(0);
        Arguments.range(OPERATOR, "height", height, 1, MOST);
        Arguments.range(OPERATOR, "first", first, 0, height);
        Arguments.range(OPERATOR, "rows", rows, 0, height - first);
        long needed = Math.min(height, first + rows + KERNEL / 2) - Math.max(0, first - KERNEL / 2);
        Arguments.range(OPERATOR, "ring", map.size(0), Math.max(1, needed), MOST);
        Arguments.tensor(OPERATOR, "weight", weight, FP32, "[5, 5, D]", KERNEL, KERNEL, channels);
        Arguments.tensor(OPERATOR, "bias", bias, FP32, "[D]", channels);
        long parts = partialRows(device, rows, width, channels);
        Arguments.tensor(OPERATOR, "partial", partial, FP32, "[parts, D]", parts, channels);
        Arguments.distinct(OPERATOR, "out", out, "map", map);
        Arguments.aligned(OPERATOR, "out", out, 2 * map.type().bytes());
        Arguments.aligned(OPERATOR, "partial", partial, 8);
        Arguments.aligned(OPERATOR, "map", map, 2 * map.type().bytes());
        Arguments.aligned(OPERATOR, "weight", weight, 8);
        Arguments.aligned(OPERATOR, "bias", bias, 8);
        int march = march(device.multiprocessors(), rows, width, channels);
        device.launch(depthwiseLaunch(out, partial, map, weight, bias, height, first, march), stream);
    }

    static Launch depthwiseLaunch(
            Tensor out, Tensor partial, Tensor map, Tensor weight, Tensor bias, long height, long first, int march) {
        long rows = out.size(0);
        long width = map.size(1);
        long channels = map.size(2);
        ParameterBlock parameters = ParameterBlock.create()
                .pointer(out)
                .pointer(partial)
                .pointer(map)
                .pointer(weight)
                .pointer(bias)
                .integer32(map.size(0))
                .integer32(height)
                .integer32(width)
                .integer32(channels)
                .integer32(first)
                .integer32(rows)
                .integer32(march);
        long read = Math.min(height, first + rows + KERNEL / 2) - Math.max(0, first - KERNEL / 2);
        long bytes = read * width * channels * map.type().bytes()
                + out.bytes()
                + partial.bytes()
                + weight.bytes()
                + bias.bytes();
        return new Launch(
                OPERATOR,
                OPERATOR + "_depthwise_" + map.type(),
                Math.toIntExact(ceilDiv(width, COLUMNS)),
                Math.toIntExact(ceilDiv(channels, CHANNELS)),
                Math.toIntExact(ceilDiv(rows, march)),
                parameters,
                out.elements() * (2 * KERNEL * KERNEL + GELU_FLOPS + 1),
                bytes);
    }

    /**
     * mean[c] = sum of partial[.][c] / tokens.
     *
     * @param mean [D] fp32
     * @param partial [P, D] fp32: those of all bands
     */
    public static void mean(Device device, Tensor mean, Tensor partial, long tokens, Stream stream) {
        device.launch(TokenRouting.meanLaunch(OPERATOR, mean, partial, tokens), stream);
    }

    /**
     * scale[c] = 1 + sigmoid(sum over k of kernel[k] * z[c + k - taps/2]), z = weight * mean + bias, zero outside.
     *
     * @param scale [C] fp32
     * @param weight [C, D] of fc2: fp32, fp16 or bf16; D even
     * @param bias [C] fp32, or null
     * @param mean [D] fp32
     * @param kernel [taps] fp32, an odd number of taps up to 33
     */
    public static void gate(
            Device device, Tensor scale, Tensor weight, Tensor bias, Tensor mean, Tensor kernel, Stream stream) {
        Arguments.type(OPERATOR, "weight", weight, FP32, FP16, BF16);
        Arguments.supported(OPERATOR, "weight", weight, device);
        Arguments.shape(OPERATOR, "weight", weight, "[C, D]", Arguments.ANY, Arguments.ANY);
        long channels = weight.size(0);
        long hidden = weight.size(1);
        Arguments.range(OPERATOR, "C", channels, 0, MOST);
        Arguments.range(OPERATOR, "D", hidden, 2, MOST);
        Arguments.check(hidden % 2 == 0, OPERATOR, "D", "an even number", hidden);
        Arguments.tensor(OPERATOR, "scale", scale, FP32, "[C]", channels);
        if (bias != null) {
            Arguments.tensor(OPERATOR, "bias", bias, FP32, "[C]", channels);
        }
        Arguments.tensor(OPERATOR, "mean", mean, FP32, "[D]", hidden);
        Arguments.tensor(OPERATOR, "kernel", kernel, FP32, "[taps]", Arguments.ANY);
        Arguments.range(OPERATOR, "taps", kernel.size(0), 1, MOST_TAPS);
        Arguments.check(kernel.size(0) % 2 == 1, OPERATOR, "taps", "an odd number", kernel.size(0));
        Arguments.distinct(OPERATOR, "scale", scale, "mean", mean);
        Arguments.aligned(OPERATOR, "weight", weight, 2 * weight.type().bytes());
        Arguments.aligned(OPERATOR, "mean", mean, 8);
        device.launch(gateLaunch(scale, weight, bias, mean, kernel), stream);
    }

    static Launch gateLaunch(Tensor scale, Tensor weight, Tensor bias, Tensor mean, Tensor kernel) {
        long channels = weight.size(0);
        long hidden = weight.size(1);
        ParameterBlock parameters = ParameterBlock.create()
                .pointer(scale)
                .pointer(weight)
                .pointer(bias)
                .pointer(mean)
                .pointer(kernel)
                .integer32(channels)
                .integer32(hidden)
                .integer32(kernel.size(0));
        long bytes = scale.bytes() + weight.bytes() + (bias == null ? 0 : bias.bytes()) + mean.bytes() + kernel.bytes();
        return new Launch(
                OPERATOR,
                OPERATOR + "_gate_" + weight.type(),
                Math.toIntExact(ceilDiv(channels, GATE_CHANNELS)),
                1,
                1,
                parameters,
                2 * channels * (hidden + kernel.size(0)),
                bytes);
    }
}
