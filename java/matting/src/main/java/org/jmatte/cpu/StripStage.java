package org.jmatte.cpu;

import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jmatte.execution.ActiveArea;

/**
 * One map of a convolutional part, produced strip after strip: full-width strips of the image, of which every map keeps
 * the rows that the next strip needs. So each row of each map is computed once, and no map at full resolution is whole.
 */
abstract class StripStage {
    /** Writes the rows of a 3x3 convolution's matrix product for the outputs (y, first) to (y, first + columns - 1). */
    @FunctionalInterface
    interface Unfold {
        void rows(int y, int first, int columns, long out);
    }

    final CpuRun run;
    /** Reserved by the stage, taken for all of them together. */
    final Scratch scratch = new Scratch();

    private final ActiveArea active;
    private final LongAdder skipped = new LongAdder();
    private int produced;

    /** @param active where pixels are wanted */
    StripStage(CpuRun run, ActiveArea active) {
        this.run = run;
        this.active = active;
    }

    /** Produces the maps of all stages, each from those before it, for {@code height} rows of the image. */
    static void produce(CpuRun run, List<StripStage> stages, int height) {
        Scratch.takeShared(run, stages.stream().map(stage -> stage.scratch).toList());
        int strip = run.tiling().strip();
        for (int top = 0; top < height; top += strip) {
            int bottom = Math.min(top + strip, run.geometry().canvasHeight());
            stages.forEach(stage -> stage.produceFor(bottom));
        }
        for (StripStage stage : stages) {
            run.countDecoded((long) stage.produced * stage.decodedColumns());
            run.count(stage.computed(stage.flops()), stage.computed(stage.movedBytes()));
        }
    }

    /** Whether a region influences a wanted pixel; one that does not is to be skipped. */
    final boolean isWanted(FeatureMap map, int y, int x, int rows, int columns) {
        boolean wanted = map.reaches(active, y, x, rows, columns);
        if (!wanted) {
            skipped.add((long) rows * columns);
        }
        return wanted;
    }

    /** What is left of the whole map's work without the regions that were skipped. */
    private long computed(long work) {
        return work - Math.round((double) work * skipped.sum() / area());
    }

    /** Produces what is missing for the strip that ends at a row of the image. */
    private void produceFor(int stripEnd) {
        int to = producedUpTo(stripEnd);
        if (to > produced) {
            rows(produced, to);
            produced = to;
        }
    }

    /** The row up to which this stage must have come for a strip. */
    abstract int producedUpTo(int stripEnd);

    /** Produces the rows from {@code from} to {@code to} - 1. */
    abstract void rows(int from, int to);

    /** Columns of a map that is decoded at full resolution; 0 for stages that make other maps. */
    int decodedColumns() {
        return 0;
    }

    /** Positions of the map. */
    abstract long area();

    /** Floating-point operations for the whole image. */
    abstract long flops();

    /** Bytes read and written for the whole image. */
    abstract long movedBytes();
}
