package org.jmatte.cpu;

import java.util.concurrent.atomic.AtomicLong;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.execution.ActiveArea;
import org.jmatte.image.Alpha;

/** alpha = 3x3 convolution of the map, clamped to 0..1, written where the user reads it. */
final class AlphaConvolution extends StripStage {
    /** [9, channels] */
    private final long weights;

    private final float bias;
    private final FeatureMap map;
    private final Alpha alpha;
    private final long trimap;
    private final Blocks blocks;

    /**
     * @param alpha null while planning
     * @param trimap address of the trimap whose known values replace the result, or 0
     */
    AlphaConvolution(
            CpuRun run, ActiveArea active, long weights, float bias, FeatureMap map, Alpha alpha, long trimap) {
        super(run, active);
        this.weights = weights;
        this.bias = bias;
        this.map = map;
        this.alpha = alpha;
        this.trimap = trimap;
        blocks = Blocks.of(run.geometry().width(), StripConvolution.MOST_COLUMNS);
    }

    @Override
    int producedUpTo(int stripEnd) {
        return Math.min(stripEnd, run.geometry().height());
    }

    @Override
    void rows(int from, int to) {
        AtomicLong notNumbers = new AtomicLong();
        run.forEach((long) (to - from) * blocks.count(), (task, slot) -> {
            int y = from + (int) (task / blocks.count());
            int first = blocks.first(task % blocks.count());
            int columns = blocks.size(task % blocks.count());
            if (isWanted(map, y, first, 1, columns)) {
                notNumbers.addAndGet(CpuKernels.alpha_convolution(
                        map.address(),
                        map.type().code(),
                        map.ring(),
                        map.height(),
                        map.width(),
                        weights,
                        bias,
                        trimap,
                        y,
                        first,
                        columns,
                        run.geometry().width(),
                        NativeMemory.address(alpha.values()),
                        alpha.format().ordinal()));
            }
        });
        MattingHead.requireNumbers(notNumbers.get(), from, to);
    }

    @Override
    long flops() {
        return 2 * 9 * area() * map.channels();
    }

    @Override
    long movedBytes() {
        return map.type().bytes(area() * map.channels()) + area();
    }

    @Override
    long area() {
        return (long) run.geometry().height() * run.geometry().width();
    }
}
