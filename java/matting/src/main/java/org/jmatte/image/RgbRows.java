package org.jmatte.image;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorConvertOp;
import java.awt.image.ColorModel;
import java.awt.image.ComponentSampleModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.DataBufferInt;
import java.awt.image.DataBufferUShort;
import java.awt.image.DirectColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.awt.image.SinglePixelPackedSampleModel;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The rows of any {@link BufferedImage} as packed R, G, B of 8 bits, or of 16 bits in native order.
 *
 * <p>Grey and RGB values are taken as stored, whatever colour space is attached: {@code BufferedImage.getRGB} would
 * brighten greys, which Java holds to be linear. Grey is expanded, alpha dropped. Other colour spaces (CMYK, Lab)
 * are converted to 8-bit sRGB. The common layouts are copied straight from the data arrays.
 */
final class RgbRows implements Orientation.Rows {
    private static final VarHandle SHORTS =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.nativeOrder());

    private final int bits;
    private final Orientation.Rows rows;

    private RgbRows(int bits, Orientation.Rows rows) {
        this.bits = bits;
        this.rows = rows;
    }

    static RgbRows of(BufferedImage image) {
        ColorModel colors = image.getColorModel();
        if (colors instanceof IndexColorModel palette) {
            return new RgbRows(8, palette(image.getRaster(), palette));
        }
        int space = colors.getColorSpace().getType();
        if (space != ColorSpace.TYPE_GRAY && space != ColorSpace.TYPE_RGB) {
            return new RgbRows(8, converted(image));
        }
        Raster raster = image.getRaster();
        DataBuffer data = raster.getDataBuffer();
        boolean plain = !(colors.hasAlpha() && colors.isAlphaPremultiplied());
        if (plain && raster.getSampleModel() instanceof ComponentSampleModel model) {
            if (data instanceof DataBufferByte bytes && allOf(colors, 8)) {
                return new RgbRows(8, bytes(raster, model, bytes));
            }
            if (data instanceof DataBufferUShort shorts && allOf(colors, 16)) {
                return new RgbRows(16, shorts(raster, model, shorts));
            }
        }
        if (plain
                && colors instanceof DirectColorModel direct
                && raster.getSampleModel() instanceof SinglePixelPackedSampleModel model
                && data instanceof DataBufferInt ints
                && allOf(colors, 8)) {
            return new RgbRows(8, packed(raster, model, ints, direct));
        }
        return samples(raster, colors);
    }

    /** 8 or 16. */
    int bits() {
        return bits;
    }

    /** Bytes of one packed pixel: 3 or 6. */
    int pixelBytes() {
        return 3 * bits / 8;
    }

    @Override
    public void read(int y, byte[] target, int offset) {
        rows.read(y, target, offset);
    }

    private static boolean allOf(ColorModel colors, int bits) {
        for (int c = 0; c < colors.getNumColorComponents(); c++) {
            if (colors.getComponentSize(c) != bits) {
                return false;
            }
        }
        return true;
    }

    private static Orientation.Rows palette(Raster raster, IndexColorModel palette) {
        int width = raster.getWidth();
        int[] colors = new int[palette.getMapSize()];
        palette.getRGBs(colors);
        int[] row = new int[width];
        return (y, target, offset) -> {
            raster.getSamples(0, y, width, 1, 0, row);
            for (int x = 0, o = offset; x < width; x++, o += 3) {
                int rgb = colors[row[x]];
                target[o] = (byte) (rgb >> 16);
                target[o + 1] = (byte) (rgb >> 8);
                target[o + 2] = (byte) rgb;
            }
        };
    }

    private static Orientation.Rows bytes(Raster raster, ComponentSampleModel model, DataBufferByte data) {
        byte[][] banks = data.getBankData();
        int[] band = bands(model);
        byte[] red = banks[model.getBankIndices()[band[0]]];
        byte[] green = banks[model.getBankIndices()[band[1]]];
        byte[] blue = banks[model.getBankIndices()[band[2]]];
        int[] origin = origins(raster, model, band);
        int width = raster.getWidth();
        int step = model.getPixelStride();
        return (y, target, offset) -> {
            int at = y * model.getScanlineStride();
            for (int x = 0, o = offset; x < width; x++, o += 3, at += step) {
                target[o] = red[origin[0] + at];
                target[o + 1] = green[origin[1] + at];
                target[o + 2] = blue[origin[2] + at];
            }
        };
    }

    private static Orientation.Rows shorts(Raster raster, ComponentSampleModel model, DataBufferUShort data) {
        short[][] banks = data.getBankData();
        int[] band = bands(model);
        short[] red = banks[model.getBankIndices()[band[0]]];
        short[] green = banks[model.getBankIndices()[band[1]]];
        short[] blue = banks[model.getBankIndices()[band[2]]];
        int[] origin = origins(raster, model, band);
        int width = raster.getWidth();
        int step = model.getPixelStride();
        return (y, target, offset) -> {
            int at = y * model.getScanlineStride();
            for (int x = 0, o = offset; x < width; x++, o += 6, at += step) {
                SHORTS.set(target, o, red[origin[0] + at]);
                SHORTS.set(target, o + 2, green[origin[1] + at]);
                SHORTS.set(target, o + 4, blue[origin[2] + at]);
            }
        };
    }

    /** The bands of red, green and blue: one band three times where there is only grey (and alpha). */
    private static int[] bands(ComponentSampleModel model) {
        return model.getNumBands() < 3 ? new int[] {0, 0, 0} : new int[] {0, 1, 2};
    }

    /** Where pixel (0, 0) of each band lies in its bank. */
    private static int[] origins(Raster raster, ComponentSampleModel model, int[] band) {
        int[] origins = new int[3];
        for (int c = 0; c < 3; c++) {
            origins[c] = raster.getDataBuffer().getOffsets()[model.getBankIndices()[band[c]]]
                    + model.getOffset(-raster.getSampleModelTranslateX(), -raster.getSampleModelTranslateY(), band[c]);
        }
        return origins;
    }

    private static Orientation.Rows packed(
            Raster raster, SinglePixelPackedSampleModel model, DataBufferInt data, DirectColorModel colors) {
        int[] pixels = data.getData();
        int red = Integer.numberOfTrailingZeros(colors.getRedMask());
        int green = Integer.numberOfTrailingZeros(colors.getGreenMask());
        int blue = Integer.numberOfTrailingZeros(colors.getBlueMask());
        int width = raster.getWidth();
        int origin = data.getOffset()
                + model.getOffset(-raster.getSampleModelTranslateX(), -raster.getSampleModelTranslateY());
        return (y, target, offset) -> {
            int at = origin + y * model.getScanlineStride();
            for (int x = 0, o = offset; x < width; x++, o += 3) {
                int pixel = pixels[at + x];
                target[o] = (byte) (pixel >> red);
                target[o + 1] = (byte) (pixel >> green);
                target[o + 2] = (byte) (pixel >> blue);
            }
        };
    }

    /** Any other layout of grey or RGB: 5-6-5, floats, 32-bit integers, premultiplied alpha (divided out again). */
    private static RgbRows samples(Raster raster, ColorModel colors) {
        int width = raster.getWidth();
        int channels = colors.getNumColorComponents();
        int bands = raster.getNumBands();
        boolean divide = colors.hasAlpha() && colors.isAlphaPremultiplied();
        double[] tops = new double[bands];
        boolean fine = false;
        for (int b = 0; b < bands; b++) {
            tops[b] = top(colors, b);
            fine |= b < channels && tops[b] > 255;
        }
        int bits = fine || isReal(colors) ? 16 : 8;
        double[] row = new double[width * bands];
        Orientation.Rows rows = (y, target, offset) -> {
            raster.getPixels(0, y, width, 1, row);
            int o = offset;
            for (int x = 0; x < width; x++) {
                double alpha = divide ? row[x * bands + channels] / tops[channels] : 1;
                for (int c = 0; c < 3; c++) {
                    int b = channels < 3 ? 0 : c;
                    double stored = row[x * bands + b];
                    // 32-bit samples come back as signed integers
                    double value = stored < 0 && tops[b] > Integer.MAX_VALUE ? stored + tops[b] + 1 : stored;
                    int sample = quantize(value / tops[b] / alpha, bits);
                    if (bits == 8) {
                        target[o++] = (byte) sample;
                    } else {
                        SHORTS.set(target, o, (short) sample);
                        o += 2;
                    }
                }
            }
        };
        return new RgbRows(bits, rows);
    }

    private static boolean isReal(ColorModel colors) {
        return colors.getTransferType() == DataBuffer.TYPE_FLOAT || colors.getTransferType() == DataBuffer.TYPE_DOUBLE;
    }

    /** The stored value that means 1. */
    private static double top(ColorModel colors, int component) {
        if (isReal(colors)) {
            return 1;
        }
        boolean signed = colors.getTransferType() == DataBuffer.TYPE_SHORT;
        return signed ? Short.MAX_VALUE : Math.scalb(1.0, colors.getComponentSize(component)) - 1;
    }

    /** Rounds 0..1 to an integer; only 0 and less (or not a number) become 0, only 1 and more the top value. */
    private static int quantize(double value, int bits) {
        int top = (1 << bits) - 1;
        if (!(value > 0)) {
            return 0;
        }
        return value >= 1 ? top : Math.max(1, Math.min(top - 1, (int) Math.round(value * top)));
    }

    private static Orientation.Rows converted(BufferedImage image) {
        ColorConvertOp toSrgb = new ColorConvertOp(null);
        // row by row, so that no second whole image is held
        BufferedImage line = new BufferedImage(image.getWidth(), 1, BufferedImage.TYPE_3BYTE_BGR);
        RgbRows read = of(line);
        return (y, target, offset) -> {
            toSrgb.filter(image.getSubimage(0, y, image.getWidth(), 1), line);
            read.read(0, target, offset);
        };
    }
}
