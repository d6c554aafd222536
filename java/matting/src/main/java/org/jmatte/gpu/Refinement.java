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
        place = Overflow.refinement(block);
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
        run.scratch(() -> {
            if (run.isWide(place)) {
                Linear wide1 = fc1.widened(run);
                Linear wide2 = fc2.widened(run);
                refine(run, x, y, gate, wide1, wide2, ElementType.FP32);
            } else {
                refine(run, x, y, gate, fc1, fc2, run.operands());
            }
        });
    }

    /** @param type of the hidden maps and both layers' weights */
    private void refine(GpuRun run, Tensor x, Tensor y, Tensor gate, Linear first, Linear second, ElementType type) {
        int height = run.geometry().gridHeight();
        int width = run.geometry().gridWidth();
        int channels = first.inputs();
        int hidden = first.outputs();
        boolean converts = x.type() != type;
        boolean narrows = y.type() != type;
        int band = band(run, type, (converts ? channels : 0) + (narrows ? channels : 0));
        int ring = Math.min(height, band + 2 * HALO);
        long positions = (long) band * width;
        Tensor map = run.take(type, ring, width, hidden);
        Tensor g = run.take(type, band, width, hidden);
        Tensor converted = converts ? run.take(type, positions, channels) : null;
        Tensor wide = narrows ? run.take(type, positions, channels) : null;
        Tensor partial = run.take(ElementType.FP32, partialRows(run, band), hidden);
        Tensor mean = run.take(ElementType.FP32, hidden);
        Gemm.Options watched = Gemm.Options.NONE.overflow(run.overflow(), place);
        int produced = 0;
        long parts = 0;
        for (int top = 0; top < height; top += band) {
            int bottom = Math.min(top + band, height);
            int needed = Math.min(bottom + HALO, height);
            while (produced < needed) {
                int slot = produced % ring;
                int rows = Math.min(needed - produced, Math.min(ring - slot, band));
                Tensor stream = x.rows((long) produced * width, (long) rows * width);
                if (converts) {
                    run.convert(converted.rows(0, stream.size(0)), stream, place);
                    stream = converted.rows(0, stream.size(0));
                }
                first.run(run, map.rows(slot, rows).reshape(stream.size(0), hidden), stream, watched.gelu());
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
            Tensor to = y.rows((long) top * width, (long) rows * width);
            Tensor result = narrows ? wide.rows(0, to.size(0)) : to;
            second.run(run, result, g.rows(0, rows).reshape(to.size(0), hidden), watched);
            if (narrows) {
                run.convert(to, result, place);
            }
        }
        Ltrm.mean(run.device(), mean, partial, (long) height * width, run.stream());
        Ltrm.gate(run.device(), gate, second.weight(), second.bias(), mean, gateKernel, run.stream());
    }

    /** Rows of the grid at once: in a ring with its halo, in g, and so many channels besides. */
    private int band(GpuRun run, ElementType type, long besides) {
        int height = run.geometry().gridHeight();
        long width = run.geometry().gridWidth();
        long hidden = fc1.outputs();
        long sums = ceilDiv(height, SUMMED_ROWS) * 2 * ceilDiv(width, SUMMED_COLUMNS) * hidden * Float.BYTES;
        long halo = 2 * HALO * width * hidden * type.bytes();
        long rowBytes = (2 * hidden + besides) * width * type.bytes();
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
