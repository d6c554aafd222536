package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.Launch.ceilDiv;

/**
 * 3x3 convolution with zero padding 1: {@code out[y, x] = act(norm(sum over taps of in[s y + ky - 1, s x + kx - 1] weight
 * + bias))}, stride s = 1 or 2; activation, norm and the wanted part of the map as {@link MapOptions} say.
 *
 * <p>{@code in} is [H, W, Cin], {@code out} is [ceil(H / s), ceil(W / s), Cout], both fp32, fp16 or bf16 (bf16 from sm_80
 * on); {@code weight} is [Cout, 9, Cin] of the same type, taps row by row; {@code bias} is [Cout] fp32, or null. Sums,
 * norm and activation are in fp32, the result is rounded once. Any size works; fp16 and bf16 are faster where maps and
 * weight start at multiples of 16 bytes and pitches and Cin are multiples of 8. Kernels: {@code kernels/conv3x3.cu}.
 */
public final class Conv3x3 {
    private static final String OPERATOR = "conv3x3";

    private static final int TAPS = 9;
    /** Columns of the output that a block computes. */
    private static final int TILE_COLUMNS = 16;

    private static final int TILES_OF_BLOCK = MapOptions.COLUMN_BLOCK / TILE_COLUMNS;
    private static final int WEIGHT_PAIR_BYTES = 4;

    private Conv3x3() {}

    /** out = act(norm(conv(in) + bias)). */
    public static void run(
            Device device,
            FeatureMap out,
            FeatureMap in,
            Tensor weight,
            Tensor bias,
            int stride,
            MapOptions options,
            Stream stream) {
        Call call = new Call(out, in, weight, bias, stride, options);
        call.check(device);
        device.launch(call.launch(), stream);
    }

    /**
     * out = act(conv(planes of the photo) + bias).
     *
     * @param out of any size: the photo's planes are zero outside
     * @param weight [Cout, 9, 4], at a multiple of 4 bytes
     */
    public static void photo(
            Device device,
            FeatureMap out,
            PhotoPlanes photo,
            Tensor weight,
            Tensor bias,
            int stride,
            MapOptions options,
            Stream stream) {
        PhotoCall call = new PhotoCall(out, photo, weight, bias, stride, options);
        call.check(device);
        device.launch(call.launch(), stream);
    }

    /**
     * Whether {@link #run} takes a norm: it needs all channels in one block. Elsewhere normalise the convolution's result
     * with {@link LayerNorm}, which is as exact in fp32.
     */
    public static boolean takesNorm(ElementType type, int outputs, int stride) {
        return type != FP32 && outputs <= (stride == 1 ? Frame.NORM.channels : Frame.STRIDE2_NORM.channels);
    }

    /** The kernels' ways to cut the output. */
    enum Frame {
        N64("n64_", 8, 64),
        N48("n48_", 8, 48),
        N32("n32_", 16, 32),
        N16("n16_", 16, 16),
        NORM("norm_", 4, 192),
        STRIDE2("stride2_", 4, 96),
        STRIDE2_NORM("stride2_norm_", 4, 96),
        EXACT("", 8, 32),
        EXACT_STRIDE2("stride2_", 8, 32),
        PHOTO("photo_", 16, 48),
        EXACT_PHOTO("photo_", 8, 48);

        private final String infix;
        private final int rows;
        private final int channels;

        Frame(String infix, int rows, int channels) {
            this.infix = infix;
            this.rows = rows;
            this.channels = channels;
        }

        private int channelTiles(int outputs) {
            return ceilDiv(outputs, channels);
        }

        Launch launch(FeatureMap out, MapOptions o, ParameterBlock parameters, long flops, long bytes) {
            int tiles = Math.multiplyExact(o.columnBlocks(out.width()), TILES_OF_BLOCK);
            return new Launch(
                    OPERATOR,
                    OPERATOR + "_" + infix + out.type().suffix(),
                    Math.multiplyExact(tiles, channelTiles(out.channels())),
                    ceilDiv(o.count(out.height()), rows),
                    1,
                    parameters,
                    flops,
                    bytes);
        }
    }

    /** Positions of the output that are wanted. */
    private static long positions(FeatureMap out, MapOptions o) {
        return o.count(out.height()) * o.columnCount(out.width());
    }

    private static void checkWeight(Tensor weight, FeatureMap out, long inputs, Tensor bias, MapOptions o) {
        Arguments.tensor(OPERATOR, "weight", weight, out.type(), "[Cout, 9, Cin]", out.channels(), TAPS, inputs);
        if (bias != null) {
            Arguments.tensor(OPERATOR, "bias", bias, FP32, "[Cout]", out.channels());
        }
        o.check(OPERATOR, out.height());
        out.expectApart(OPERATOR, "out", "weight", weight);
    }

    /** A call's arguments; bias may be null. */
    record Call(FeatureMap out, FeatureMap in, Tensor weight, Tensor bias, int stride, MapOptions o) {
        void check(Device device) {
            Arguments.notNull(OPERATOR, "out", out);
            Arguments.notNull(OPERATOR, "in", in);
            Arguments.notNull(OPERATOR, "options", o);
            Arguments.supported(OPERATOR, "in", in.rows(), device);
            Arguments.range(OPERATOR, "stride", stride, 1, 2);
            out.expect(
                    OPERATOR,
                    "out",
                    in.type(),
                    ceilDiv(in.height(), stride),
                    ceilDiv(in.width(), stride),
                    Arguments.ANY);
            checkWeight(weight, out, in.channels(), bias, o);
            out.expectApart(OPERATOR, "out", "in", in);
            int to = o.to(out.height());
            out.expectRows(OPERATOR, "out", o.from(), to);
            in.expectRows(OPERATOR, "in", (long) o.from() * stride - 1, (to - 1L) * stride + 2);
            o.checkGelu(OPERATOR);
            if (o.normWeight() != null || o.normBias() != null) {
                Arguments.tensor(OPERATOR, "norm weight", o.normWeight(), FP32, "[Cout]", out.channels());
                Arguments.tensor(OPERATOR, "norm bias", o.normBias(), FP32, "[Cout]", out.channels());
                if (!takesNorm(in.type(), out.channels(), stride)) {
                    throw Arguments.refused(
                            OPERATOR,
                            "norm",
                            "fp16 or bf16 and at most " + (stride == 1 ? Frame.NORM : Frame.STRIDE2_NORM).channels
                                    + " channels, or LayerNorm after the convolution",
                            out);
                }
            }
        }

        Frame frame() {
            if (in.type() == FP32) {
                return stride == 1 ? Frame.EXACT : Frame.EXACT_STRIDE2;
            }
            if (o.normWeight() != null) {
                return stride == 1 ? Frame.NORM : Frame.STRIDE2_NORM;
            }
            if (stride == 2) {
                return Frame.STRIDE2;
            }
            // What is computed for the channels, at a little more for narrower blocks, which load more often.
            int outputs = out.channels();
            int wide = 20 * 64 * Frame.N64.channelTiles(outputs);
            int middle = 21 * 48 * Frame.N48.channelTiles(outputs);
            if (outputs > Frame.N32.channels) {
                return middle < wide ? Frame.N48 : Frame.N64;
            }
            return outputs > Frame.N16.channels ? Frame.N32 : Frame.N16;
        }

        Launch launch() {
            int height = out.height();
            ParameterBlock parameters = MapParameters.convolution(out, in, weight, bias, o);
            long positions = positions(out, o);
            long read = Math.min(in.height(), (long) stride * o.count(height) + 2)
                    * Math.min(in.width(), stride * o.columnCount(out.width()) + 2);
            long bytes = (positions * out.channels() + read * in.channels())
                            * in.type().bytes()
                    + weight.bytes();
            return frame().launch(out, o, parameters, 2L * TAPS * positions * out.channels() * in.channels(), bytes)
                    .withCore(core());
        }

        /** Null for parts of a map. */
        private PlainCall core() {
            int height = out.height();
            if (in.ring() < in.height() || out.ring() < height || o.columns() != null || o.count(height) < height) {
                return null;
            }
            boolean whole = bias == null
                    && o.activation() == Activation.IDENTITY
                    && o.normWeight() == null
                    && o.overflow() == null;
            return new PlainCall.Convolution(out, in, weight, stride, whole);
        }
    }

    record PhotoCall(FeatureMap out, PhotoPlanes photo, Tensor weight, Tensor bias, int stride, MapOptions o) {
        void check(Device device) {
            Arguments.notNull(OPERATOR, "out", out);
            Arguments.notNull(OPERATOR, "photo", photo);
            Arguments.notNull(OPERATOR, "options", o);
            Arguments.supported(OPERATOR, "out", out.rows(), device);
            Arguments.range(OPERATOR, "stride", stride, 1, 2);
            checkWeight(weight, out, PhotoPlanes.PLANES, bias, o);
            Arguments.aligned(OPERATOR, "weight", weight, WEIGHT_PAIR_BYTES);
            out.expectRows(OPERATOR, "out", o.from(), o.to(out.height()));
            o.checkNoNorm(OPERATOR);
        }

        Launch launch() {
            ParameterBlock parameters = photo.write(ParameterBlock.create())
                    .pointer(out.rows())
                    .pointer(weight)
                    .pointer(bias)
                    .pointer(o.columns())
                    .pointer(o.overflow())
                    .sizes(out)
                    .wanted(o, out.height(), out.width())
                    .integer32(out.channels())
                    .integer32(stride)
                    .activation(o.activation(), o.slope())
                    .integer32(o.overflowBits());
            long positions = positions(out, o);
            long read = photo.bytes() * o.count(out.height()) / Math.max(1, out.height());
            long bytes = positions * out.channels() * out.type().bytes() + read + weight.bytes();
            Frame frame = out.type() == FP32 ? Frame.EXACT_PHOTO : Frame.PHOTO;
            return frame.launch(out, o, parameters, 2L * TAPS * PhotoPlanes.PLANES * positions * out.channels(), bytes);
        }
    }
}
