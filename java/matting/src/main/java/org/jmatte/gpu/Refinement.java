package org.jmatte.gpu;

import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.Gemm;
import org.jmatte.kernels.Ltrm;
import org.jmatte.kernels.Tensor;

/**
 * Lightweight token refinement (LTRM): y = fc2(g), g = GELU(depthwise 5x5(GELU(fc1(stream)))), then a gate per channel,
 * 1 + sigmoid(conv1d(mean of y over all tokens)).
 *
 * <p>The hidden map exists in bands: a ring of token rows, of which the next band keeps the last four, so that each is
 * computed once. The mean of y is fc2 of the mean of g, whose sums the depthwise convolution leaves.
 */
final class Refinement {
    /** Rows above and below that the depthwise convolution reads. */
    private static final int HALO = 2;

    private static final int KERNEL = 5;
    /** Rows that a partial sum is of, at the least. */
    private static final int SUMMED_ROWS = 8;

    private static final int SUMMED_COLUMNS = 32;

    private final int place;
    private final Linear fc1;
    private final Linear fc2;
    private final Tensor depthwise;
    private final Tensor depthwiseBias;
    private final Tensor gateKernel;

    Refinement(GpuWeights weights, int block) {
        place = Overflow.mixing(block);
        String name = GpuWeights.block(block) + ".efficient_block.";
        fc1 = weights.linear(name + "fc1");
        fc2 = weights.linear(name + "fc2");
        depthwise = weights.put(
                ElementType.FP32,
                () -> weights.parameters().filters(name + "dwconv.weight"),
                KERNEL,
                KERNEL,
                fc1.outputs());
        depthwiseBias = weights.bias(name + "dwconv");
        gateKernel = weights.vector(name + "eca.conv.weight");
    }

    /**
     * Refines every token.
     *
     * @param y [N, C]: takes fc2(g)
     * @param gate [C] fp32: takes 1 + gate
     */
    void run(GpuRun run, Tensor x, Tensor y, Tensor gate) {
        int height = run.geometry().gridHeight();
        int width = run.geometry().gridWidth();
        int hidden = fc1.outputs();
        run.scratch(() -> {
            int band = band(run);
            Tensor partial = run.take(ElementType.FP32, partialRows(run, band), hidden);
            Tensor mean = run.take(ElementType.FP32, hidden);
            Hidden narrow = new Hidden(run, run.operands(), fc1, fc2, band);
            run.parts(height, band, (top, rows) -> {
                long before = top / band * Ltrm.partialRows(run.device(), band, width, hidden);
                Tensor sums = partial.rows(before, Ltrm.partialRows(run.device(), rows, width, hidden));
                run.band(
                        place,
                        "token rows",
                        top,
                        rows,
                        () -> {
                            narrow.refine(run, x, y, sums, top, rows);
                            return () -> {};
                        },
                        () -> new Hidden(run, ElementType.FP32, fc1.widened(run), fc2.widened(run), rows)
                                .refine(run, x, y, sums, top, rows));
            });
            Ltrm.mean(run.device(), mean, partial, (long) height * width, run.stream());
            Ltrm.gate(run.device(), gate, fc2.weight(), fc2.bias(), mean, gateKernel, run.stream());
        });
    }

    /** The hidden maps of one type: a ring of rows, and g of a band. Infinities in the ring reach the next band. */
    private final class Hidden {
        private final ElementType type;
        private final Linear first;
        private final Linear second;
        private final Tensor map;
        private final Tensor g;
        /** The row up to which the ring is filled. */
        private int produced;

        Hidden(GpuRun run, ElementType type, Linear first, Linear second, int band) {
            this.type = type;
            this.first = first;
            this.second = second;
            int ring = Math.min(run.geometry().gridHeight(), band + 2 * HALO);
            map = run.take(type, ring, run.geometry().gridWidth(), first.outputs());
            g = run.take(type, band, run.geometry().gridWidth(), first.outputs());
        }

        /** Refines the tokens of rows {@code top} to {@code top + rows - 1}. @param sums of g, by parts */
        void refine(GpuRun run, Tensor x, Tensor y, Tensor sums, int top, int rows) {
            int height = run.geometry().gridHeight();
            int width = run.geometry().gridWidth();
            produced = Math.max(produced, top - HALO);
            fill(run, x, Math.min(top + rows + HALO, height), rows);
            Tensor part = g.rows(0, rows);
            Ltrm.depthwise(run.device(), part, sums, map, depthwise, depthwiseBias, height, top, run.stream());
            Tensor to = y.rows((long) top * width, (long) rows * width);
            run.scratch(() -> {
                Tensor result = to.type() == type ? to : run.take(type, to.shape());
                second.run(run, result, rows(part), run.flagging(Gemm.Options.NONE, place));
                if (result != to) {
                    run.convert(to, result, place);
                }
            });
        }

        /** Fills the ring up to a row, at most so many at once. */
        private void fill(GpuRun run, Tensor x, int end, int most) {
            int width = run.geometry().gridWidth();
            while (produced < end) {
                int slot = (int) (produced % map.size(0));
                int rows = Math.min(Math.min(end - produced, most), (int) map.size(0) - slot);
                Tensor stream = x.rows((long) produced * width, (long) rows * width);
                run.scratch(() -> first.run(
                        run,
                        rows(map.rows(slot, rows)),
                        run.as(type, stream, place),
                        run.flagging(Gemm.Options.NONE.gelu(), place)));
                produced += rows;
            }
        }

        private static Tensor rows(Tensor map) {
            return map.reshape(map.size(0) * map.size(1), map.size(2));
        }
    }

    /** Rows of the grid at once: in a ring with its halo, in g, and converted. */
    private int band(GpuRun run) {
        int height = run.geometry().gridHeight();
        long width = run.geometry().gridWidth();
        long hidden = fc1.outputs();
        long bytes = run.operands().bytes();
        long sums = ceilDiv(height, SUMMED_ROWS) * 2 * ceilDiv(width, SUMMED_COLUMNS) * hidden * Float.BYTES;
        long halo = 2 * HALO * width * hidden * bytes;
        long rowBytes = (2 * hidden + run.converted(fc1.inputs())) * width * bytes;
        return run.tiling()
                .even(run.arena().mark() + halo + sums, rowBytes, run.tiling().band(), height);
    }

    private long partialRows(GpuRun run, int band) {
        int height = run.geometry().gridHeight();
        int width = run.geometry().gridWidth();
        long rows = 0;
        for (int top = 0; top < height; top += band) {
            rows += Ltrm.partialRows(run.device(), Math.min(band, height - top), width, fc1.outputs());
        }
        return rows;
    }

    private static long ceilDiv(long a, long b) {
        return (a + b - 1) / b;
    }
}
