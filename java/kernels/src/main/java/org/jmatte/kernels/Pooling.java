package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.Launch.ceilDiv;

import java.util.List;

/**
 * Averages of a map over the cells of an n x n grid: cell i of an axis of size s is positions {@code floor(i s / n)} to
 * {@code ceil((i + 1) s / n) - 1}; cells overlap where n does not divide the size, and repeat where it is larger. With n =
 * 1, the mean over all positions.
 *
 * <p>{@code in} is [H, W, C] fp32, fp16 or bf16, {@code out} is [n, n, C] of the same type or fp32. Sums are in fp32 and
 * always in the same order. Kernels: {@code kernels/pooling.cu}, two launches.
 */
public final class Pooling {
    private static final String OPERATOR = "pooling";

    private static final int THREADS = 256;
    private static final int FINISH_CHANNELS = 32;
    /** Blocks to aim for: a few for each multiprocessor of a large card. The same on all, since sums depend on it. */
    private static final int BLOCKS = 512;

    private static final int MOST_CELLS = 255;

    private Pooling() {}

    /** Bytes of scratch that a call needs. */
    public static long scratchBytes(int height, int channels, int n) {
        return (long) n * n * slices(height, n) * channels * FP32.bytes();
    }

    /** Parts of a cell's rows that are added on their own. */
    private static int slices(int height, int n) {
        int rows = ceilDiv(height, n);
        return Math.max(1, Math.min(rows, BLOCKS / (n * n)));
    }

    /**
     * @param scratch at least {@link #scratchBytes}, at a multiple of 4 bytes
     */
    public static void run(Device device, Tensor out, FeatureMap in, Tensor scratch, Stream stream) {
        Call call = new Call(out, in, scratch);
        call.check(device);
        for (Launch launch : call.launches()) {
            device.launch(launch, stream);
        }
    }

    record Call(Tensor out, FeatureMap in, Tensor scratch) {
        private int n() {
            return (int) out.size(0);
        }

        void check(Device device) {
            Arguments.notNull(OPERATOR, "in", in);
            Arguments.supported(OPERATOR, "in", in.rows(), device);
            Arguments.check(in.height() > 0 && in.width() > 0, OPERATOR, "in", "positions to read", in);
            in.expectRows(OPERATOR, "in", 0, in.height());
            Arguments.type(OPERATOR, "out", out, in.type(), FP32);
            Arguments.shape(OPERATOR, "out", out, "[n, n, C]", Arguments.ANY, Arguments.ANY, in.channels());
            Arguments.range(OPERATOR, "n", out.size(0), 1, MOST_CELLS);
            Arguments.shape(OPERATOR, "out", out, "[n, n, C]", out.size(0), out.size(0), in.channels());
            Arguments.notNull(OPERATOR, "scratch", scratch);
            long least = scratchBytes(in.height(), in.channels(), n());
            Arguments.check(scratch.bytes() >= least, OPERATOR, "scratch", "at least " + least + " bytes", scratch);
            Arguments.aligned(OPERATOR, "scratch", scratch, FP32.bytes());
            in.expectApart(OPERATOR, "in", "scratch", scratch);
            Arguments.distinct(OPERATOR, "scratch", scratch, "out", out);
            in.expectApart(OPERATOR, "in", "out", out);
        }

        List<Launch> launches() {
            int n = n();
            int slices = slices(in.height(), n);
            long partials = (long) n * n * slices * in.channels();
            long read = (long) in.height() * in.width() * in.channels();
            ParameterBlock partial = ParameterBlock.create()
                    .pointer(scratch)
                    .pointer(in.rows())
                    .sizes(in)
                    .integer32(in.channels())
                    .integer32(n)
                    .integer32(slices);
            ParameterBlock finish = ParameterBlock.create()
                    .pointer(out)
                    .pointer(scratch)
                    .integer32(in.height())
                    .integer32(in.width())
                    .integer32(in.channels())
                    .integer32(n)
                    .integer32(slices);
            return List.of(
                    new Launch(
                            OPERATOR,
                            OPERATOR + "_partial_" + in.type().suffix(),
                            slices,
                            n * n,
                            ceilDiv(in.channels(), THREADS),
                            partial,
                            read,
                            read * in.type().bytes() + partials * FP32.bytes()),
                    new Launch(
                            OPERATOR,
                            OPERATOR + "_finish_" + out.type().suffix(),
                            ceilDiv(in.channels(), FINISH_CHANNELS),
                            n * n,
                            1,
                            finish,
                            partials,
                            partials * FP32.bytes() + out.bytes()));
        }
    }
}
