package org.jmatte.image;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A photo as the networks read it: interleaved R, G, B of 8 bits, or of 16 bits in native byte order, in a direct
 * buffer. Pixel (y, x) starts at byte {@code y * rowStride + x * 3 * bits / 8}.
 */
public final class Photo {
    private static final Logger LOG = LoggerFactory.getLogger(Photo.class);

    private final ByteBuffer pixels;
    private final int height;
    private final int width;
    private final int bits;
    private final long rowStride;

    private Photo(ByteBuffer pixels, int height, int width, int bits, long rowStride) {
        this.pixels = pixels;
        this.height = height;
        this.width = width;
        this.bits = bits;
        this.rowStride = rowStride;
    }

    /**
     * Copies an image of any kind. Values of RGB and grey images are taken as stored, grey is expanded, 16-bit
     * samples (and finer ones) make a 16-bit photo; other colour spaces such as CMYK are converted to 8-bit sRGB. An
     * alpha channel is ignored, with a log line.
     *
     * @throws ImageException if the pixels would exceed 2^31-1 bytes
     */
    public static Photo of(BufferedImage image) {
        return of(Objects.requireNonNull(image, "image"), Orientation.UPRIGHT, "photo");
    }

    static Photo of(BufferedImage image, Orientation orientation, String name) {
        if (image.getColorModel().hasAlpha()) {
            LOG.info("{}: the alpha channel of the photo is ignored", name);
        }
        int height = image.getHeight();
        int width = image.getWidth();
        RgbRows rows = RgbRows.of(image);
        requireFits(height, width, rows.bits(), name);
        int pixel = rows.pixelBytes();
        ByteBuffer pixels = ByteBuffer.allocateDirect(height * width * pixel);
        orientation.copy(rows, height, width, pixel, pixels);
        int seen = orientation.width(height, width);
        return new Photo(pixels, orientation.height(height, width), seen, rows.bits(), (long) seen * pixel);
    }

    /**
     * Views interleaved R, G, B in memory without a copy. The memory must not change while the photo is in use.
     *
     * @param direct a direct buffer; the first pixel lies at its position
     * @param height in pixels, at least 1
     * @param width in pixels, at least 1
     * @param bits of a sample: 8, or 16 for shorts in native byte order
     * @param rowStrideBytes from one row's start to the next, at least {@code width * 3 * bits / 8}; even for 16 bits
     * @throws ImageException naming the argument that does not fit
     */
    public static Photo wrap(ByteBuffer direct, int height, int width, int bits, long rowStrideBytes) {
        Objects.requireNonNull(direct, "direct");
        requireDirect(direct);
        requireSides(height, width);
        if (bits != 8 && bits != 16) {
            throw new ImageException("bits: expected 8 or 16, got " + bits);
        }
        long row = width * 3L * bits / 8;
        if (rowStrideBytes < row) {
            throw new ImageException("rowStrideBytes: a row of " + width + " pixels of 3 x " + bits + " bits takes "
                    + row + " bytes, got " + rowStrideBytes);
        }
        if (bits == 16 && (rowStrideBytes % 2 != 0 || direct.alignmentOffset(direct.position(), 2) != 0)) {
            throw new ImageException((rowStrideBytes % 2 != 0 ? "rowStrideBytes" : "direct")
                    + ": 16-bit samples must start at even addresses; use an even stride and position");
        }
        // divided, not multiplied: the stride may be any long
        if (direct.remaining() < row || (direct.remaining() - row) / rowStrideBytes < height - 1) {
            throw new ImageException("direct: " + height + " rows of " + row + " bytes, " + rowStrideBytes
                    + " bytes apart, are more than the " + direct.remaining() + " bytes remaining");
        }
        return new Photo(direct.slice(), height, width, bits, rowStrideBytes);
    }

    /** Rows. */
    public int height() {
        return height;
    }

    /** Pixels of a row. */
    public int width() {
        return width;
    }

    /** Bits of a sample: 8 or 16. */
    public int bits() {
        return bits;
    }

    /** Bytes from one row's start to the next. */
    public long rowStride() {
        return rowStride;
    }

    /** The pixels from index 0 on: direct, in native byte order, read-only. */
    public ByteBuffer pixels() {
        return pixels.asReadOnlyBuffer().order(ByteOrder.nativeOrder());
    }

    /** An 8-bit RGB copy, for looking at and drawing on. */
    public BufferedImage toImage() {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
        byte[] target = ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
        ByteBuffer source = pixels();
        byte[] row = new byte[width * 3];
        for (int y = 0; y < height; y++) {
            int start = Math.toIntExact(y * rowStride);
            if (bits == 8) {
                source.get(start, row);
            } else {
                for (int i = 0; i < row.length; i++) {
                    int sample = Short.toUnsignedInt(source.getShort(start + 2 * i));
                    row[i] = (byte) ((sample * 255L + 32767) / 65535);
                }
            }
            int at = y * row.length;
            for (int i = 0; i < row.length; i += 3) {
                target[at + i] = row[i + 2];
                target[at + i + 1] = row[i + 1];
                target[at + i + 2] = row[i];
            }
        }
        return image;
    }

    @Override
    public String toString() {
        return "Photo[" + width + "x" + height + ", " + bits + " bits]";
    }

    /** Copies row {@code y} into {@code target} as values in 0..1: red, green and blue of every pixel. */
    void row(int y, float[] target) {
        ByteBuffer row = pixels().position(Math.toIntExact(y * rowStride));
        if (bits == 8) {
            byte[] samples = new byte[3 * width];
            row.get(samples);
            for (int i = 0; i < samples.length; i++) {
                target[i] = (samples[i] & 255) / 255f;
            }
        } else {
            short[] samples = new short[3 * width];
            row.asShortBuffer().get(samples);
            for (int i = 0; i < samples.length; i++) {
                target[i] = Short.toUnsignedInt(samples[i]) / 65535f;
            }
        }
    }

    /** Refuses a photo whose packed pixels one buffer cannot hold. */
    static void requireFits(int height, int width, int bits, String name) {
        long bytes = 3L * bits / 8 * height * width;
        if (bytes > Integer.MAX_VALUE) {
            throw new ImageException(name + ": too large: " + width + "x" + height + " pixels of 3 x " + bits
                    + " bits are " + bytes + " bytes, and at most 2147483647 are supported; scale it down or cut it");
        }
    }

    static void requireDirect(ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            throw new ImageException(
                    "direct: a direct buffer is needed, got one on the Java heap;" + " use ByteBuffer.allocateDirect");
        }
    }

    static void requireSides(int height, int width) {
        if (height < 1 || width < 1) {
            throw new ImageException(
                    (height < 1
                            ? "height: at least 1 expected, got " + height
                            : "width: at least 1 expected, got " + width));
        }
    }
}
