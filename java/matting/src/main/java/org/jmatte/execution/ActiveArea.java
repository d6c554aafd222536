package org.jmatte.execution;

import java.nio.ByteBuffer;
import org.jmatte.image.Trimap;

/** Where the decoder has work: blocks of 8x8 pixels with an unknown one, and whatever can influence them. */
public final class ActiveArea {
    private static final int BLOCK = 8;

    private final int rows;
    private final int columns;
    /** Summed-area table of the blocks with an unknown pixel, [rows + 1, columns + 1]; null if everything is wanted. */
    private final int[] sums;

    private ActiveArea(int rows, int columns, int[] sums) {
        this.rows = rows;
        this.columns = columns;
        this.sums = sums;
    }

    public static ActiveArea everything() {
        return new ActiveArea(0, 0, null);
    }

    public static ActiveArea unknown(Trimap trimap) {
        int rows = (trimap.height() + BLOCK - 1) / BLOCK;
        int columns = (trimap.width() + BLOCK - 1) / BLOCK;
        int[] sums = new int[(rows + 1) * (columns + 1)];
        ByteBuffer bytes = trimap.bytes();
        for (int y = 0; y < trimap.height(); y++) {
            int at = (y / BLOCK + 1) * (columns + 1) + 1;
            for (int x = 0; x < trimap.width(); x++) {
                byte value = bytes.get(y * trimap.width() + x);
                if (value != 0 && value != (byte) 255) {
                    sums[at + x / BLOCK] = 1;
                }
            }
        }
        for (int row = 1; row <= rows; row++) {
            for (int column = 1; column <= columns; column++) {
                int at = row * (columns + 1) + column;
                sums[at] += sums[at - 1] + sums[at - columns - 1] - sums[at - columns - 2];
            }
        }
        return new ActiveArea(rows, columns, sums);
    }

    /**
     * Whether a region of a map influences an unknown pixel.
     *
     * @param scale pixels per row and column of the map
     * @param reach pixels beyond a position's own that its value can influence
     */
    public boolean reaches(int scale, int reach, int y, int x, int height, int width) {
        if (sums == null) {
            return true;
        }
        int top = clamp((y * scale - reach) / BLOCK, rows);
        int left = clamp((x * scale - reach) / BLOCK, columns);
        int bottom = clamp(((y + height) * scale + reach) / BLOCK + 1, rows);
        int right = clamp(((x + width) * scale + reach) / BLOCK + 1, columns);
        int stride = columns + 1;
        return sums[bottom * stride + right]
                        - sums[top * stride + right]
                        - sums[bottom * stride + left]
                        + sums[top * stride + left]
                > 0;
    }

    private static int clamp(int value, int most) {
        return Math.max(0, Math.min(value, most));
    }
}
