package org.jmatte.cpu;

import org.jmatte.cpu.Linear.Epilogue;
import org.jmatte.execution.ActiveArea;

/** map = act(3x3 convolution), a row's block of columns at a time. */
final class StripConvolution extends StripStage {
    /** Most columns of a block of pixels that needs no products. */
    static final int MOST_COLUMNS = 128;
    /** Most bytes of a block's columns, per channel: so many operands stay in a core's cache. */
    private static final int MOST_BYTES = 512;

    private final FeatureMap map;
    private final Linear linear;
    private final Unfold source;
    private final Blocks blocks;
    private final Rows product;
    private final long unfoldedAt;
    private final long inner;

    StripConvolution(CpuRun run, ActiveArea active, Linear linear, Epilogue activation, FeatureMap map, Unfold source) {
        super(run, active);
        this.map = map;
        this.linear = linear;
        this.source = source;
        blocks = Blocks.of(map.width(), MOST_BYTES / map.type().bytes());
        product = Rows.exact(linear, map.type(), activation, blocks.size(), blocks.last());
        unfoldedAt = scratch.reserve(map.type().bytes((long) blocks.size() * linear.inputs()));
        inner = scratch.reserveFor(product);
    }

    @Override
    int producedUpTo(int stripEnd) {
        return map.producedUpTo(stripEnd);
    }

    @Override
    void rows(int from, int to) {
        run.forEach((long) (to - from) * blocks.count(), (task, slot) -> {
            int y = from + (int) (task / blocks.count());
            int first = blocks.first(task % blocks.count());
            int columns = blocks.size(task % blocks.count());
            if (isWanted(map, y, first, 1, columns)) {
                source.rows(y, first, columns, scratch.at(slot, unfoldedAt));
                product.run(columns, scratch.at(slot, unfoldedAt), map.at(y, first), scratch.at(slot, inner));
            }
        });
    }

    @Override
    long area() {
        return map.area();
    }

    @Override
    long flops() {
        return linear.flops(map.area());
    }

    @Override
    long movedBytes() {
        return 2 * map.type().bytes(map.area() * map.channels()) + linear.bytes();
    }
}
