package org.jmatte.cpu;

import org.jmatte.bindings.cpu.CpuKernels;

/**
 * A feature map [height, width, channels] of the decoder, of which a ring of rows is in memory: row y lies in slot y
 * modulo the ring.
 *
 * @param scale pixels of the image per row and column of the map
 * @param ahead rows below a strip's end that the later maps need for that strip
 * @param reach pixels beyond a position's own that its value can influence
 * @param ring rows in memory
 * @param address of the first slot
 */
record FeatureMap(
        int height,
        int width,
        int channels,
        int scale,
        int ahead,
        int reach,
        int ring,
        ElementType type,
        long address) {

    /**
     * Takes a map's memory from the arena.
     *
     * @param behind rows above a strip that are still read when its last ones are produced
     */
    static FeatureMap take(CpuRun run, int channels, int scale, int ahead, int behind, int reach) {
        int height = run.geometry().canvasHeight() / scale;
        int width = run.geometry().canvasWidth() / scale;
        int ring = Math.min(height, run.tiling().strip() / scale + ahead + behind);
        long bytes = run.operands().bytes((long) ring * width * channels);
        return new FeatureMap(
                height,
                width,
                channels,
                scale,
                ahead,
                reach,
                ring,
                run.operands(),
                run.arena().take(bytes));
    }

    /** The row up to which this map is produced for a strip that ends at a row of the image. */
    int producedUpTo(int stripEnd) {
        return Math.min(height, stripEnd / scale + ahead);
    }

    /** Address of a position. */
    long at(int y, int x) {
        return address + type.bytes(((long) (y % ring) * width + x) * channels);
    }

    /** The map's rows for a 3x3 convolution's outputs (y, first) to (y, first + columns - 1). */
    void unfold(int stride, int y, int first, int columns, long out) {
        CpuKernels.unfold3x3(address, type.code(), ring, height, width, channels, stride, y, first, 1, columns, out);
    }

    /** This map as the source of a 3x3 convolution. */
    DecoderStage.Unfold convolution(int stride) {
        return (y, first, columns, out) -> unfold(stride, y, first, columns, out);
    }

    long area() {
        return (long) height * width;
    }
}
