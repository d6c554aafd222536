package org.jmatte.image;

import java.nio.ByteBuffer;

/** The eight ways a camera may have been held (EXIF tag 0x0112), as what is to be done to see the picture upright. */
enum Orientation {
    UPRIGHT(false, false, false),
    MIRRORED(false, true, false),
    UPSIDE_DOWN(false, true, true),
    FLIPPED(false, false, true),
    TRANSPOSED(true, false, false),
    TURN_RIGHT(true, true, false),
    TRANSVERSED(true, true, true),
    TURN_LEFT(true, false, true);

    /** Reads stored row {@code y}, packed, into {@code target} from {@code offset} on. */
    interface Rows {
        void read(int y, byte[] target, int offset);
    }

    /** Rows read before any is written: a turned picture is then written in runs, not in single pixels. */
    private static final int BAND = 32;

    private final boolean transposed;
    private final boolean mirrorX;
    private final boolean mirrorY;

    Orientation(boolean transposed, boolean mirrorX, boolean mirrorY) {
        this.transposed = transposed;
        this.mirrorX = mirrorX;
        this.mirrorY = mirrorY;
    }

    /** The orientation of an EXIF value; values outside 1..8 mean nothing and count as upright. */
    static Orientation ofExif(int value) {
        return value >= 1 && value <= 8 ? values()[value - 1] : UPRIGHT;
    }

    /** Height seen of a picture stored as {@code height} x {@code width}. */
    int height(int height, int width) {
        return transposed ? width : height;
    }

    /** Width seen of a picture stored as {@code height} x {@code width}. */
    int width(int height, int width) {
        return transposed ? height : width;
    }

    /**
     * Copies a picture upright.
     *
     * @param rows the stored rows
     * @param height stored height
     * @param width stored width
     * @param pixel bytes of one pixel
     * @param target {@code height * width * pixel} bytes from index 0, row-major as seen
     */
    void copy(Rows rows, int height, int width, int pixel, ByteBuffer target) {
        int stride = width * pixel;
        byte[] band = new byte[Math.min(BAND, height) * stride];
        for (int y = 0; y < height; y += BAND) {
            int count = Math.min(BAND, height - y);
            for (int i = 0; i < count; i++) {
                rows.read(y + i, band, i * stride);
            }
            if (transposed) {
                placeColumns(band, y, count, height, width, pixel, target);
            } else {
                placeRows(band, y, count, height, width, pixel, target);
            }
        }
    }

    private void placeRows(byte[] band, int y, int count, int height, int width, int pixel, ByteBuffer target) {
        int stride = width * pixel;
        for (int i = 0; i < count; i++) {
            if (mirrorX) {
                reverse(band, i * stride, width, pixel);
            }
            int row = mirrorY ? height - 1 - (y + i) : y + i;
            target.put(row * stride, band, i * stride, stride);
        }
    }

    private void placeColumns(byte[] band, int y, int count, int height, int width, int pixel, ByteBuffer target) {
        int stride = width * pixel;
        byte[] run = new byte[count * pixel];
        int column = mirrorX ? height - y - count : y;
        for (int x = 0; x < width; x++) {
            for (int i = 0; i < count; i++) {
                int from = (mirrorX ? count - 1 - i : i) * stride + x * pixel;
                for (int b = 0; b < pixel; b++) {
                    run[i * pixel + b] = band[from + b];
                }
            }
            int row = mirrorY ? width - 1 - x : x;
            target.put((row * height + column) * pixel, run, 0, run.length);
        }
    }

    private static void reverse(byte[] band, int start, int width, int pixel) {
        int left = start;
        int right = start + (width - 1) * pixel;
        while (left < right) {
            for (int b = 0; b < pixel; b++) {
                byte kept = band[left + b];
                band[left + b] = band[right + b];
                band[right + b] = kept;
            }
            left += pixel;
            right -= pixel;
        }
    }
}
