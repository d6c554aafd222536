package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** Expected values are those of the reference implementation in PyTorch, whose sine may differ in the last bit. */
class SeededInputTest {
    @Test
    void pixels() {
        SeededInput input = SeededInput.of(33, 47, "1");
        assertArrayEquals(new int[] {107, 146, 136}, pixel(input, 0, 0));
        assertArrayEquals(new int[] {118, 124, 139}, pixel(input, 0, 1));
        assertArrayEquals(new int[] {136, 85, 185}, pixel(input, 16, 23));
        assertArrayEquals(new int[] {110, 54, 99}, pixel(input, 32, 46));
    }

    @Test
    void sums() {
        SeededInput input = SeededInput.of(200, 333, "4");
        long[] sums = new long[3];
        ByteBuffer pixels = input.photo().pixels();
        for (int i = 0; i < 3 * 200 * 333; i++) {
            sums[i % 3] += pixels.get(i) & 255;
        }
        assertEquals(8493048, sums[0], 10);
        assertEquals(8495672, sums[1], 10);
        assertEquals(8479332, sums[2], 10);
    }

    @Test
    void trimapHasAllThreeValues() {
        SeededInput input = SeededInput.of(200, 333, "4");
        int[] counts = new int[256];
        ByteBuffer bytes = input.trimap().bytes();
        for (int i = 0; i < 200 * 333; i++) {
            counts[bytes.get(i) & 255]++;
        }
        assertEquals(40978, counts[0]);
        assertEquals(17260, counts[128]);
        assertEquals(8362, counts[255]);
    }

    @Test
    void onePixel() {
        assertArrayEquals(new int[] {107, 95, 144}, pixel(SeededInput.of(1, 1, "1"), 0, 0));
    }

    private static int[] pixel(SeededInput input, int y, int x) {
        ByteBuffer pixels = input.photo().pixels();
        int at = 3 * (y * input.photo().width() + x);
        return new int[] {pixels.get(at) & 255, pixels.get(at + 1) & 255, pixels.get(at + 2) & 255};
    }
}
