package org.jmatte.cpu;

import java.nio.FloatBuffer;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.execution.ActiveArea;

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

    /** Takes the memory of a map of which all rows are held. */
    static FeatureMap whole(CpuRun run, int channels, int scale) {
        int height = run.geometry().canvasHeight() / scale;
        int width = run.geometry().canvasWidth() / scale;
        long address = run.arena().take(run.operands().bytes((long) height * width * channels));
        return new FeatureMap(height, width, channels, scale, 0, 0, height, run.operands(), address);
    }

    /** The values of a map of which all rows are held; not to be written, and valid as long as the map. */
    FloatBuffer values() {
        if (ring < height) {
            throw new IllegalStateException("only " + ring + " of the map's " + height + " rows are held");
        }
        return NativeMemory.floats(address, (long) height * width * channels, type);
    }

    /** The row up to which this map is produced for a strip that ends at a row of the image. */
    int producedUpTo(int stripEnd) {
        return Math.min(height, stripEnd / scale + ahead);
    }

    /** Whether a region of this map influences a pixel of the area. */
    boolean reaches(ActiveArea area, int y, int x, int regionHeight, int regionWidth) {
        return area.reaches(scale, reach, y, x, regionHeight, regionWidth);
    }

    /** Address of a position. */
    long at(int y, int x) {
        return address + type.bytes(((long) (y % ring) * width + x) * channels);
    }

    /** The map's rows for a 3x3 convolution's outputs (y, first) to (y, first + columns - 1). */
    void unfold(int stride, int y, int first, int columns, long out) {
        unfold(stride, y, first, 1, columns, out, 9L * channels);
    }

    /** The same for several rows of outputs, {@code pitch} elements apart from position to position. */
    void unfold(int stride, int y, int first, int rows, int columns, long out, long pitch) {
        CpuKernels.unfold3x3(
                address, type.code(), ring, height, width, channels, stride, y, first, rows, columns, out, pitch);
    }

    /** This map as the source of a 3x3 convolution. */
    StripStage.Unfold convolution(int stride) {
        return (y, first, columns, out) -> unfold(stride, y, first, columns, out);
    }

    /** This map and another of its size, concatenated, as the source of a 3x3 convolution. */
    StripStage.Unfold convolutionWith(FeatureMap other) {
        long pitch = 9L * (channels + other.channels);
        return (y, first, columns, out) -> {
            unfold(1, y, first, 1, columns, out, pitch);
            other.unfold(1, y, first, 1, columns, out + type.bytes(9L * channels), pitch);
        };
    }

    /** Bytes of the whole map. */
    long bytes() {
        return type.bytes(area() * channels);
    }

    long area() {
        return (long) height * width;
    }
}
