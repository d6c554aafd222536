package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.Launch.ceilDiv;

/**
 * Detail capture. {@link #fuse}: {@code out = act(details + conv3x3(up2x(low)) + bias)}, bilinear upsampling with
 * half-pixel centres; the products with the nine taps are made at low resolution, a quarter of the work. {@link #head}:
 * {@code alpha = sigmoid(w . relu(conv3x3(in) + b) + c)}. {@link #alpha}: {@code alpha = clamp(conv3x3(in) + c, 0, 1)}.
 *
 * <p>Maps are fp32, fp16 or bf16 (bf16 from sm_80 on), weights of the same type, [Cout, 9, Cin] with the taps row by row;
 * biases and the head's last weights are fp32. Sums are in fp32, results are rounded once. Kernels:
 * {@code kernels/detail_capture.cu}.
 */
public final class DetailCapture {
    private static final String OPERATOR = "detail_capture";

    private static final int TAPS = 9;
    private static final int HEAD_INPUTS = 32;
    private static final int HEAD_HIDDEN = 16;

    private static final int FUSE_ROWS = 16;
    private static final int FUSE_CHANNELS = 8;
    /** Shifting and interpolating: 15 multiply-adds per element. */
    private static final int SHIFT_FLOPS = 30;

    private static final int TILE_COLUMNS = 16;
    private static final int TILES_OF_BLOCK = MapOptions.COLUMN_BLOCK / TILE_COLUMNS;
    private static final int HEAD_ROWS = 16;
    private static final int EXACT_HEAD_ROWS = 8;
    private static final int ALPHA_ROWS = 8;
    /** Blocks that the head's registers allow on a multiprocessor, before sm_90 and from there on. */
    private static final int HEAD_BLOCKS = 3;

    private static final int HEAD_BLOCKS_SM90 = 2;

    private static final int PAIR_BYTES = 4;

    private DetailCapture() {}

    /**
     * out = act(out + conv(up(low)) + bias).
     *
     * @param out [H, W, Cout], both even; holds the details' part on entry. An even number of rows, from an even one on
     * @param low [at most H / 2, at most W / 2, Cin]; zeros follow to H / 2 and W / 2
     * @param weight [Cout, 9, Cin]
     * @param bias [Cout], or null
     */
    public static void fuse(
            Device device,
            FeatureMap out,
            FeatureMap low,
            Tensor weight,
            Tensor bias,
            MapOptions options,
            Stream stream) {
        FuseCall call = new FuseCall(out, low, weight, null, null, bias, options);
        call.check(device);
        device.launch(call.launch(), stream);
    }

    /**
     * out = act(conv(planes of the photo) + conv(up(low)) + bias).
     *
     * @param out [H, W, Cout], both even. An even number of rows, from an even one on
     * @param low [at most H / 2, at most W / 2, Cin]; zeros follow to H / 2 and W / 2
     * @param weight [Cout, 9, Cin]
     * @param photo of any size: its planes are zero outside
     * @param photoWeight [Cout, 9, 4], at a multiple of 4 bytes
     * @param bias [Cout], or null
     */
    public static void fusePhoto(
            Device device,
            FeatureMap out,
            FeatureMap low,
            Tensor weight,
            PhotoPlanes photo,
            Tensor photoWeight,
            Tensor bias,
            MapOptions options,
            Stream stream) {
        Arguments.notNull(OPERATOR, "photo", photo);
        FuseCall call = new FuseCall(out, low, weight, photo, photoWeight, bias, options);
        call.check(device);
        device.launch(call.launch(), stream);
    }

    /**
     * alpha = sigmoid(weight2 . relu(conv(in) + bias) + bias2); of the options, rows and columns count.
     *
     * @param alpha [H, W] u8 (alpha x 255), u16 (x 65535) or fp32
     * @param in [at least H, at least W, 32]
     * @param weight [16, 9, 32], at a multiple of 4 bytes
     * @param bias [16], or null
     * @param weight2 [16]
     * @param trimap [H, W] u8 whose 0 and 255 replace the result, or null
     * @param notNumbers [1] i32, to which the number of results is added that are no numbers
     */
    public static void head(
            Device device,
            Tensor alpha,
            FeatureMap in,
            Tensor weight,
            Tensor bias,
            Tensor weight2,
            float bias2,
            Tensor trimap,
            Tensor notNumbers,
            MapOptions options,
            Stream stream) {
        Arguments.notNull(OPERATOR, "weight2", weight2);
        HeadCall call = new HeadCall(alpha, in, weight, bias, weight2, bias2, trimap, notNumbers, options);
        call.check(device);
        device.launch(
                call.head(device.multiprocessors() * (device.architecture() < 90 ? HEAD_BLOCKS : HEAD_BLOCKS_SM90)),
                stream);
    }

    /**
     * alpha = clamp(conv(in) + bias, 0, 1); of the options, rows and columns count.
     *
     * @param alpha [H, W] u8 (alpha x 255), u16 (x 65535) or fp32
     * @param in [at least H, at least W, Cin]
     * @param weight [1, 9, Cin]
     * @param trimap [H, W] u8 whose 0 and 255 replace the result, or null
     * @param notNumbers [1] i32, to which the number of results is added that are no numbers
     */
    public static void alpha(
            Device device,
            Tensor alpha,
            FeatureMap in,
            Tensor weight,
            float bias,
            Tensor trimap,
            Tensor notNumbers,
            MapOptions options,
            Stream stream) {
        HeadCall call = new HeadCall(alpha, in, weight, null, null, bias, trimap, notNumbers, options);
        call.check(device);
        device.launch(call.plain(), stream);
    }

    /** Photo and its weight are null where the details are a map; bias may be null. */
    record FuseCall(
            FeatureMap out,
            FeatureMap low,
            Tensor weight,
            PhotoPlanes photo,
            Tensor photoWeight,
            Tensor bias,
            MapOptions o) {
        void check(Device device) {
            Arguments.notNull(OPERATOR, "out", out);
            Arguments.notNull(OPERATOR, "low", low);
            Arguments.notNull(OPERATOR, "options", o);
            ElementType type = low.type();
            Arguments.supported(OPERATOR, "low", low.rows(), device);
            out.expect(OPERATOR, "out", type, Arguments.ANY, Arguments.ANY, Arguments.ANY);
            boolean fits = out.height() % 2 == 0
                    && out.width() % 2 == 0
                    && out.height() / 2 >= low.height()
                    && out.width() / 2 >= low.width();
            Arguments.check(
                    fits,
                    OPERATOR,
                    "out",
                    "even sizes of at least " + 2L * low.height() + " x " + 2L * low.width(),
                    out);
            Arguments.tensor(OPERATOR, "weight", weight, type, "[Cout, 9, Cin]", out.channels(), TAPS, low.channels());
            if (photo != null) {
                Arguments.tensor(
                        OPERATOR,
                        "photo weight",
                        photoWeight,
                        type,
                        "[Cout, 9, 4]",
                        out.channels(),
                        TAPS,
                        PhotoPlanes.PLANES);
                Arguments.aligned(OPERATOR, "photo weight", photoWeight, PAIR_BYTES);
            }
            if (bias != null) {
                Arguments.tensor(OPERATOR, "bias", bias, FP32, "[Cout]", out.channels());
            }
            o.check(OPERATOR, out.height());
            o.checkNoNorm(OPERATOR);
            int to = o.to(out.height());
            Arguments.check(o.from() % 2 == 0 && to % 2 == 0, OPERATOR, "rows", "even ones", o.from() + " to " + to);
            out.expectRows(OPERATOR, "out", o.from(), to);
            low.expectRows(OPERATOR, "low", o.from() / 2 - 1, to / 2 + 1);
            out.expectApart(OPERATOR, "out", "low", low);
            out.expectApart(OPERATOR, "out", "weight", weight);
        }

        Launch launch() {
            ParameterBlock parameters = ParameterBlock.create();
            if (photo != null) {
                photo.write(parameters);
            }
            int rows = o.count(out.height());
            int blocks = o.columnBlocks(out.width());
            parameters
                    .pointer(out.rows())
                    .pointer(low.rows())
                    .pointer(weight)
                    .pointer(photoWeight)
                    .pointer(bias)
                    .pointer(o.columns())
                    .pointer(o.overflow())
                    .sizes(out)
                    .sizes(low)
                    .wanted(o, out.height(), out.width())
                    .integer32(low.channels())
                    .integer32(out.channels())
                    .activation(o.activation(), o.slope())
                    .integer32(o.overflowBits());
            long positions = rows * o.columnCount(out.width());
            long elements = positions * out.channels();
            long flops = elements / 4 * low.channels() * TAPS * 2 + elements * SHIFT_FLOPS;
            long bytes =
                    (elements + positions / 4 * low.channels()) * out.type().bytes() + weight.bytes();
            if (photo == null) {
                bytes += elements * out.type().bytes();
            } else {
                flops += elements * TAPS * PhotoPlanes.PLANES * 2;
                bytes += photo.bytes() * rows / Math.max(1, out.height()) + photoWeight.bytes();
            }
            return new Launch(
                    OPERATOR,
                    OPERATOR
                            + (photo == null ? "_fuse_" : "_fuse_photo_")
                            + out.type().suffix(),
                    Math.multiplyExact(blocks, ceilDiv(out.channels(), FUSE_CHANNELS)),
                    ceilDiv(rows, FUSE_ROWS),
                    1,
                    parameters,
                    flops,
                    bytes);
        }
    }

    /** Of the plain alpha, weight2 is null; bias and trimap may be null. */
    record HeadCall(
            Tensor alpha,
            FeatureMap in,
            Tensor weight,
            Tensor bias,
            Tensor weight2,
            float bias2,
            Tensor trimap,
            Tensor notNumbers,
            MapOptions o) {
        private boolean isPlain() {
            return weight2 == null;
        }

        void check(Device device) {
            Arguments.type(OPERATOR, "alpha", alpha, ElementType.U8, ElementType.U16, FP32);
            Arguments.shape(OPERATOR, "alpha", alpha, "[H, W]", Arguments.ANY, Arguments.ANY);
            Arguments.notNull(OPERATOR, "in", in);
            Arguments.supported(OPERATOR, "in", in.rows(), device);
            Arguments.range(OPERATOR, "H", alpha.size(0), 0, in.height());
            Arguments.range(OPERATOR, "W", alpha.size(1), 0, in.width());
            if (isPlain()) {
                Arguments.tensor(OPERATOR, "weight", weight, in.type(), "[1, 9, Cin]", 1, TAPS, in.channels());
            } else {
                in.expect(OPERATOR, "in", in.type(), Arguments.ANY, Arguments.ANY, HEAD_INPUTS);
                Arguments.tensor(OPERATOR, "weight", weight, in.type(), "[16, 9, 32]", HEAD_HIDDEN, TAPS, HEAD_INPUTS);
                Arguments.aligned(OPERATOR, "weight", weight, PAIR_BYTES);
                Arguments.tensor(OPERATOR, "weight2", weight2, FP32, "[16]", HEAD_HIDDEN);
            }
            if (bias != null) {
                Arguments.tensor(OPERATOR, "bias", bias, FP32, "[16]", HEAD_HIDDEN);
            }
            if (trimap != null) {
                Arguments.tensor(OPERATOR, "trimap", trimap, ElementType.U8, "[H, W]", alpha.size(0), alpha.size(1));
                Arguments.distinct(OPERATOR, "alpha", alpha, "trimap", trimap);
            }
            Arguments.tensor(OPERATOR, "not numbers", notNumbers, ElementType.I32, "[1]", 1);
            Arguments.notNull(OPERATOR, "options", o);
            int height = Math.toIntExact(alpha.size(0));
            o.check(OPERATOR, height);
            o.checkNoNorm(OPERATOR);
            in.expectRows(OPERATOR, "in", o.from() - 1L, o.to(height) + 1L);
            in.expectApart(OPERATOR, "in", "alpha", alpha);
        }

        Launch head(int blocks) {
            long rows = in.type() == FP32 ? EXACT_HEAD_ROWS : HEAD_ROWS;
            long tiles = ceilDiv(o.count(height()), rows) * tileColumns();
            long flops = positions() * HEAD_HIDDEN * (2 * TAPS * HEAD_INPUTS + 3);
            return launch("_head_", (int) Math.min(tiles, blocks), 1, flops);
        }

        Launch plain() {
            int rows = ceilDiv(o.count(height()), ALPHA_ROWS);
            return launch("_alpha_", tileColumns(), rows, 2L * TAPS * positions() * in.channels());
        }

        private int height() {
            return (int) alpha.size(0);
        }

        private int width() {
            return (int) alpha.size(1);
        }

        private int tileColumns() {
            return o.columns() == null
                    ? ceilDiv(width(), TILE_COLUMNS)
                    : Math.multiplyExact(o.columnBlocks(width()), TILES_OF_BLOCK);
        }

        private long positions() {
            return o.count(height()) * o.columnCount(width());
        }

        private Launch launch(String kernel, int gridX, int gridY, long flops) {
            int format =
                    switch (alpha.type()) {
                        case U8 -> 0;
                        case U16 -> 1;
                        default -> 2;
                    };
            ParameterBlock parameters = ParameterBlock.create()
                    .pointer(alpha)
                    .pointer(trimap)
                    .pointer(in.rows())
                    .pointer(weight)
                    .pointer(bias)
                    .pointer(weight2)
                    .pointer(o.columns())
                    .pointer(notNumbers)
                    .integer32(height())
                    .integer32(width())
                    .sizes(in)
                    .wanted(o, height(), width())
                    .integer32(in.channels())
                    .integer32(format)
                    .float32(bias2);
            long bytes = positions()
                            * ((long) in.channels() * in.type().bytes()
                                    + alpha.type().bytes()
                                    + (trimap == null ? 0 : 1))
                    + weight.bytes();
            return new Launch(
                    OPERATOR, OPERATOR + kernel + in.type().suffix(), gridX, gridY, 1, parameters, flops, bytes);
        }
    }
}
