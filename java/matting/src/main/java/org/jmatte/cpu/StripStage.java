package org.jmatte.cpu;

import java.util.List;

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

    private int produced;

    StripStage(CpuRun run) {
        this.run = run;
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
            run.count(stage.flops(), stage.movedBytes());
        }
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

    /** Floating-point operations for the whole image. */
    abstract long flops();

    /** Bytes read and written for the whole image. */
    abstract long movedBytes();
}
