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

    private final Linear fc1;
    private final Linear fc2;
    private final Tensor depthwise;
    private final Tensor depthwiseBias;
    private final Tensor gateKernel;

    Refinement(GpuWeights weights, String block) {
        String name = block + ".efficient_block.";
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
        int band = band(run);
        int ring = Math.min(height, band + 2 * HALO);
        run.scratch(() -> {
            Tensor map = run.take(ring, width, hidden);
            Tensor g = run.take(band, width, hidden);
            Tensor converted = run.takeConverted((long) band * width, fc1.inputs());
            Tensor partial = run.take(ElementType.FP32, partialRows(run, band), hidden);
            Tensor mean = run.take(ElementType.FP32, hidden);
            int produced = 0;
            long parts = 0;
            for (int top = 0; top < height; top += band) {
                int bottom = Math.min(top + band, height);
                while (produced < Math.min(bottom + HALO, height)) {
                    int slot = produced % ring;
                    int rows = Math.min(Math.min(bottom + HALO, height) - produced, Math.min(ring - slot, band));
                    Tensor stream = x.rows((long) produced * width, (long) rows * width);
                    Tensor to = map.rows(slot, rows).reshape((long) rows * width, hidden);
                    fc1.run(run, to, run.operands(stream, converted), Gemm.Options.NONE.gelu());
                    produced += rows;
                }
                int rows = bottom - top;
                long summed = Ltrm.partialRows(run.device(), rows, width, hidden);
                Ltrm.depthwise(
                        run.device(),
                        g.rows(0, rows),
                        partial.rows(parts, summed),
                        map,
                        depthwise,
                        depthwiseBias,
                        height,
                        top,
                        run.stream());
                parts += summed;
                fc2.run(
                        run,
                        y.rows((long) top * width, (long) rows * width),
                        g.rows(0, rows).reshape((long) rows * width, hidden));
            }
            Ltrm.mean(run.device(), mean, partial, (long) height * width, run.stream());
            Ltrm.gate(run.device(), gate, fc2.weight(), fc2.bias(), mean, gateKernel, run.stream());
        });
    }

    /** Rows of the grid at once: in a ring with its halo, in g, and perhaps converted. */
    private int band(GpuRun run) {
        int height = run.geometry().gridHeight();
        long width = run.geometry().gridWidth();
        long hidden = fc1.outputs();
        long sums = ceilDiv(height, SUMMED_ROWS) * 2 * ceilDiv(width, SUMMED_COLUMNS) * hidden * Float.BYTES;
        long row = width * hidden * run.operands().bytes();
        long rowBytes = 2 * row + width * run.converted(fc1.inputs()) * run.operands().bytes();
        return run.tiling().even(run.arena().mark() + 2 * HALO * row + sums, rowBytes, run.tiling().band(), height);
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
