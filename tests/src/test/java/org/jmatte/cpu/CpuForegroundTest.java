package org.jmatte.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.stream.Stream;
import org.jmatte.Isa;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Foreground estimation against its definition in double, pixel by pixel and without tiles. */
class CpuForegroundTest {
    private static final int[][] SIZES = {{1, 1}, {1, 99}, {99, 1}, {2, 3}, {7, 19}, {32, 32}, {33, 200}, {111, 259}};

    @BeforeAll
    static void load() {
        NativeLibraries.load(Isa.AUTO);
    }

    @AfterEach
    void restoreIsa() {
        Numbers.restoreIsa();
    }

    static Stream<Arguments> cases() {
        return Numbers.isas().boxed().flatMap(isa -> Stream.of(Alpha.Format.values())
                .flatMap(format -> Stream.of(Arguments.of(isa, 8, format), Arguments.of(isa, 16, format))));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void equalsTheDefinition(int isa, int bits, Alpha.Format format) {
        CpuKernels.use_isa(isa);
        for (int[] size : SIZES) {
            Photo photo = photo(size[0], size[1], bits);
            Alpha alpha = alpha(size[0], size[1], format);
            double[] expected = Reference.of(photo, alpha).foreground();
            int[] actual = samples(CpuForeground.estimate(photo, alpha, 2));
            double top = (1 << bits) - 1;
            for (int i = 0; i < expected.length; i++) {
                double difference = Math.abs(actual[i] - expected[i] * top);
                assertTrue(
                        difference <= (bits == 8 ? 0.51 : 3),
                        "sample " + i + " of " + photo + " differs by " + difference);
            }
        }
    }

    /** Tiles of odd sizes between guard words: the same bytes as the driver's. */
    @ParameterizedTest
    @MethodSource("cases")
    void tilesDoNotMatter(int isa, int bits, Alpha.Format format) {
        CpuKernels.use_isa(isa);
        Photo photo = photo(70, 150, bits);
        Alpha alpha = alpha(70, 150, format);
        int[] expected = samples(CpuForeground.estimate(photo, alpha, 1));
        for (int[] tile : new int[][] {{70, 150}, {1, 1000}, {5, 7}, {64, 33}}) {
            assertArrayEquals(expected, tiled(photo, alpha, tile[0], tile[1]));
        }
    }

    private static int[] tiled(Photo photo, Alpha alpha, int tileRows, int tileColumns) {
        int height = photo.height();
        int width = photo.width();
        NativeBuffer coarse = NativeBuffer.empty(0, NativeBuffer.FP32);
        try (NativeBuffer result = NativeBuffer.emptyBytes(height * width * 3 * photo.bits() / 8)) {
            for (int shift = 8; shift >= 0; shift--) {
                int rows = (height - 1 >> shift) + 1;
                int columns = (width - 1 >> shift) + 1;
                int steps = Math.max(rows, columns) <= 32 ? 10 : 2;
                NativeBuffer level = NativeBuffer.empty(6 * rows * columns, NativeBuffer.FP32);
                for (int y = 0; y < rows; y += tileRows) {
                    for (int x = 0; x < columns; x += tileColumns) {
                        int h = Math.min(tileRows, rows - y);
                        int w = Math.min(tileColumns, columns - x);
                        long bytes = CpuKernels.estimate_foreground_scratch(steps, h, w);
                        try (NativeBuffer scratch = NativeBuffer.emptyBytes((int) bytes)) {
                            CpuKernels.estimate_foreground(
                                    NativeMemory.address(photo.pixels()),
                                    photo.bits(),
                                    photo.rowStride(),
                                    NativeMemory.address(alpha.values()),
                                    alpha.format().ordinal(),
                                    height,
                                    width,
                                    shift,
                                    shift == 8 ? 0 : coarse.address(),
                                    steps,
                                    y,
                                    x,
                                    h,
                                    w,
                                    shift == 0 ? result.address() : level.address(),
                                    scratch.address());
                        }
                    }
                }
                coarse.close();
                coarse = level;
            }
            coarse.close();
            if (photo.bits() == 16) {
                return result.unsignedShorts();
            }
            byte[] bytes = result.bytes();
            int[] samples = new int[bytes.length];
            for (int i = 0; i < bytes.length; i++) samples[i] = bytes[i] & 255;
            return samples;
        }
    }

    @ParameterizedTest
    @MethodSource("org.jmatte.cpu.Numbers#isas")
    void invalidAlphaGivesColoursAllTheSame(int isa) {
        CpuKernels.use_isa(isa);
        Alpha alpha = alpha(20, 30, Alpha.Format.F32);
        alpha.values().putFloat(4 * 99, Float.NaN).putFloat(4 * 250, Float.POSITIVE_INFINITY);
        assertEquals(20 * 30 * 3, samples(CpuForeground.estimate(photo(20, 30, 8), alpha, 1)).length);
    }

    private static Photo photo(int height, int width, int bits) {
        int stride = width * 3 * bits / 8 + 6;
        ByteBuffer pixels = ByteBuffer.allocateDirect(height * stride);
        byte[] random = new byte[pixels.capacity()];
        new Random(1).nextBytes(random);
        return Photo.wrap(pixels.put(random).flip(), height, width, bits, stride);
    }

    /** Bands of 0, 1 and random values. */
    private static Alpha alpha(int height, int width, Alpha.Format format) {
        Alpha alpha = Alpha.allocate(height, width, format);
        ByteBuffer values = alpha.values();
        Random random = new Random(2);
        for (int i = 0; i < height * width; i++) {
            int band = (i / width + i % width) / 7 % 3;
            float value = band < 2 ? band : random.nextFloat();
            switch (format) {
                case U8 -> values.put(i, (byte) Math.round(value * 255));
                case U16 -> values.putShort(2 * i, (short) Math.round(value * 65535));
                case F32 -> values.putFloat(4 * i, value);
            }
        }
        return alpha;
    }

    private static int[] samples(Photo photo) {
        ByteBuffer pixels = photo.pixels().order(ByteOrder.nativeOrder());
        int row = 3 * photo.width();
        int[] samples = new int[photo.height() * row];
        for (int i = 0; i < samples.length; i++) {
            int start = (int) (i / row * photo.rowStride());
            samples[i] = photo.bits() == 8
                    ? pixels.get(start + i % row) & 255
                    : Short.toUnsignedInt(pixels.getShort(start + i % row * 2));
        }
        return samples;
    }

    /** The method as published: the 2x2 systems of all pixels, from their neighbours' last values. */
    private record Reference(int height, int width, double[] image, double[] alpha) {
        static Reference of(Photo photo, Alpha alpha) {
            int[] samples = samples(photo);
            double[] image = new double[samples.length];
            for (int i = 0; i < image.length; i++) image[i] = samples[i] / (photo.bits() == 8 ? 255.0 : 65535.0);
            double[] opacity = new double[photo.height() * photo.width()];
            for (int i = 0; i < opacity.length; i++) opacity[i] = alpha.get(i / photo.width(), i % photo.width());
            return new Reference(photo.height(), photo.width(), image, opacity);
        }

        double[] foreground() {
            int levels = 0;
            while (1 << levels < Math.max(height, width)) levels++;
            double[][] colors = null;
            for (int shift = levels; shift >= 0; shift--) colors = level(shift, colors);
            return colors[0];
        }

        /** Foreground and background of a level, from those of the coarser one. */
        private double[][] level(int shift, double[][] coarse) {
            int rows = (height + (1 << shift) - 1) >> shift;
            int columns = (width + (1 << shift) - 1) >> shift;
            Reference level = new Reference(rows, columns, new double[3 * rows * columns], new double[rows * columns]);
            double[][] colors = new double[2][3 * rows * columns];
            for (int i = 0; i < rows * columns; i++) {
                int y = Math.min(height - 1, (i / columns << shift) + (1 << shift) / 2);
                int x = Math.min(width - 1, (i % columns << shift) + (1 << shift) / 2);
                level.alpha[i] = alpha[y * width + x];
                int parent = i / columns / 2 * ((columns + 1) / 2) + i % columns / 2;
                for (int c = 0; c < 3; c++) {
                    level.image[3 * i + c] = image[3 * (y * width + x) + c];
                    for (int side = 0; side < 2; side++)
                        colors[side][3 * i + c] =
                                coarse == null ? level.image[3 * i + c] : coarse[side][3 * parent + c];
                }
            }
            int steps = Math.max(rows, columns) <= 32 ? 10 : 2;
            for (int step = 0; step < steps; step++) colors = level.step(colors);
            return colors;
        }

        private double[][] step(double[][] colors) {
            double[][] next = new double[2][colors[0].length];
            for (int i = 0; i < alpha.length; i++) {
                int[] neighbours = {
                    i >= width ? i - width : i,
                    i + width < alpha.length ? i + width : i,
                    i % width > 0 ? i - 1 : i,
                    i % width + 1 < width ? i + 1 : i
                };
                double a = alpha[i];
                for (int c = 0; c < 3; c++) {
                    double ff = a * a;
                    double fb = a * (1 - a);
                    double bb = (1 - a) * (1 - a);
                    double f = a * image[3 * i + c];
                    double b = (1 - a) * image[3 * i + c];
                    for (int n : neighbours) {
                        double weight = 1e-5 + Math.abs(a - alpha[n]);
                        ff += weight;
                        bb += weight;
                        f += weight * colors[0][3 * n + c];
                        b += weight * colors[1][3 * n + c];
                    }
                    double determinant = ff * bb - fb * fb;
                    next[0][3 * i + c] = Math.max(0, Math.min(1, (bb * f - fb * b) / determinant));
                    next[1][3 * i + c] = Math.max(0, Math.min(1, (ff * b - fb * f) / determinant));
                }
            }
            return next;
        }
    }
}
