package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.Launch.ceilDiv;

/**
 * Depthwise convolution of channels-last maps, {@code v[y, x] = bias + sum over the taps of weight[ky, kx] * x[y * stride
 * + ky - K/2, x * stride + kx - K/2]} per channel, zeros outside, and what {@link Options} add: {@code act(v)}, or {@code
 * act(norm(v))} with the layer norm over the channels.
 *
 * <p>{@code x} and {@code out} are [H, W, C] or [images, H, W, C] of one type, fp32, fp16 or bf16; K is odd, from 3 to
 * 31. Sums and norm are computed in fp32. Kernels: {@code kernels/depthwise_conv.cu}.
 */
public final class DepthwiseConv {
    private static final String OPERATOR = "depthwise_conv";

    private static final int LARGEST = 31;
    /** What the march's blocks and the others' warps take; the kernels' constants. */
    private static final int CHANNELS = 64;

    private static final int MARCH_COLUMNS = 32;
    private static final int TILE_COLUMNS = 8;
    private static final int TILES = 10;
    private static final int NORM_7_CHANNELS = 320;
    /** Weights of a kernel row, of whole groups of 64 channels, that fit beside each other. */
    private static final int NORM_WEIGHTS = 4480;

    private static final int LONGEST_MARCH = 64;
    private static final int SHORTEST_MARCH = 8;
    /** Blocks that a multiprocessor should get, two at a time. */
    private static final int BLOCKS_PER_MULTIPROCESSOR = 4;

    private static final int GELU_FLOPS = 20;
    private static final int NORM_FLOPS = 7;
    private static final int MOST = Integer.MAX_VALUE - 4096;
    private static final int MOST_Z = 65535;

    private DepthwiseConv() {}

    /** What comes with the convolution, from {@link #NONE} on; each method returns a copy with one thing more. */
    public static final class Options {
        public static final Options NONE = new Options(1, Activation.IDENTITY, 0, null, null, 0, 0, -1);

        private final int stride;
        private final Activation activation;
        private final float slope;
        private final Tensor normWeight;
        private final Tensor normBias;
        private final float eps;
        private final int from;
        /** -1 for all. */
        private final int to;

        private Options(
                int stride,
                Activation activation,
                float slope,
                Tensor normWeight,
                Tensor normBias,
                float eps,
                int from,
                int to) {
            this.stride = stride;
            this.activation = activation;
            this.slope = slope;
            this.normWeight = normWeight;
            this.normBias = normBias;
            this.eps = eps;
            this.from = from;
            this.to = to;
        }

        /** Every second row and column of the result: [ceil(H/2), ceil(W/2)]. */
        public Options stride2() {
            return new Options(2, activation, slope, normWeight, normBias, eps, from, to);
        }

        /** act(v) = v Phi(v). */
        public Options gelu() {
            return new Options(stride, Activation.GELU, 0, normWeight, normBias, eps, from, to);
        }

        /** act(v) = v where v is positive, else slope * v. */
        public Options leakyRelu(float negativeSlope) {
            return new Options(stride, Activation.LEAKY_RELU, negativeSlope, normWeight, normBias, eps, from, to);
        }

        /**
         * Normalises over the channels before the activation. C is at most 640, and K * C, C rounded up to 64, at most
         * 4480.
         *
         * @param weight [C] fp32
         * @param bias [C] fp32
         */
        public Options norm(Tensor weight, Tensor bias, float epsilon) {
            Arguments.notNull(OPERATOR, "norm weight", weight);
            Arguments.notNull(OPERATOR, "norm bias", bias);
            return new Options(stride, activation, slope, weight, bias, epsilon, from, to);
        }

        /** Only rows {@code first} to {@code end - 1} of the result, which are then all that out holds. */
        public Options rows(int first, int end) {
            return new Options(stride, activation, slope, normWeight, normBias, eps, first, end);
        }
    }

    /**
     * out = the convolution of x.
     *
     * @param out [H, W, C] or [images, H, W, C]; half the height and width, rounded up, with stride 2; as many rows as
     *     wanted
     * @param x [H, W, C] or [images, H, W, C]
     * @param weight [K, K, C] fp32
     * @param bias [C] fp32, or null
     */
    public static void run(
            Device device, Tensor out, Tensor x, Tensor weight, Tensor bias, Options options, Stream stream) {
        Call call = new Call(out, x, weight, bias, Arguments.notNull(OPERATOR, "options", options));
        call.check(device);
        device.launch(call.launch(device.multiprocessors()), stream);
    }

    /** The kernels, by what they can do. */
    enum Strategy {
        MARCH_3("march3"),
        MARCH_5("march5"),
        SEVEN("7"),
        ANY("any"),
        STRIDE_2("stride2"),
        NORM_7("norm7"),
        NORM("norm"),
        NORM_STRIDE_2("norm_stride2");

        private final String infix;

        Strategy(String infix) {
            this.infix = infix;
        }
    }

    /** A call's tensors; bias may be null. */
    record Call(Tensor out, Tensor x, Tensor weight, Tensor bias, Options o) {
        private long images() {
            return x.axes() == 4 ? x.size(0) : 1;
        }

        private long height() {
            return x.size(-3);
        }

        private long width() {
            return x.size(-2);
        }

        private long channels() {
            return x.size(-1);
        }

        private int kernel() {
            return (int) weight.size(0);
        }

        /** The row after the last wanted one. */
        private long to() {
            return o.to < 0 ? ceilDiv(height(), o.stride) : o.to;
        }

        private long rows() {
            return to() - o.from;
        }

        private long outWidth() {
            return ceilDiv(width(), o.stride);
        }

        void check(Device device) {
            Arguments.type(OPERATOR, "x", x, FP32, FP16, BF16);
            Arguments.supported(OPERATOR, "x", x, device);
            if (x.axes() == 4) {
                Arguments.shape(
                        OPERATOR,
                        "x",
                        x,
                        "[images, H, W, C]",
                        Arguments.ANY,
                        Arguments.ANY,
                        Arguments.ANY,
                        Arguments.ANY);
                checkRows();
                Arguments.tensor(
                        OPERATOR,
                        "out",
                        out,
                        x.type(),
                        "[images, rows, W / stride, C]",
                        images(),
                        rows(),
                        outWidth(),
                        channels());
            } else {
                Arguments.shape(OPERATOR, "x", x, "[H, W, C]", Arguments.ANY, Arguments.ANY, Arguments.ANY);
                checkRows();
                Arguments.tensor(
                        OPERATOR, "out", out, x.type(), "[rows, W / stride, C]", rows(), outWidth(), channels());
            }
            Arguments.range(OPERATOR, "images", images(), 0, MOST_Z);
            Arguments.range(OPERATOR, "H", height(), 0, MOST);
            Arguments.range(OPERATOR, "C", channels(), 1, (long) MOST_Z * CHANNELS);
            Arguments.range(OPERATOR, "elements of a row", width() * channels(), 0, MOST);
            Arguments.shape(OPERATOR, "weight", weight, "[K, K, C]", Arguments.ANY, Arguments.ANY, channels());
            Arguments.tensor(OPERATOR, "weight", weight, FP32, "[K, K, C]", weight.size(0), weight.size(0), channels());
            Arguments.range(OPERATOR, "K", weight.size(0), 3, LARGEST);
            Arguments.check(kernel() % 2 == 1, OPERATOR, "K", "an odd number", kernel());
            vector("bias", bias);
            vector("norm weight", o.normWeight);
            vector("norm bias", o.normBias);
            if (o.normWeight != null) {
                long most = Math.min(TILES, NORM_WEIGHTS / (kernel() * CHANNELS)) * CHANNELS;
                Arguments.range(OPERATOR, "C with a norm", channels(), 1, most);
            }
            Arguments.distinct(OPERATOR, "out", out, "x", x);
            if (channels() % 2 == 0) {
                Arguments.aligned(OPERATOR, "out", out, 2 * x.type().bytes());
                Arguments.aligned(OPERATOR, "x", x, 2 * x.type().bytes());
            }
            Arguments.aligned(OPERATOR, "weight", weight, 16);
        }

        private void checkRows() {
            long height = ceilDiv(height(), o.stride);
            Arguments.range(OPERATOR, "first row", o.from, 0, height);
            Arguments.range(OPERATOR, "row after the last", to(), o.from, height);
        }

        private void vector(String argument, Tensor tensor) {
            if (tensor != null) {
                Arguments.tensor(OPERATOR, argument, tensor, FP32, "[C]", channels());
                Arguments.aligned(OPERATOR, argument, tensor, 8);
            }
        }

        Strategy strategy() {
            boolean seven = kernel() == 7 && channels() % 4 == 0;
            if (o.normWeight != null) {
                if (o.stride == 2) {
                    return Strategy.NORM_STRIDE_2;
                }
                return seven && channels() <= NORM_7_CHANNELS ? Strategy.NORM_7 : Strategy.NORM;
            }
            if (o.stride == 2) {
                return Strategy.STRIDE_2;
            }
            if (seven) {
                return Strategy.SEVEN;
            }
            return switch (channels() % 2 == 0 ? kernel() : 0) {
                case 3 -> Strategy.MARCH_3;
                case 5 -> Strategy.MARCH_5;
                default -> Strategy.ANY;
            };
        }

        /** Output rows of a block of the march: many, for little overlap, as long as the device is filled. */
        int march(int multiprocessors) {
            long besides = images() * ceilDiv(width(), MARCH_COLUMNS) * ceilDiv(channels(), CHANNELS);
            int march = LONGEST_MARCH;
            while (march > SHORTEST_MARCH
                    && ceilDiv(rows(), march) * besides < (long) BLOCKS_PER_MULTIPROCESSOR * multiprocessors) {
                march /= 2;
            }
            while (ceilDiv(rows(), march) * images() > MOST_Z) {
                march *= 2;
            }
            return march;
        }

        Launch launch(int multiprocessors) {
            Strategy strategy = strategy();
            int march = march(multiprocessors);
            long groups = ceilDiv(channels(), CHANNELS);
            long gridX;
            long gridY = groups;
            long gridZ = images();
            switch (strategy) {
                case MARCH_3, MARCH_5 -> {
                    gridX = ceilDiv(width(), MARCH_COLUMNS);
                    gridZ *= ceilDiv(rows(), march);
                }
                case NORM_7, NORM, NORM_STRIDE_2 -> {
                    gridX = ceilDiv(tiles(), TILES / groups);
                    gridY = 1;
                }
                default -> gridX = ceilDiv(tiles(), TILES);
            }
            ParameterBlock parameters = ParameterBlock.create()
                    .pointer(out)
                    .pointer(x)
                    .pointer(weight)
                    .pointer(bias)
                    .pointer(o.normWeight)
                    .pointer(o.normBias)
                    .integer32(height())
                    .integer32(width())
                    .integer32(channels())
                    .integer32(kernel())
                    .integer32(o.from)
                    .integer32(rows())
                    .integer32(march)
                    .activation(o.activation, o.slope)
                    .float32(o.eps);
            long perElement = 2L * kernel() * kernel()
                    + (o.normWeight == null ? 0 : NORM_FLOPS)
                    + (o.activation == Activation.GELU ? GELU_FLOPS : 0);
            long read = Math.min(height(), (to() - 1) * o.stride + kernel() / 2 + 1)
                    - Math.max(0, (long) o.from * o.stride - kernel() / 2);
            long bytes = (rows() == 0 ? 0 : x.bytes() / height() * read) + out.bytes() + weight.bytes();
            for (Tensor vector : new Tensor[] {bias, o.normWeight, o.normBias}) {
                bytes += vector == null ? 0 : vector.bytes();
            }
            return new Launch(
                    OPERATOR,
                    OPERATOR + "_" + strategy.infix + "_" + x.type(),
                    Math.toIntExact(gridX),
                    Math.toIntExact(gridY),
                    Math.toIntExact(gridZ),
                    parameters,
                    out.elements() * perElement,
                    bytes);
        }

        /** Of 8 columns, and 2 rows at stride 1. */
        private long tiles() {
            return ceilDiv(outWidth(), TILE_COLUMNS) * ceilDiv(rows(), o.stride == 1 ? 2 : 1);
        }
    }
}
