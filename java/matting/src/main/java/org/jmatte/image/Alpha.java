package org.jmatte.image;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.awt.image.DataBufferUShort;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * An alpha matte: one value in 0..1 per pixel, 0 background and 1 foreground, row-major and dense in a direct buffer.
 */
public final class Alpha {
    /** How a value is stored. */
    public enum Format {
        /** A byte: value * 255. */
        U8(1),
        /** An unsigned short in native byte order: value * 65535. */
        U16(2),
        /** A float in native byte order. */
        F32(4);

        private final int bytes;

        Format(int bytes) {
            this.bytes = bytes;
        }

        /** Bytes of one value. */
        public int bytes() {
            return bytes;
        }
    }

    private final ByteBuffer values;
    private final int height;
    private final int width;
    private final Format format;

    private Alpha(ByteBuffer values, int height, int width, Format format) {
        this.values = values;
        this.height = height;
        this.width = width;
        this.format = format;
    }

    /**
     * An alpha of zeros, to be filled through {@link #values()}.
     *
     * @param height in pixels, at least 1
     * @param width in pixels, at least 1
     * @param format how values are stored
     * @throws ImageException if a side is less than 1 or the values would exceed 2^31-1 bytes
     */
    public static Alpha allocate(int height, int width, Format format) {
        Objects.requireNonNull(format, "format");
        Photo.requireSides(height, width);
        long bytes = (long) height * width * format.bytes();
        if (bytes > Integer.MAX_VALUE) {
            throw new ImageException("alpha: too large: " + width + "x" + height + " values of " + format.bytes()
                    + " bytes are " + bytes + " bytes, and at most 2147483647 are supported; choose a smaller format");
        }
        return new Alpha(ByteBuffer.allocateDirect((int) bytes), height, width, format);
    }

    /**
     * Copies an image of any kind whose colour channels are equal: grey, RGB, palette. Values are taken as stored, as
     * {@code U8} where a channel has at most 8 bits, else as {@code U16}; an alpha channel is ignored, with a log line.
     *
     * @throws ImageException if a pixel is not grey (the first such is named), or the values would exceed 2^31-1 bytes
     */
    public static Alpha of(BufferedImage image) {
        return of(Objects.requireNonNull(image, "image"), Orientation.UPRIGHT, "alpha");
    }

    static Alpha of(BufferedImage image, Orientation orientation, String name) {
        GreyRows rows = GreyRows.of(image, "an alpha matte", name);
        int height = image.getHeight();
        int width = image.getWidth();
        Format format = rows.bits() == 8 ? Format.U8 : Format.U16;
        Alpha alpha = allocate(orientation.height(height, width), orientation.width(height, width), format);
        orientation.copy(rows, height, width, format.bytes(), alpha.values);
        return alpha;
    }

    /** Rows. */
    public int height() {
        return height;
    }

    /** Values of a row. */
    public int width() {
        return width;
    }

    /** How values are stored. */
    public Format format() {
        return format;
    }

    /** The memory of the values from index 0 on: direct, in native byte order, writable. */
    public ByteBuffer values() {
        return values.duplicate().order(ByteOrder.nativeOrder());
    }

    /** The value at row {@code y} and column {@code x}, in 0..1. */
    public float get(int y, int x) {
        Objects.checkIndex(y, height);
        Objects.checkIndex(x, width);
        return valueAt(values(), y * width + x);
    }

    /**
     * Requires the photo to be as large as this alpha.
     *
     * @throws ImageException with both sizes if it is not
     */
    public void requireSize(Photo photo) {
        if (photo.height() != height || photo.width() != width) {
            throw new ImageException("photo and alpha differ in size: the photo has " + photo.width() + "x"
                    + photo.height() + " pixels, the alpha " + width + "x" + height + "; give an alpha of this photo");
        }
    }

    /** A grey copy: 8 bits for {@code U8}, 16 bits for {@code U16} and, rounded, for {@code F32}. */
    public BufferedImage toImage() {
        ByteBuffer source = values();
        if (format == Format.U8) {
            BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY);
            source.get(((DataBufferByte) image.getRaster().getDataBuffer()).getData());
            return image;
        }
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_USHORT_GRAY);
        short[] target = ((DataBufferUShort) image.getRaster().getDataBuffer()).getData();
        if (format == Format.U16) {
            source.asShortBuffer().get(target);
        } else {
            for (int i = 0; i < target.length; i++) {
                float value = Math.max(0, Math.min(1, valueAt(source, i)));
                target[i] = (short) Math.round(value * 65535);
            }
        }
        return image;
    }

    @Override
    public String toString() {
        return "Alpha[" + width + "x" + height + ", " + format + "]";
    }

    /**
     * Copies a row as floats. Several threads may read rows at once.
     *
     * @param y the row, from 0
     * @param target receives its {@link #width()} values, in 0..1, from index 0 on
     */
    public void row(int y, float[] target) {
        Objects.checkIndex(y, height);
        Objects.checkFromIndexSize(0, width, target.length);
        ByteBuffer source = values();
        int first = y * width;
        switch (format) { // not per value: a row is then one plain loop
            case U8 -> {
                for (int x = 0; x < width; x++) {
                    target[x] = (source.get(first + x) & 255) / 255f;
                }
            }
            case U16 -> {
                for (int x = 0; x < width; x++) {
                    target[x] = Short.toUnsignedInt(source.getShort(2 * (first + x))) / 65535f;
                }
            }
            case F32 -> source.asFloatBuffer().get(first, target, 0, width);
        }
    }

    private float valueAt(ByteBuffer source, int index) {
        return switch (format) {
            case U8 -> (source.get(index) & 255) / 255f;
            case U16 -> Short.toUnsignedInt(source.getShort(2 * index)) / 65535f;
            case F32 -> source.getFloat(4 * index);
        };
    }
}
