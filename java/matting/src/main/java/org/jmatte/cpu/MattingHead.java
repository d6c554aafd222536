package org.jmatte.cpu;

import java.util.concurrent.atomic.AtomicLong;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.cpu.Linear.Epilogue;
import org.jmatte.execution.ActiveArea;
import org.jmatte.image.Alpha;

/** alpha = sigmoid(1x1 convolution of ReLU(3x3 convolution of the map)), written where the user reads it. */
final class MattingHead extends StripStage {
    private final Linear hidden;
    private final long weights;
    private final float bias;
    private final FeatureMap map;
    private final Alpha alpha;
    private final long alphaAddress;
    private final long trimap;
    private final Blocks blocks;
    private final Rows product;
    private final long unfoldedAt;
    private final long hiddenAt;
    private final long inner;

    /**
     * @param weights address of the last convolution's weights
     * @param alpha null while planning
     * @param trimap address of the trimap whose known values replace the result, or 0
     */
    MattingHead(
            CpuRun run,
            ActiveArea active,
            Linear hidden,
            long weights,
            float bias,
            FeatureMap map,
            Alpha alpha,
            long trimap) {
        super(run, active);
        this.hidden = hidden;
        this.weights = weights;
        this.bias = bias;
        this.map = map;
        this.alpha = alpha;
        this.alphaAddress = alpha == null ? 0 : NativeMemory.address(alpha.values());
        this.trimap = trimap;
        blocks = Blocks.of(run.geometry().width(), StripConvolution.MOST_COLUMNS);
        product = Rows.padded(hidden, ElementType.FP32, Epilogue.RELU, blocks.size(), blocks.last());
        unfoldedAt = scratch.reserve(map.type().bytes((long) Rows.padded(blocks.size()) * hidden.inputs()));
        hiddenAt = scratch.reserve((long) Rows.padded(blocks.size()) * hidden.outputs() * Float.BYTES);
        inner = scratch.reserveFor(product);
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
            if (!isWanted(map, y, first, 1, columns)) {
                return;
            }
            map.unfold(1, y, first, columns, scratch.at(slot, unfoldedAt));
            product.run(columns, scratch.at(slot, unfoldedAt), scratch.at(slot, hiddenAt), scratch.at(slot, inner));
            notNumbers.addAndGet(CpuKernels.matting_head(
                    scratch.at(slot, hiddenAt),
                    weights,
                    bias,
                    trimap,
                    y,
                    first,
                    1,
                    columns,
                    run.geometry().width(),
                    alphaAddress,
                    alpha.format().ordinal()));
        });
        requireNumbers(notNumbers.get(), from, to);
    }

    /** @throws ArithmeticException if there were results that are not numbers, in the rows {@code from} to {@code to} - 1 */
    static void requireNumbers(long others, int from, int to) {
        if (others > 0) {
            throw new ArithmeticException("alpha is not a number at " + others + " pixels of the rows " + from + " to "
                    + (to - 1) + ": the checkpoint's weights, or the type they run in, do not fit this photo; "
                    + "try fp32");
        }
    }

    @Override
    long flops() {
        return hidden.flops(area()) + 2 * area() * hidden.outputs();
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
