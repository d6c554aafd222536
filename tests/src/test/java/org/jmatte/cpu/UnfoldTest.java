package org.jmatte.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.jmatte.bindings.cpu.CpuKernels;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Patches as rows, against plain loops. */
class UnfoldTest {
    private static final String CASES = "org.jmatte.cpu.Numbers#isasAndTypes";

    @AfterEach
    void restoreIsa() {
        Numbers.restoreIsa();
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void unfoldsPixels(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int bits : new int[] {8, 16})
            for (int snap : new int[] {0, 1}) {
                Photo photo = new Photo(33, 45, bits);
                // One above the image: the rows and columns of an image padded for the network.
                checkPixels(photo, snap, 16, 16, 0, 0, 0, 3, 4, type);
                checkPixels(photo, snap, 16, 16, 0, 1, 2, 2, 1, type);
                checkPixels(photo, snap, 3, 2, 1, 0, 0, 18, 24, type);
                checkPixels(photo, snap, 3, 1, 1, 0, 0, 33, 45, type);
                checkPixels(photo, snap, 3, 1, 1, 30, 40, 5, 19, type);
                checkPixels(photo, snap, 3, 1, 1, 40, 60, 2, 3, type);
                checkPixels(new Photo(1, 1, bits), snap, 3, 1, 1, 0, 0, 2, 2, type);
                checkPixels(new Photo(3, 1100, bits), snap, 3, 1, 1, 0, 0, 3, 1100, type); // more than a segment
                checkPixels(new Photo(16, 1100, bits), snap, 16, 16, 0, 0, 0, 1, 69, type);
            }
    }

    /** Random pixels; rows are six bytes longer than need be. */
    private static final class Photo {
        final int height;
        final int width;
        final int bits;
        final int[] values;
        final byte[] trimap;

        Photo(int height, int width, int bits) {
            this.height = height;
            this.width = width;
            this.bits = bits;
            values = new Random(1).ints(height * width * 3, 0, 1 << bits).toArray();
            trimap = Numbers.randomTrimap(height * width, 2);
            if (width > 256) for (int i = 0; i < 256; i++) trimap[i] = (byte) i;
        }

        int stride() {
            return width * 3 * bits / 8 + 6;
        }

        NativeBuffer pixels() {
            byte[] bytes = new byte[height * stride() - 6];
            for (int i = 0; i < values.length; i++) {
                int at = i / (width * 3) * stride() + i % (width * 3) * bits / 8;
                bytes[at] = (byte) values[i];
                if (bits == 16) bytes[at + 1] = (byte) (values[i] >> 8);
            }
            return NativeBuffer.of(bytes);
        }
    }

    private static void checkPixels(
            Photo photo,
            int snap,
            int kernel,
            int stride,
            int padding,
            int y0,
            int x0,
            int rows,
            int columns,
            int type) {
        float[] scale = {0.0171f, 0.0175f, 0.0174f};
        float[] shift = {-2.1f, -2.0f, -1.8f};
        if (photo.bits == 16) for (int p = 0; p < 3; p++) scale[p] /= 257;
        double[] expected = new double[rows * columns * kernel * kernel * 4];
        for (int i = 0; i < expected.length; i++) {
            int p = i % 4;
            int k = i / 4 % (kernel * kernel);
            int at = i / 4 / (kernel * kernel);
            int y = (y0 + at / columns) * stride + k / kernel - padding;
            int x = (x0 + at % columns) * stride + k % kernel - padding;
            if (y < 0 || y >= photo.height || x < 0 || x >= photo.width) continue;
            int pixel = y * photo.width + x;
            if (p < 3) expected[i] = (double) photo.values[pixel * 3 + p] * scale[p] + shift[p];
            else {
                int known = Byte.toUnsignedInt(photo.trimap[pixel]);
                expected[i] = snap == 0 ? known / 255f : known == 0 ? 0 : known == 255 ? 1 : 0.5;
            }
        }
        try (NativeBuffer pixels = photo.pixels();
                NativeBuffer trimaps = NativeBuffer.of(photo.trimap);
                NativeBuffer scales = NativeBuffer.of(scale);
                NativeBuffer shifts = NativeBuffer.of(shift);
                NativeBuffer out = NativeBuffer.empty(expected.length, type)) {
            CpuKernels.unfold_pixels(
                    pixels.address(),
                    photo.bits,
                    photo.stride(),
                    trimaps.address(),
                    snap,
                    photo.height,
                    photo.width,
                    scales.address(),
                    shifts.address(),
                    kernel,
                    stride,
                    padding,
                    y0,
                    x0,
                    rows,
                    columns,
                    out.address(),
                    type);
            float[] actual = out.floats(type);
            Numbers.assertClose(expected, actual, 3e-7, type);
            for (int i = 3; i < actual.length; i += 4) // the trimap's plane is exact
            assertEquals(type == NativeBuffer.BF16 ? Numbers.bf16((float) expected[i]) : expected[i], actual[i]);
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void unfoldsMaps(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int channels : new int[] {1, 7, 19, 32, 48, 99})
            for (int[] size : new int[][] {{1, 1}, {2, 2}, {7, 19}, {6, 8}})
                for (int stride : new int[] {1, 2}) {
                    int rows = (size[0] + stride - 1) / stride;
                    int columns = (size[1] + stride - 1) / stride;
                    for (int r = 0; r < rows; r++)
                        checkMap(size[0], size[1], channels, Math.min(size[0], 4), stride, r, 0, 1, columns, type);
                    checkMap(size[0], size[1], channels, size[0], stride, 0, 0, rows, columns, type);
                    checkMap(size[0], size[1], channels, size[0], stride, 0, columns / 2, rows, 1, type);
                }
    }

    private static void checkMap(
            int height,
            int width,
            int channels,
            int ring,
            int stride,
            int y0,
            int x0,
            int rows,
            int columns,
            int type) {
        float[] map = Numbers.stored(Numbers.random(height * width * channels, 1), type);
        for (int pitch : new int[] {9 * channels, 9 * channels + 24}) {
            float[] expected = new float[rows * columns * pitch];
            Arrays.fill(expected, Float.NaN); // between the rows nothing is written
            for (int i = 0; i < rows * columns * 9 * channels; i++) {
                int k = i / channels % 9;
                int at = i / channels / 9;
                int y = (y0 + at / columns) * stride + k / 3 - 1;
                int x = (x0 + at % columns) * stride + k % 3 - 1;
                boolean inside = y >= 0 && y < height && x >= 0 && x < width;
                expected[at * pitch + i % (9 * channels)] = inside ? map[(y * width + x) * channels + i % channels] : 0;
            }
            float[] held = held(map, ring, width * channels, y0 * stride - 1, (y0 + rows - 1) * stride + 1);
            try (NativeBuffer maps = NativeBuffer.of(held, type);
                    NativeBuffer out = NativeBuffer.empty(expected.length, type)) {
                CpuKernels.unfold3x3(
                        maps.address(),
                        type,
                        ring,
                        height,
                        width,
                        channels,
                        stride,
                        y0,
                        x0,
                        rows,
                        columns,
                        out.address(),
                        pitch);
                Numbers.assertSame(expected, out.floats(type));
            }
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void unfoldsPairs(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int channels : new int[] {1, 7, 19, 64, 99}) {
            checkPairs(2, 2, channels, 0, 0, 1, 1, type);
            checkPairs(6, 38, channels, 0, 0, 3, 19, type);
            checkPairs(6, 38, channels, 1, 7, 2, 9, type);
        }
    }

    private static void checkPairs(
            int height, int width, int channels, int y0, int x0, int rows, int columns, int type) {
        float[] map = Numbers.stored(Numbers.random(height * width * channels, 1), type);
        float[] expected = new float[rows * columns * 4 * channels];
        for (int i = 0; i < expected.length; i++) {
            int k = i / channels % 4;
            int at = i / channels / 4;
            int y = 2 * (y0 + at / columns) + k / 2;
            int x = 2 * (x0 + at % columns) + k % 2;
            expected[i] = map[(y * width + x) * channels + i % channels];
        }
        try (NativeBuffer maps = NativeBuffer.of(map, type);
                NativeBuffer out = NativeBuffer.empty(expected.length, type)) {
            CpuKernels.unfold2x2(maps.address(), type, height, width, channels, y0, x0, rows, columns, out.address());
            Numbers.assertSame(expected, out.floats(type));
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void copiesClamped(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int channels : new int[] {1, 7, 19, 64, 99}) {
            checkClamped(7, 19, channels, 7, -1, -1, 9, 21, type);
            checkClamped(7, 19, channels, 4, 2, 3, 3, 5, type);
            checkClamped(7, 19, channels, 7, 5, 17, 4, 6, type);
            checkClamped(7, 19, channels, 7, -3, -5, 4, 3, type); // no column inside
            checkClamped(7, 19, channels, 7, 8, 25, 2, 3, type);
            checkClamped(1, 1, channels, 1, -1, -1, 3, 3, type);
        }
    }

    private static void checkClamped(
            int height, int width, int channels, int ring, int y0, int x0, int rows, int columns, int type) {
        float[] map = Numbers.stored(Numbers.random(height * width * channels, 1), type);
        float[] expected = new float[rows * columns * channels];
        for (int i = 0; i < expected.length; i++) {
            int y = Math.max(0, Math.min(height - 1, y0 + i / channels / columns));
            int x = Math.max(0, Math.min(width - 1, x0 + i / channels % columns));
            expected[i] = map[(y * width + x) * channels + i % channels];
        }
        float[] held = ring == height ? map : held(map, ring, width * channels, y0, y0 + rows - 1);
        try (NativeBuffer maps = NativeBuffer.of(held, type);
                NativeBuffer out = NativeBuffer.empty(expected.length, type)) {
            CpuKernels.copy_clamped(
                    maps.address(), type, ring, height, width, channels, y0, x0, rows, columns, out.address());
            Numbers.assertSame(expected, out.floats(type));
        }
    }

    /** Rows first to last of the map, as far as there are such, where a ring holds them; all others are NaN. */
    private static float[] held(float[] map, int ring, int row, int first, int last) {
        float[] held = new float[ring * row];
        Arrays.fill(held, Float.NaN);
        for (int y = Math.max(0, first); y <= Math.min(map.length / row - 1, last); y++)
            System.arraycopy(map, y * row, held, y % ring * row, row);
        return held;
    }
}
