package org.jmatte.cpu;

/** One map of the decoder, produced strip after strip. */
abstract class DecoderStage {
    /** Writes the rows of a 3x3 convolution's matrix product for the outputs (y, first) to (y, first + columns - 1). */
    @FunctionalInterface
    interface Unfold {
        void rows(int y, int first, int columns, long out);
    }

    final CpuRun run;
    /** Reserved by the stage, taken by the decoder. */
    final Scratch scratch = new Scratch();

    private int produced;

    DecoderStage(CpuRun run) {
        this.run = run;
    }

    /** Produces what is missing for the strip that ends at a row of the image. */
    final void produceFor(int stripEnd) {
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

    /** Floating-point operations for the whole image. */
    abstract long flops();

    /** Bytes read and written for the whole image. */
    abstract long movedBytes();
}
