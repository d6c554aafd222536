package org.jmatte.cpu;

import org.jmatte.execution.ActiveArea;

/** The network's input planes as a map, from the user's pixels. */
final class InputPlanes extends StripStage {
    /** Channels of the map: six planes and two of zeros. */
    static final int CHANNELS = 8;

    private final Pixels pixels;
    private final FeatureMap map;
    private final Blocks blocks;

    InputPlanes(CpuRun run, ActiveArea active, Pixels pixels, FeatureMap map) {
        super(run, active);
        this.pixels = pixels;
        this.map = map;
        blocks = Blocks.of(map.width(), StripConvolution.MOST_COLUMNS);
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
                pixels.planes(y, first, columns, map.at(y, first));
            }
        });
    }

    @Override
    long area() {
        return map.area();
    }

    @Override
    long flops() {
        return 0;
    }

    @Override
    long movedBytes() {
        return pixels.bytes() + map.type().bytes(map.area() * CHANNELS);
    }
}
