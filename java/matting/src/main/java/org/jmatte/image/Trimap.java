package org.jmatte.image;

import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * A trimap: one byte per pixel, row-major and dense, in a direct buffer. 0 is known background, 255 known foreground,
 * anything else unknown.
 */
public final class Trimap {
    /** How the network is to see the bytes. */
    public enum Values {
        /** 0, 0.5 and 1: every byte but 0 and 255 becomes 128, which stands for 0.5. */
        SNAP,
        /** Every byte as value / 255. */
        RAW
    }

    private static final byte UNKNOWN = (byte) 128;

    private final ByteBuffer bytes;
    private final int height;
    private final int width;
    private final Values values;
    private final long unknown;

    private Trimap(ByteBuffer bytes, int height, int width, Values values) {
        this.bytes = bytes;
        this.height = height;
        this.width = width;
        this.values = values;
        this.unknown = countUnknown(bytes, height * width);
    }

    /**
     * Copies an image of any kind whose colour channels are equal: grey, RGB, palette, 1 to 16 bits. Values are taken
     * as stored; an alpha channel is ignored, with a log line. Of 16-bit values only 0 becomes 0 and only 65535
     * becomes 255.
     *
     * @throws ImageException if a pixel is not grey (the first such is named), or there are more than 2^31-1 pixels
     */
    public static Trimap of(BufferedImage image, Values values) {
        Objects.requireNonNull(values, "values");
        return of(Objects.requireNonNull(image, "image"), values, Orientation.UPRIGHT, "trimap");
    }

    static Trimap of(BufferedImage image, Values values, Orientation orientation, String name) {
        int height = image.getHeight();
        int width = image.getWidth();
        requireFits(height, width, name);
        GreyRows rows = GreyRows.of(image, "a trimap", name);
        ByteBuffer samples = ByteBuffer.allocate(width * rows.bits() / 8).order(ByteOrder.nativeOrder());
        ByteBuffer bytes = ByteBuffer.allocateDirect(height * width);
        orientation.copy(
                (y, target, offset) -> {
                    rows.read(y, samples.array(), 0);
                    for (int x = 0; x < width; x++) {
                        target[offset + x] = rows.bits() == 8
                                ? samples.get(x)
                                : (byte) reduce(Short.toUnsignedInt(samples.getShort(2 * x)));
                    }
                    if (values == Values.SNAP) {
                        snap(target, offset, width);
                    }
                },
                height,
                width,
                1,
                bytes);
        return new Trimap(bytes, orientation.height(height, width), orientation.width(height, width), values);
    }

    /**
     * Takes bytes in memory: viewed under {@code RAW}, copied under {@code SNAP}. A viewed buffer must not change
     * while the trimap is in use.
     *
     * @param direct a direct buffer of height * width bytes from its position on, row-major
     * @param height in pixels, at least 1
     * @param width in pixels, at least 1
     * @param values how the bytes are to be read
     * @throws ImageException naming the argument that does not fit
     */
    public static Trimap wrap(ByteBuffer direct, int height, int width, Values values) {
        Objects.requireNonNull(direct, "direct");
        Objects.requireNonNull(values, "values");
        Photo.requireDirect(direct);
        Photo.requireSides(height, width);
        long size = (long) height * width;
        if (direct.remaining() < size) {
            throw new ImageException("direct: a trimap of " + width + "x" + height + " pixels takes " + size
                    + " bytes, and " + direct.remaining() + " remain");
        }
        ByteBuffer view = direct.slice(direct.position(), (int) size);
        if (values == Values.RAW) {
            return new Trimap(view, height, width, values);
        }
        ByteBuffer snapped = ByteBuffer.allocateDirect((int) size);
        byte[] row = new byte[width];
        for (int y = 0; y < height; y++) {
            view.get(y * width, row);
            snap(row, 0, width);
            snapped.put(y * width, row);
        }
        return new Trimap(snapped, height, width, values);
    }

    /** Rows. */
    public int height() {
        return height;
    }

    /** Pixels of a row. */
    public int width() {
        return width;
    }

    /** How the bytes are to be read. */
    public Values values() {
        return values;
    }

    /** The {@code height * width} bytes from index 0 on: direct, read-only. */
    public ByteBuffer bytes() {
        return bytes.asReadOnlyBuffer().order(ByteOrder.nativeOrder());
    }

    /** How many pixels are unknown, that is neither 0 nor 255. */
    public long unknown() {
        return unknown;
    }

    /**
     * Requires the photo to be as large as this trimap.
     *
     * @throws ImageException with both sizes if it is not
     */
    public void requireSize(Photo photo) {
        if (photo.height() != height || photo.width() != width) {
            throw new ImageException("photo and trimap differ in size: the photo has " + photo.width() + "x"
                    + photo.height() + " pixels, the trimap " + width + "x" + height
                    + "; draw the trimap at the photo's size (EXIF orientation is already applied to both)");
        }
    }

    @Override
    public String toString() {
        return "Trimap[" + width + "x" + height + ", " + values + ", " + unknown + " unknown]";
    }

    static void requireFits(int height, int width, String name) {
        if ((long) height * width > Integer.MAX_VALUE) {
            throw new ImageException(name + ": too large: " + width + "x" + height
                    + " pixels, and at most 2147483647 are supported; scale it down or cut it");
        }
    }

    /** 16 bits to 8; what is nearly known stays unknown. */
    private static int reduce(int value) {
        if (value == 0 || value == 65535) {
            return value & 255;
        }
        return Math.max(1, Math.min(254, (value + 128) / 257));
    }

    private static void snap(byte[] row, int offset, int width) {
        for (int i = offset; i < offset + width; i++) {
            if (isUnknown(row[i])) {
                row[i] = UNKNOWN;
            }
        }
    }

    private static boolean isUnknown(byte value) {
        return value != 0 && value != (byte) 255;
    }

    private static long countUnknown(ByteBuffer bytes, int size) {
        long count = 0;
        for (int i = 0; i < size; i++) {
            if (isUnknown(bytes.get(i))) {
                count++;
            }
        }
        return count;
    }
}
