package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.U16;
import static org.jmatte.kernels.ElementType.U8;
import static org.jmatte.kernels.Launch.ceilDiv;

/**
 * Patch embedding without its matrix product: {@link #unfold} brings the 16x16 patches of a photo and its trimap into
 * rows, {@code out[t][(ky * 16 + kx) * 4 + plane] = value * scale[plane] + shift[plane]}, which {@link Gemm} multiplies;
 * {@link #position} adds the position table [14, 14, C], resized bicubically to the grid, to its result.
 *
 * <p>Kernels: {@code kernels/embed_patches.cu}.
 */
public final class EmbedPatches {
    /** Pixels of a patch's side. */
    public static final int PATCH = 16;
    /** Red, green, blue, trimap. */
    public static final int PLANES = 4;
    /** Values of a patch: the columns of {@link #unfold}'s rows. */
    public static final int PATCH_VALUES = PATCH * PATCH * PLANES;
    /** Rows and columns of the position table. */
    public static final int TABLE = 14;

    private static final String OPERATOR = "embed_patches";

    /** What a block takes; the kernels' constants. */
    private static final int UNFOLDED_TOKENS = 64;

    private static final int UNFOLD_PARTS = 4;
    private static final int POSITION_CHANNELS = 128;
    /** Per element of the stream: four columns and the sum; the rows are combined once for many tokens. */
    private static final int POSITION_FLOPS = 9;

    private static final int MOST = Integer.MAX_VALUE - 64;

    private EmbedPatches() {}

    /**
     * How bytes become the planes' values, and what the matrix product must make up for: the network's plane is {@code
     * out * factor + offset}. Weights of a plane are multiplied by its factor, and the bias takes the sum of the plane's
     * weights times its offset. Where there is no photo, {@code out} is such that the network's plane is 0.
     */
    public static final class Planes {
        private static final int TRIMAP = 3;
        private static final double BYTE = 255;

        private final float[] scale = new float[PLANES];
        private final float[] shift = new float[PLANES];
        private final double[] factor = new double[PLANES];
        private final double[] offset = new double[PLANES];
        private final boolean snap;

        private Planes(boolean snap) {
            this.snap = snap;
        }

        /**
         * (v / largest - mean) / std and the trimap / 255 themselves: every factor is 1, every offset 0. For fp32; rounds
         * what it stores in 16 bits.
         *
         * @param mean three means, of values from 0 to 1
         * @param std three deviations
         * @param bits 8 or 16: the photo's bits per sample
         * @param snap whether trimap bytes other than 0 and 255 all stand for the unknown, 1/2
         */
        public static Planes normalised(float[] mean, float[] std, int bits, boolean snap) {
            Planes planes = new Planes(snap);
            for (int c = 0; c < TRIMAP; c++) {
                planes.set(c, 1 / (largest(bits) * std[c]), -(double) mean[c] / std[c], 1, 0);
            }
            planes.set(TRIMAP, 1 / BYTE, 0, 1, 0);
            return planes;
        }

        /**
         * (v - the 8-bit integer nearest the mean) / 64 and the trimap / 256, which fp16 and bf16 hold exactly for every
         * 8-bit value; 16-bit values are scaled alike and rounded once. Arguments as for {@link #normalised}.
         */
        public static Planes exact(float[] mean, float[] std, int bits, boolean snap) {
            Planes planes = new Planes(snap);
            for (int c = 0; c < TRIMAP; c++) {
                double nearest = Math.rint(BYTE * mean[c]);
                double scale = BYTE / largest(bits) / 64;
                planes.set(c, scale, -nearest / 64, 64 / (BYTE * std[c]), (nearest / BYTE - mean[c]) / std[c]);
            }
            planes.set(TRIMAP, 1.0 / 256, 0, 256 / BYTE, 0);
            return planes;
        }

        private static double largest(int bits) {
            Arguments.check(bits == 8 || bits == 16, OPERATOR, "bits", "8 or 16", bits);
            return bits == 8 ? BYTE : 65535;
        }

        private void set(int plane, double planeScale, double planeShift, double planeFactor, double planeOffset) {
            scale[plane] = (float) planeScale;
            shift[plane] = (float) planeShift;
            factor[plane] = planeFactor;
            offset[plane] = planeOffset;
        }

        /** What the weights of a plane are multiplied by. */
        public double factor(int plane) {
            return factor[plane];
        }

        /** What the bias takes, times the sum of the plane's weights. */
        public double offset(int plane) {
            return offset[plane];
        }

        private float pad(int plane) {
            return (float) (-offset[plane] / factor[plane]);
        }
    }

    /**
     * Patches as rows, of the tokens {@code first} to {@code first + tokens - 1} of the grid, row by row of it; what
     * is outside the photo is padding.
     *
     * @param out [tokens, 1024] fp32, fp16 or bf16
     * @param photo [height, width, 3] u8 or u16; or [height, pitch], of which the first 3 * width columns count
     * @param trimap [height, width] u8
     * @param gridWidth tokens of a grid row
     */
    public static void unfold(
            Device device,
            Tensor out,
            Tensor photo,
            Tensor trimap,
            Planes planes,
            int gridWidth,
            long first,
            Stream stream) {
        Arguments.type(OPERATOR, "out", out, FP32, FP16, BF16);
        Arguments.supported(OPERATOR, "out", out, device);
        Arguments.shape(OPERATOR, "out", out, "[tokens, 1024]", Arguments.ANY, PATCH_VALUES);
        Arguments.aligned(OPERATOR, "out", out, 16);
        Arguments.tensor(OPERATOR, "trimap", trimap, U8, "[height, width]", Arguments.ANY, Arguments.ANY);
        long height = trimap.size(0);
        long width = trimap.size(1);
        Arguments.range(OPERATOR, "height", height, 0, MOST);
        Arguments.range(OPERATOR, "width", width, 0, MOST / 3);
        Arguments.type(OPERATOR, "photo", photo, U8, U16);
        if (photo.axes() == 2) {
            Arguments.shape(OPERATOR, "photo", photo, "[height, pitch]", height, Arguments.ANY);
            Arguments.range(OPERATOR, "pitch", photo.size(1), 3 * width, Long.MAX_VALUE);
        } else {
            Arguments.shape(OPERATOR, "photo", photo, "[height, width, 3]", height, width, 3);
        }
        Arguments.notNull(OPERATOR, "planes", planes);
        tokens(out.size(0), first, gridWidth);
        device.launch(unfoldLaunch(out, photo, trimap, planes, gridWidth, first), stream);
    }

    static Launch unfoldLaunch(Tensor out, Tensor photo, Tensor trimap, Planes planes, int gridWidth, long first) {
        long tokens = out.size(0);
        long pitch = photo.axes() == 2 ? photo.size(1) : 3 * photo.size(1);
        ParameterBlock parameters = ParameterBlock.create()
                .pointer(out)
                .pointer(photo)
                .pointer(trimap)
                .integer64(pitch * photo.type().bytes())
                .integer32(planes.snap ? 1 : 0)
                .integer32(trimap.size(0))
                .integer32(trimap.size(1))
                .integer32(gridWidth)
                .integer32(first)
                .integer32(tokens);
        for (float scale : planes.scale) {
            parameters.float32(scale);
        }
        for (float shift : planes.shift) {
            parameters.float32(shift);
        }
        for (int plane = 0; plane < PLANES; plane++) {
            parameters.float32(planes.pad(plane));
        }
        long pixels = tokens * PATCH * PATCH;
        return new Launch(
                OPERATOR,
                OPERATOR + "_unfold_" + photo.type() + "_" + out.type(),
                Math.toIntExact(ceilDiv(tokens, UNFOLDED_TOKENS)),
                UNFOLD_PARTS,
                1,
                parameters,
                2 * pixels * PLANES,
                pixels * (3 * photo.type().bytes() + 1) + out.bytes());
    }

    /**
     * x[t - first] += the table, resized to the grid with cubic convolution (a = -0.75, half-pixel centres, clamped), at
     * token t, for the tokens {@code first} to {@code first + tokens - 1}.
     *
     * @param x [tokens, C] fp32, fp16 or bf16, in place
     * @param table [196, C] fp32: the grid's 14x14 positions, without the class token
     */
    public static void position(
            Device device, Tensor x, Tensor table, int gridHeight, int gridWidth, long first, Stream stream) {
        Arguments.type(OPERATOR, "x", x, FP32, FP16, BF16);
        Arguments.supported(OPERATOR, "x", x, device);
        Arguments.shape(OPERATOR, "x", x, "[tokens, C]", Arguments.ANY, Arguments.ANY);
        Arguments.range(OPERATOR, "C", x.size(1), 1, MOST);
        Arguments.tensor(OPERATOR, "table", table, FP32, "[196, C]", TABLE * TABLE, x.size(1));
        Arguments.range(OPERATOR, "gridHeight", gridHeight, 1, MOST);
        tokens(x.size(0), first, gridWidth);
        Arguments.range(OPERATOR, "first + tokens", first + x.size(0), 0, (long) gridHeight * gridWidth);
        if (x.size(1) % 4 == 0) {
            Arguments.aligned(OPERATOR, "x", x, 4 * x.type().bytes());
            Arguments.aligned(OPERATOR, "table", table, 16);
        }
        device.launch(positionLaunch(x, table, gridHeight, gridWidth, first), stream);
    }

    static Launch positionLaunch(Tensor x, Tensor table, int gridHeight, int gridWidth, long first) {
        long tokens = x.size(0);
        long rows = tokens == 0 ? 0 : (first + tokens - 1) / gridWidth - first / gridWidth + 1;
        ParameterBlock parameters = ParameterBlock.create()
                .pointer(x)
                .pointer(table)
                .integer32(first)
                .integer32(tokens)
                .integer32(gridHeight)
                .integer32(gridWidth)
                .integer32(x.size(1));
        return new Launch(
                OPERATOR,
                OPERATOR + "_position_" + x.type(),
                Math.toIntExact(rows),
                Math.toIntExact(ceilDiv(x.size(1), POSITION_CHANNELS)),
                1,
                parameters,
                POSITION_FLOPS * x.elements(),
                2 * x.bytes() + table.bytes());
    }

    private static void tokens(long tokens, long first, int gridWidth) {
        Arguments.range(OPERATOR, "gridWidth", gridWidth, 1, MOST);
        Arguments.range(OPERATOR, "first", first, 0, MOST);
        Arguments.range(OPERATOR, "tokens", tokens, 0, MOST - first);
    }
}
