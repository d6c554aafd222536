package org.jmatte.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.function.IntBinaryOperator;
import org.junit.jupiter.api.Test;

class BackgroundTest {
    @Test
    void aColourIsTheSameEverywhere() {
        float[] row = new float[9];
        Background.color(0.1f, 0.2f, 0.3f).row(5, row);
        assertArrayEquals(new float[] {0.1f, 0.2f, 0.3f, 0.1f, 0.2f, 0.3f, 0.1f, 0.2f, 0.3f}, row);
    }

    @Test
    void aPhotoOfTheSameSizeIsItself() {
        assertArrayEquals(
                new int[][] {{0, 100, 200}, {10, 110, 210}}, red(photo(2, 3, (y, x) -> 10 * y + 100 * x), 2, 3));
    }

    @Test
    void whatIsOverIsCutOffOnBothSides() {
        Photo wide = photo(2, 6, (y, x) -> 10 * y + 40 * x);
        assertArrayEquals(new int[][] {{80, 120}, {90, 130}}, red(wide, 2, 2));
        Photo tall = photo(5, 1, (y, x) -> 40 * y);
        assertArrayEquals(new int[][] {{80}}, red(tall, 1, 1));
    }

    /** A ramp stays a ramp, but for the border, where there is nothing to go on to. */
    @Test
    void scaledUpItIsInterpolated() {
        assertArrayEquals(new int[][] {{0, 20, 60, 80}, {0, 20, 60, 80}}, red(photo(1, 2, (y, x) -> 80 * x), 2, 4));
    }

    @Test
    void scaledDownItIsAveraged() {
        int[][] small = red(photo(64, 96, (y, x) -> (y + x) % 2 * 200), 4, 6);
        for (int[] row : small) {
            for (int value : row) {
                assertEquals(100, value, 1);
            }
        }
    }

    @Test
    void anyTwoSizes() {
        for (int[] sizes :
                new int[][] {{1, 1, 7, 19}, {7, 19, 1, 1}, {19, 7, 7, 19}, {500, 1, 1, 500}, {3, 3, 99, 98}}) {
            Photo grey = photo(sizes[0], sizes[1], (y, x) -> 77);
            for (int[] row : red(grey, sizes[2], sizes[3])) {
                for (int value : row) {
                    assertEquals(77, value);
                }
            }
        }
    }

    @Test
    void sidesAreAtLeastOne() {
        Photo photo = photo(1, 1, (y, x) -> 0);
        String message = assertThrows(ImageException.class, () -> Background.cover(photo, 0, 1))
                .getMessage();
        assertTrue(message.contains("height") && message.contains("0"), message);
    }

    private static int[][] red(Photo photo, int height, int width) {
        Background background = Background.cover(photo, height, width);
        int[][] values = new int[height][width];
        float[] row = new float[3 * width];
        for (int y = 0; y < height; y++) {
            background.row(y, row);
            for (int x = 0; x < width; x++) {
                values[y][x] = Math.round(row[3 * x] * 255);
                assertEquals(0, row[3 * x + 1]);
                assertEquals(1, row[3 * x + 2], 1e-5);
            }
        }
        return values;
    }

    private static Photo photo(int height, int width, IntBinaryOperator red) {
        ByteBuffer pixels = ByteBuffer.allocateDirect(3 * height * width);
        for (int i = 0; i < height * width; i++) {
            pixels.put((byte) red.applyAsInt(i / width, i % width))
                    .put((byte) 0)
                    .put((byte) 255);
        }
        return Photo.wrap(pixels.flip(), height, width, 8, 3L * width);
    }
}
