package org.jmatte.image;

import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.util.stream.IntStream;

/**
 * Pictures made from a foreground's colours and its alpha, with as many bits per sample as the foreground has. Values
 * are mixed as they are stored, in fp32: no gamma is undone.
 */
public final class Compositing {
    /** Makes a row of a picture: all samples of its pixels, in 0..1. */
    @FunctionalInterface
    private interface Rows {
        void row(int y, float[] samples);
    }

    private Compositing() {}

    /** The foreground's colours alone: RGB. */
    public static BufferedImage opaque(Photo foreground) {
        return draw(foreground, 3, foreground::row);
    }

    /**
     * The object cut out: RGBA, the colours not multiplied by alpha.
     *
     * @throws ImageException if the sizes differ, or one picture cannot hold so many pixels
     */
    public static BufferedImage cutout(Photo foreground, Alpha alpha) {
        alpha.requireSize(foreground);
        int width = foreground.width();
        return draw(foreground, 4, (y, samples) -> {
            float[] colors = new float[3 * width];
            float[] opacity = new float[width];
            foreground.row(y, colors);
            alpha.row(y, opacity);
            for (int x = 0; x < width; x++) {
                System.arraycopy(colors, 3 * x, samples, 4 * x, 3);
                samples[4 * x + 3] = opacity[x];
            }
        });
    }

    /**
     * The object over a background: RGB, {@code alpha * foreground + (1 - alpha) * background}.
     *
     * @throws ImageException if the sizes differ
     */
    public static BufferedImage over(Photo foreground, Alpha alpha, Background background) {
        alpha.requireSize(foreground);
        int width = foreground.width();
        return draw(foreground, 3, (y, samples) -> {
            float[] colors = new float[3 * width];
            float[] opacity = new float[width];
            foreground.row(y, colors);
            alpha.row(y, opacity);
            background.row(y, samples);
            for (int x = 0; x < width; x++) {
                float a = opacity[x];
                for (int i = 3 * x; i < 3 * x + 3; i++) {
                    samples[i] = a * colors[i] + (1 - a) * samples[i];
                }
            }
        });
    }

    private static BufferedImage draw(Photo foreground, int bands, Rows rows) {
        int height = foreground.height();
        int width = foreground.width();
        if ((long) height * width * bands > Integer.MAX_VALUE) {
            throw new ImageException("foreground: too large: " + width + "x" + height + " pixels of " + bands
                    + " samples, and at most 2147483647 samples are supported; scale it down or cut it");
        }
        int type = foreground.bits() == 16 ? DataBuffer.TYPE_USHORT : DataBuffer.TYPE_BYTE;
        boolean translucent = bands == 4;
        ColorModel colors = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_sRGB),
                translucent,
                false,
                translucent ? Transparency.TRANSLUCENT : Transparency.OPAQUE,
                type);
        WritableRaster raster = Raster.createInterleavedRaster(type, width, height, bands, null);
        IntStream.range(0, height).parallel().forEach(y -> {
            float[] samples = new float[width * bands];
            rows.row(y, samples);
            raster.setDataElements(0, y, width, 1, foreground.bits() == 16 ? shorts(samples) : bytes(samples));
        });
        return new BufferedImage(colors, raster, false, null);
    }

    private static byte[] bytes(float[] samples) {
        byte[] stored = new byte[samples.length];
        for (int i = 0; i < stored.length; i++) {
            stored[i] = (byte) (samples[i] * 255 + 0.5f);
        }
        return stored;
    }

    private static short[] shorts(float[] samples) {
        short[] stored = new short[samples.length];
        for (int i = 0; i < stored.length; i++) {
            stored[i] = (short) (samples[i] * 65535 + 0.5f);
        }
        return stored;
    }
}
