package org.jmatte.cpu;

import java.util.Arrays;
import org.jmatte.bindings.cpu.CpuKernels;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A row of the depthwise convolution against its definition in double. */
class DepthwiseConvTest {
    private static final String CASES = "org.jmatte.cpu.Numbers#isasAndTypes";

    @AfterEach
    void restoreIsa() {
        Numbers.restoreIsa();
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void equalsTheDefinition(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int channels : new int[] {1, 7, 19, 99, 256})
            for (int[] size : new int[][] {{1, 1}, {2, 3}, {3, 7}, {9, 19}})
                for (int y = 0; y < size[0]; y++) {
                    check(size[0], size[1], channels, size[0], y, 0, size[1], type);
                    check(
                            size[0],
                            size[1],
                            channels,
                            Math.min(size[0], 6),
                            y,
                            size[1] / 2,
                            size[1] - size[1] / 2,
                            type);
                    check(size[0], size[1], channels, Math.min(size[0], 5), y, size[1] / 3, 1, type);
                }
    }

    private static void check(int height, int width, int channels, int ring, int y, int first, int columns, int type) {
        float[] map = Numbers.stored(Numbers.random(height * width * channels, 1), type);
        float[] weight = Numbers.random(25 * channels, 2);
        float[] bias = Numbers.random(channels, 3);
        float[] before = Numbers.random(channels, 4);
        double[] expected = new double[columns * channels];
        double[] sums = new double[channels];
        for (int c = 0; c < channels; c++) {
            sums[c] = before[c];
            for (int x = first; x < first + columns; x++) {
                double v = bias[c];
                for (int k = 0; k < 25; k++) {
                    int row = y + k / 5 - 2;
                    int column = x + k % 5 - 2;
                    if (row >= 0 && row < height && column >= 0 && column < width)
                        v += (double) weight[k * channels + c] * map[(row * width + column) * channels + c];
                }
                expected[(x - first) * channels + c] = Numbers.gelu(v);
                sums[c] += Numbers.gelu(v);
            }
        }
        // The rows that the kernel may read, where a ring holds them; all others are NaN.
        float[] held = new float[ring * width * channels];
        Arrays.fill(held, Float.NaN);
        for (int row = Math.max(0, y - 2); row < Math.min(height, y + 3); row++)
            System.arraycopy(map, row * width * channels, held, row % ring * width * channels, width * channels);
        try (NativeBuffer maps = NativeBuffer.of(held, type);
                NativeBuffer weights = NativeBuffer.of(weight);
                NativeBuffer biases = NativeBuffer.of(bias);
                NativeBuffer out = NativeBuffer.empty(columns * channels, type);
                NativeBuffer totals = NativeBuffer.of(before)) {
            CpuKernels.depthwise5x5_gelu(
                    maps.address(),
                    type,
                    ring,
                    height,
                    width,
                    channels,
                    weights.address(),
                    biases.address(),
                    y,
                    first,
                    columns,
                    out.address(),
                    totals.address());
            Numbers.assertClose(expected, out.floats(type), 4e-6, type);
            Numbers.assertClose(sums, totals.floats(), 4e-6, NativeBuffer.FP32);
        }
    }
}
