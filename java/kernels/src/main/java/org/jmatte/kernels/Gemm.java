package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.jmatte.kernels.Launch.ceilDiv;

import java.util.function.Consumer;

/**
 * Matrix product with epilogue, the linear layers and 1x1 convolutions: {@code d = act(a w' + bias)}, and with
 * {@link Options} {@code d[scatter] = act(a[gather] w' + bias) * scale + residual[scatter]}.
 *
 * <p>{@code a} is [M, K], {@code w} is [N, K] as linear layers store it, both fp32, fp16 or bf16 (bf16 from sm_80 on);
 * {@code d} is [M, N] of the same type or fp32; {@code bias} is [N] fp32, or null. Sums and epilogue are in fp32, {@code
 * d} is rounded once. Any size works; fp16 and bf16 are several times faster where {@code a} and {@code w} start at
 * multiples of 16 bytes and K is a multiple of 8. Kernels: {@code kernels/gemm.cu}.
 */
public final class Gemm {
    private static final String OPERATOR = "gemm";

    /** Rows of D that a block computes. */
    private static final int BLOCK_M = 128;
    /** Elements of 16 bits in 16 bytes. */
    private static final int CHUNK = 8;

    private static final int CHUNK_BYTES = 16;
    /** So that every row, column and k of the last block is an int. */
    private static final int MOST = Integer.MAX_VALUE - 2 * BLOCK_M;

    private Gemm() {}

    /** d = a w' + bias. */
    public static void run(Device device, Tensor d, Tensor a, Tensor w, Tensor bias, Stream stream) {
        run(device, d, a, w, bias, Options.NONE, stream);
    }

    /**
     * d[scatter] = act(a[gather] w' + bias) * scale + residual[scatter], as the options say.
     *
     * @param d [M, N], or [any, N] with scatter; apart from a and w
     * @param a [M, K], or [any, K] with gather
     */
    public static void run(Device device, Tensor d, Tensor a, Tensor w, Tensor bias, Options options, Stream stream) {
        Call call = new Call(d, a, w, bias, Arguments.notNull(OPERATOR, "options", options));
        call.check(device);
        device.launch(call.launch(call.strategy(device.multiprocessors())), stream);
    }

    /** What comes with the product, from {@link #NONE} on; each method returns a copy with one thing more. */
    public static final class Options {
        public static final Options NONE = new Options();

        private Activation activation = Activation.IDENTITY;
        private float slope;
        private Tensor scale;
        private Tensor residual;
        private boolean residualFirst;
        private Tensor gather;
        private Tensor scatter;
        private Tensor count;
        private Tensor overflow;
        private int overflowBits;
        private boolean slices;

        private Options() {}

        private Options(Options o) {
            activation = o.activation;
            slope = o.slope;
            scale = o.scale;
            residual = o.residual;
            residualFirst = o.residualFirst;
            gather = o.gather;
            scatter = o.scatter;
            count = o.count;
            overflow = o.overflow;
            overflowBits = o.overflowBits;
            slices = o.slices;
        }

        private Options with(Consumer<Options> change) {
            Options copy = new Options(this);
            change.accept(copy);
            return copy;
        }

        /** act(v) = v Phi(v). */
        public Options gelu() {
            return with(o -> o.activation = Activation.GELU);
        }

        /** act(v) = max(v, 0). */
        public Options relu() {
            return leakyRelu(0);
        }

        /** act(v) = v where v is positive, else slope * v. */
        public Options leakyRelu(float slope) {
            return with(o -> {
                o.activation = Activation.LEAKY_RELU;
                o.slope = slope;
            });
        }

        /** Multiplies column n by {@code scale[n]} after the activation. @param scale [N] fp32 */
        public Options scale(Tensor scale) {
            return with(o -> o.scale = scale);
        }

        /** Adds a residual last. @param residual of d's shape and type, may be d itself */
        public Options add(Tensor residual) {
            return with(o -> {
                o.residual = residual;
                o.residualFirst = false;
            });
        }

        /**
         * Adds a residual before the activation: the sum so far, when a product is computed in parts along K.
         *
         * @param residual of d's shape and type, may be d itself
         */
        public Options addFirst(Tensor residual) {
            return with(o -> {
                o.residual = residual;
                o.residualFirst = true;
            });
        }

        /** Takes row {@code gather[i]} of a as row i; a negative index is a row of zeros. @param gather [M] i32 */
        public Options gather(Tensor gather) {
            return with(o -> o.gather = gather);
        }

        /**
         * Puts row i into row {@code scatter[i]} of d; a negative index drops it. The residual's rows are those of d.
         *
         * @param scatter [M] i32, no row of d twice
         */
        public Options scatter(Tensor scatter) {
            return with(o -> o.scatter = scatter);
        }

        /** Computes the first {@code count[0]} rows only, a number that the device knows. @param count [1] i32 */
        public Options count(Tensor count) {
            return with(o -> o.count = count);
        }

        /** Sets bits in a flag when an element of d is not finite. @param flag [1] i32, set to 0 before */
        public Options overflow(Tensor flag, int bits) {
            return with(o -> {
                o.overflow = flag;
                o.overflowBits = bits;
            });
        }

        /**
         * Lets a, d and the residual be slices of wider rows: a tensor [rows, pitch] that starts at the slice's first
         * element stands for its first K or N columns. The caller sees to it that what is written overlaps nothing that
         * is read.
         */
        public Options slices() {
            return with(o -> o.slices = true);
        }
    }

    /** The kernels' ways to cut D. */
    enum Strategy {
        /** The most work for what is loaded. */
        WIDE("128x128", 128),
        /** Less is idle where blocks are few or N is no multiple of 128. */
        NARROW("128x64", 64),
        /** Loads element by element. */
        UNALIGNED("unaligned", 64),
        /** fp32. */
        PLAIN(null, 64);

        private final String infix;
        private final int blockN;

        Strategy(String infix, int blockN) {
            this.infix = infix;
            this.blockN = blockN;
        }
    }

    /** A call's tensors; bias and those of the options may be null. */
    record Call(Tensor d, Tensor a, Tensor w, Tensor bias, Options o) {
        private long m() {
            return o.gather == null ? a.size(0) : o.gather.size(0);
        }

        private long n() {
            return w.size(0);
        }

        private long k() {
            return w.size(1);
        }

        void check(Device device) {
            Arguments.type(OPERATOR, "a", a, FP32, FP16, BF16);
            Arguments.supported(OPERATOR, "a", a, device);
            Arguments.tensor(OPERATOR, "w", w, a.type(), "[N, K]", Arguments.ANY, Arguments.ANY);
            Arguments.range(OPERATOR, "K", k(), 1, MOST);
            Arguments.range(OPERATOR, "N", n(), 0, MOST);
            matrix("a", a, "[M, K]", Arguments.ANY, k());
            if (o.gather != null) {
                Arguments.tensor(OPERATOR, "gather", o.gather, I32, "[M]", Arguments.ANY);
            }
            Arguments.range(OPERATOR, "M", m(), 0, MOST);
            if (a.type() == FP32) {
                Arguments.type(OPERATOR, "d", d, FP32);
            } else {
                Arguments.type(OPERATOR, "d", d, a.type(), FP32);
            }
            matrix("d", d, "[M, N]", o.scatter == null ? m() : Arguments.ANY, n());
            optional("bias", bias, FP32, "[N]", n());
            optional("scale", o.scale, FP32, "[N]", n());
            if (o.residual != null) {
                Arguments.type(OPERATOR, "residual", o.residual, d.type());
                matrix("residual", o.residual, "[M, N]", d.size(0), n());
            }
            optional("scatter", o.scatter, I32, "[M]", m());
            optional("count", o.count, I32, "[1]", 1);
            optional("overflow", o.overflow, I32, "[1]", 1);
            Arguments.distinct(OPERATOR, "d", d, "w", w);
            if (!o.slices) {
                Arguments.distinct(OPERATOR, "d", d, "a", a);
                if (o.residual != null && o.residual.pointer() != d.pointer()) {
                    Arguments.distinct(OPERATOR, "residual", o.residual, "d", d);
                }
            }
            Arguments.range(OPERATOR, "blocks of 128x64", blocks(64), 0, Integer.MAX_VALUE);
        }

        private void matrix(String argument, Tensor tensor, String names, long rows, long columns) {
            if (o.slices && tensor.axes() == 2 && tensor.size(1) > columns) {
                Arguments.shape(OPERATOR, argument, tensor, names, rows, Arguments.ANY);
            } else {
                Arguments.shape(OPERATOR, argument, tensor, names, rows, columns);
            }
        }

        private static void optional(String argument, Tensor tensor, ElementType type, String names, long size) {
            if (tensor != null) {
                Arguments.tensor(OPERATOR, argument, tensor, type, names, size);
            }
        }

        private long blocks(int blockN) {
            return ceilDiv(m(), BLOCK_M) * (ceilDiv(n(), blockN));
        }

        /**
         * The fastest kernel. The busiest multiprocessor decides: what it computes, at about a tenth more for each element
         * of a narrow block.
         */
        Strategy strategy(int multiprocessors) {
            if (a.type() == FP32) {
                return Strategy.PLAIN;
            }
            if (k() % CHUNK != 0 || a.size(1) % CHUNK != 0 || unaligned(a) || unaligned(w)) {
                return Strategy.UNALIGNED;
            }
            long wide = ceilDiv(blocks(128), multiprocessors) * 20;
            long narrow = ceilDiv(blocks(64), multiprocessors) * 11;
            return narrow < wide ? Strategy.NARROW : Strategy.WIDE;
        }

        private static boolean unaligned(Tensor tensor) {
            return tensor.pointer() % CHUNK_BYTES != 0;
        }

        Launch launch(Strategy strategy) {
            ParameterBlock parameters = ParameterBlock.create()
                    .pointer(d)
                    .pointer(a)
                    .pointer(w)
                    .pointer(bias)
                    .pointer(o.scale)
                    .pointer(o.residual)
                    .pointer(o.gather)
                    .pointer(o.scatter)
                    .pointer(o.count)
                    .pointer(o.overflow)
                    .integer64(d.size(1))
                    .integer64(a.size(1))
                    .integer64(k())
                    .integer64(o.residual == null ? 0 : o.residual.size(1))
                    .integer32(m())
                    .integer32(n())
                    .integer32(k())
                    .activation(o.activation, o.slope)
                    .integer32(o.residualFirst ? 1 : 0)
                    .integer32(o.overflowBits);
            long results = m() * n() * d.type().bytes();
            long bytes = m() * k() * a.type().bytes() + w.bytes() + results;
            bytes += o.residual == null ? 0 : results;
            for (Tensor vector : new Tensor[] {bias, o.scale, o.gather, o.scatter, o.count}) {
                bytes += vector == null ? 0 : vector.bytes();
            }
            return new Launch(
                            OPERATOR,
                            kernel(strategy),
                            Math.toIntExact(blocks(strategy.blockN)),
                            1,
                            1,
                            parameters,
                            2 * m() * n() * k(),
                            bytes)
                    .withCore(core());
        }

        /** Null where rows are gathered, scattered, counted on the device or slices of others. */
        private PlainCall core() {
            if (o.gather != null || o.scatter != null || o.count != null || a.size(1) != k() || d.size(1) != n()) {
                return null;
            }
            boolean accumulates = o.residual != null && o.residual.pointer() == d.pointer();
            boolean whole = bias == null
                    && o.activation == Activation.IDENTITY
                    && o.scale == null
                    && o.overflow == null
                    && (o.residual == null || accumulates);
            return new PlainCall.Product(d, a, w, accumulates, whole);
        }

        private String kernel(Strategy strategy) {
            String kernel = OPERATOR + (strategy.infix == null ? "" : "_" + strategy.infix) + "_" + a.type();
            return d.type() == a.type() ? kernel : kernel + "_" + d.type();
        }
    }
}
