package org.jmatte.cpu;

import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.execution.NetworkSettings;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;

/** The network's input planes, read where the user's pixels lie: normalised RGB and the trimap. */
final class Pixels {
    static final int PLANES = 4;

    private final Photo photo;
    private final Trimap trimap;
    private final ElementType operands;
    private final long photoAddress;
    private final long trimapAddress;
    private final long scale;
    private final long shift;
    private final long bytes;

    private Pixels(Photo photo, Trimap trimap, ElementType operands, long scale, long shift, long bytes) {
        this.photo = photo;
        this.trimap = trimap;
        this.operands = operands;
        this.photoAddress = photo == null ? 0 : NativeMemory.address(photo.pixels());
        this.trimapAddress = trimap == null ? 0 : NativeMemory.address(trimap.bytes());
        this.scale = scale;
        this.shift = shift;
        this.bytes = bytes;
    }

    /** Stands for an 8-bit photo while planning. */
    static Pixels planned(CpuRun run) {
        takeConstants(run);
        return new Pixels(
                null,
                null,
                run.operands(),
                0,
                0,
                (long) PLANES * run.geometry().height() * run.geometry().width());
    }

    /** Planes (value / largest value - mean) / std, and the trimap; takes a few floats from the arena. */
    static Pixels of(CpuRun run, Photo photo, Trimap trimap, NetworkSettings settings) {
        float[] mean = settings.mean();
        float[] std = settings.std();
        long scale = takeConstants(run);
        long shift = scale + mean.length * Float.BYTES;
        double largest = photo.bits() == 16 ? 65535 : 255;
        for (int c = 0; c < mean.length; c++) {
            NativeMemory.floats(scale, mean.length).put(c, (float) (1 / (largest * std[c])));
            NativeMemory.floats(shift, mean.length).put(c, -mean[c] / std[c]);
        }
        long area = (long) photo.height() * photo.width();
        return new Pixels(photo, trimap, run.operands(), scale, shift, area * (3 * photo.bits() / 8 + 1));
    }

    private static long takeConstants(CpuRun run) {
        return run.arena().take(2 * 3 * Float.BYTES);
    }

    /** Bytes of photo and trimap. */
    long bytes() {
        return bytes;
    }

    Trimap trimap() {
        return trimap;
    }

    long trimapAddress() {
        return trimapAddress;
    }

    /**
     * Rows of a matrix product, (ky * kernel + kx) * 4 + plane, for {@code columns} outputs of a convolution from
     * (row, column) on; zeros outside the photo.
     */
    void unfold(int kernel, int stride, int padding, int row, int column, int columns, long out) {
        CpuKernels.unfold_pixels(
                photoAddress,
                photo.bits(),
                photo.rowStride(),
                trimapAddress,
                trimap.values() == Trimap.Values.SNAP ? 1 : 0,
                photo.height(),
                photo.width(),
                scale,
                shift,
                kernel,
                stride,
                padding,
                row,
                column,
                1,
                columns,
                out,
                operands.code());
    }

    /** Planes of path-adaptive matting, which sees the trimap one-hot: {@code columns} positions from (y, first) on. */
    void planes(int y, int first, int columns, long out) {
        CpuKernels.input_planes(
                photoAddress,
                photo.bits(),
                photo.rowStride(),
                trimapAddress,
                photo.height(),
                photo.width(),
                scale,
                shift,
                y,
                first,
                columns,
                out,
                operands.code());
    }

    /** The planes as the source of a 3x3 convolution with padding 1. */
    StripStage.Unfold convolution(int stride) {
        return (y, first, columns, out) -> unfold(3, stride, 1, y, first, columns, out);
    }
}
