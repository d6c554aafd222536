package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.Launch.ceilDiv;

/**
 * 2x2 convolution of stride 2 without padding: {@code out[y, x] = act(sum over taps of in[2 y + ky, 2 x + kx] weight +
 * bias)}; activation and the wanted part of the map as {@link MapOptions} say.
 *
 * <p>{@code in} is [H, W, Cin], {@code out} is [floor(H / 2), floor(W / 2), Cout], both fp32, fp16 or bf16 (bf16 from
 * sm_80 on); {@code weight} is [Cout, 4, Cin] of the same type, taps row by row; {@code bias} is [Cout] fp32, or null.
 * Sums are in fp32, the result is rounded once. Any size works; fp16 and bf16 are faster where maps and weight start at
 * multiples of 16 bytes and pitches and Cin are multiples of 8. Kernels: {@code kernels/conv2x2.cu}.
 */
public final class Conv2x2 {
    private static final String OPERATOR = "conv2x2";

    private static final int TAPS = 4;
    private static final int TILE_COLUMNS = 16;
    private static final int TILES_OF_BLOCK = MapOptions.COLUMN_BLOCK / TILE_COLUMNS;
    private static final int ROWS = 4;
    private static final int CHANNELS = 64;
    private static final int EXACT_ROWS = 8;
    private static final int EXACT_CHANNELS = 32;

    private Conv2x2() {}

    /** out = act(conv(in) + bias). */
    public static void run(
            Device device,
            FeatureMap out,
            FeatureMap in,
            Tensor weight,
            Tensor bias,
            MapOptions options,
            Stream stream) {
        Call call = new Call(out, in, weight, bias, options);
        call.check(device);
        device.launch(call.launch(), stream);
    }

    /** A call's arguments; bias may be null. */
    record Call(FeatureMap out, FeatureMap in, Tensor weight, Tensor bias, MapOptions o) {
        void check(Device device) {
            Arguments.notNull(OPERATOR, "out", out);
            Arguments.notNull(OPERATOR, "in", in);
            Arguments.notNull(OPERATOR, "options", o);
            Arguments.supported(OPERATOR, "in", in.rows(), device);
            out.expect(OPERATOR, "out", in.type(), in.height() / 2, in.width() / 2, Arguments.ANY);
            Arguments.tensor(
                    OPERATOR, "weight", weight, in.type(), "[Cout, 4, Cin]", out.channels(), TAPS, in.channels());
            if (bias != null) {
                Arguments.tensor(OPERATOR, "bias", bias, FP32, "[Cout]", out.channels());
            }
            o.check(OPERATOR, out.height());
            o.checkNoNorm(OPERATOR);
            int to = o.to(out.height());
            out.expectRows(OPERATOR, "out", o.from(), to);
            in.expectRows(OPERATOR, "in", 2L * o.from(), 2L * to);
            out.expectApart(OPERATOR, "out", "in", in);
            out.expectApart(OPERATOR, "out", "weight", weight);
        }

        Launch launch() {
            boolean exact = in.type() == FP32;
            int rows = exact ? EXACT_ROWS : ROWS;
            int channels = exact ? EXACT_CHANNELS : CHANNELS;
            int tiles = Math.multiplyExact(o.columnBlocks(out.width()), TILES_OF_BLOCK);
            int count = o.count(out.height());
            long positions = count * o.columnCount(out.width());
            long bytes = positions
                            * (out.channels() + (long) TAPS * in.channels())
                            * in.type().bytes()
                    + weight.bytes();
            return new Launch(
                    OPERATOR,
                    OPERATOR + "_" + in.type().suffix(),
                    Math.multiplyExact(tiles, ceilDiv(out.channels(), channels)),
                    ceilDiv(count, rows),
                    1,
                    MapParameters.convolution(out, in, weight, bias, o),
                    2L * TAPS * positions * out.channels() * in.channels(),
                    bytes);
        }
    }
}
