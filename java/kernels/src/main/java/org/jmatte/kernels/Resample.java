package org.jmatte.kernels;

import static org.jmatte.kernels.Launch.ceilDiv;

/**
 * Bilinear resampling of a map to any size, with half-pixel centres: position i of n reads at {@code max(0, (i + 1/2) size
 * / n - 1/2)}, the upper neighbour limited to the last position.
 *
 * <p>{@code in} is [h, w, C], {@code out} is [H, W, C] of the same type: fp32, fp16 or bf16. Interpolated in fp32, rounded
 * once. Kernels: {@code kernels/resample.cu}.
 */
public final class Resample {
    private static final String OPERATOR = "resample";

    private static final int THREADS = 256;
    private static final int PACK_BYTES = 16;
    /** Rows are the second axis of the grid. */
    private static final int MOST_ROWS = 65535;

    /** Per element: three interpolations of two products and a sum. */
    private static final int FLOPS = 9;

    private Resample() {}

    /** The whole map. */
    public static void run(Device device, FeatureMap out, FeatureMap in, Stream stream) {
        rows(device, out, in, 0, Arguments.notNull(OPERATOR, "out", out).height(), stream);
    }

    /** Rows {@code from} to {@code to - 1} of the output, at most 65535. */
    public static void rows(Device device, FeatureMap out, FeatureMap in, int from, int to, Stream stream) {
        Call call = new Call(out, in, from, to);
        call.check(device);
        device.launch(call.launch(), stream);
    }

    record Call(FeatureMap out, FeatureMap in, int from, int to) {
        void check(Device device) {
            Arguments.notNull(OPERATOR, "out", out);
            Arguments.notNull(OPERATOR, "in", in);
            Arguments.supported(OPERATOR, "in", in.rows(), device);
            out.expect(OPERATOR, "out", in.type(), Arguments.ANY, Arguments.ANY, in.channels());
            Arguments.range(OPERATOR, "first row", from, 0, out.height());
            Arguments.range(OPERATOR, "row after the last", to, from, Math.min(out.height(), from + (long) MOST_ROWS));
            if (to > from && out.width() > 0) {
                Arguments.check(in.height() > 0 && in.width() > 0, OPERATOR, "in", "positions to read", in);
                out.expectRows(OPERATOR, "out", from, to);
                in.expectRows(OPERATOR, "in", low(from), low(to - 1) + 2L);
            }
            out.expectApart(OPERATOR, "out", "in", in);
        }

        /** The first row that a row of the output reads. */
        private int low(int row) {
            return Math.min(in.height() - 1, (int) Math.max(0, (row + 0.5f) * scale(in.height(), out.height()) - 0.5f));
        }

        private static float scale(int in, int out) {
            return (float) ((double) in / Math.max(1, out));
        }

        Launch launch() {
            int elements = PACK_BYTES / in.type().bytes();
            long packs = ceilDiv(in.channels(), elements);
            ParameterBlock parameters = ParameterBlock.create()
                    .pointer(out.rows())
                    .pointer(in.rows())
                    .sizes(in)
                    .sizes(out)
                    .integer32(from)
                    .integer32(to)
                    .integer32(in.channels())
                    .float32(scale(in.height(), out.height()))
                    .float32(scale(in.width(), out.width()));
            long results = (long) (to - from) * out.width() * out.channels();
            long read = to > from ? (long) Math.min(in.height(), low(to - 1) + 2 - low(from)) * in.width() : 0;
            return new Launch(
                    OPERATOR,
                    OPERATOR + "_" + in.type().suffix(),
                    Math.toIntExact(ceilDiv(out.width() * packs, THREADS)),
                    to - from,
                    1,
                    parameters,
                    FLOPS * results,
                    (results + read * in.channels()) * in.type().bytes());
        }
    }
}
