package org.jmatte.gpu;

import java.nio.ByteBuffer;
import java.util.List;
import org.jmatte.execution.NetworkSettings;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.EmbedPatches;
import org.jmatte.kernels.EmbedPatches.Planes;
import org.jmatte.kernels.PhotoPlanes;
import org.jmatte.kernels.Tensor;

/**
 * The user's pixels on the device, as they are: photo, trimap and alpha.
 *
 * @param photo [height, 3 width] u8 or u16
 * @param trimap [height, width] u8
 * @param alpha [height, width] u8, u16 or fp32
 * @param snap whether the trimap knows one kind of unknown only
 * @param settings know mean and deviation of the photo's channels
 */
record DeviceImages(Tensor photo, Tensor trimap, Tensor alpha, boolean snap, NetworkSettings settings) {

    static DeviceImages take(GpuRun run, int bits, Alpha.Format format, boolean snap, NetworkSettings settings) {
        long height = run.geometry().height();
        long width = run.geometry().width();
        ElementType values =
                switch (format) {
                    case U8 -> ElementType.U8;
                    case U16 -> ElementType.U16;
                    case F32 -> ElementType.FP32;
                };
        return new DeviceImages(
                run.take(bits == 16 ? ElementType.U16 : ElementType.U8, height, 3 * width),
                run.take(ElementType.U8, height, width),
                run.take(values, height, width),
                snap,
                settings);
    }

    /** Equal for images of one size that lie and are read alike. */
    List<?> layout() {
        return List.of(photo.type(), alpha.type(), snap);
    }

    /** Copies the input, and alpha as it is so far. */
    void upload(GpuRun run, Photo from, Trimap known, Alpha prepared) {
        int row = Math.toIntExact(photo.size(1) * photo.type().bytes());
        ByteBuffer pixels = from.pixels();
        run.transfers().upload(photo.pointer(), from.height(), y -> pixels.slice((int) (y * from.rowStride()), row));
        run.transfers().upload(trimap.pointer(), known.bytes());
        run.transfers().upload(alpha.pointer(), prepared.values());
    }

    /** Copies alpha back. */
    void download(GpuRun run, Alpha to) {
        run.transfers().download(to.values(), alpha.pointer());
    }

    /** Patches of the tokens from {@code first} on, as rows. */
    void unfold(GpuRun run, Tensor out, int gridWidth, int first) {
        EmbedPatches.unfold(
                run.device(),
                out,
                photo,
                trimap,
                planes(run.operands(), settings, bits(), snap),
                gridWidth,
                first,
                run.stream());
    }

    /** How pixels become operands of the patch embedding: in 16 bits, by numbers that all of them hold exactly. */
    static Planes planes(ElementType operands, NetworkSettings settings, int bits, boolean snap) {
        return operands == ElementType.FP32
                ? Planes.normalised(settings.mean(), settings.std(), bits, snap)
                : Planes.exact(settings.mean(), settings.std(), bits, snap);
    }

    private int bits() {
        return 8 * photo.type().bytes();
    }

    /** The planes that the decoder's convolutions read. */
    PhotoPlanes planes() {
        float[] mean = settings.mean();
        float[] std = settings.std();
        float largest = bits() == 16 ? 65535 : 255;
        float[] scale = new float[mean.length];
        float[] shift = new float[mean.length];
        for (int c = 0; c < mean.length; c++) {
            scale[c] = 1 / (largest * std[c]);
            shift[c] = -mean[c] / std[c];
        }
        return new PhotoPlanes(photo, trimap, snap, scale, shift);
    }
}
