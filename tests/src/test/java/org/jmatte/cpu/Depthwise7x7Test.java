package org.jmatte.cpu;

import java.util.Arrays;
import org.jmatte.bindings.cpu.CpuKernels;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A row of the large-kernel depthwise convolution with its norm, against their definition in double. */
class Depthwise7x7Test {
    private static final String CASES = "org.jmatte.cpu.Numbers#isasAndTypes";
    private static final float EPS = 1e-6f;

    @AfterEach
    void restoreIsa() {
        Numbers.restoreIsa();
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void equalsTheDefinition(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int channels : new int[] {7, 19, 64, 99, 512})
            for (int[] size : new int[][] {{1, 1}, {2, 3}, {4, 7}, {7, 19}, {8, 50}})
                for (int y = 0; y < size[0]; y++) {
                    check(size[0], size[1], channels, y, 0, size[1], type);
                    check(size[0], size[1], channels, y, size[1] / 3, size[1] - size[1] / 3, type);
                    check(size[0], size[1], channels, y, size[1] / 2, 1, type);
                }
    }

    private static void check(int height, int width, int channels, int y, int first, int columns, int type) {
        float[] map = Numbers.stored(Numbers.random(height * width * channels, 1), type);
        float[] weight = Numbers.random(49 * channels, 2);
        float[] bias = Numbers.random(channels, 3);
        float[] normWeight = Numbers.random(channels, 4);
        float[] normBias = Numbers.random(channels, 5);
        double[] expected = new double[columns * channels];
        for (int x = first; x < first + columns; x++) {
            double[] v = new double[channels];
            for (int c = 0; c < channels; c++)
                v[c] = convolved(map, height, width, channels, weight, y, x, c) + bias[c];
            double mean = Arrays.stream(v).average().orElseThrow();
            double variance =
                    Arrays.stream(v).map(a -> (a - mean) * (a - mean)).average().orElseThrow();
            for (int c = 0; c < channels; c++)
                expected[(x - first) * channels + c] =
                        (v[c] - mean) / Math.sqrt(variance + EPS) * normWeight[c] + normBias[c];
        }
        try (NativeBuffer maps = NativeBuffer.of(map, type);
                NativeBuffer weights = NativeBuffer.of(weight);
                NativeBuffer biases = NativeBuffer.of(bias);
                NativeBuffer normWeights = NativeBuffer.of(normWeight);
                NativeBuffer normBiases = NativeBuffer.of(normBias);
                NativeBuffer out = NativeBuffer.empty(columns * channels, type)) {
            CpuKernels.depthwise7x7_norm(
                    maps.address(),
                    type,
                    height,
                    width,
                    channels,
                    weights.address(),
                    biases.address(),
                    normWeights.address(),
                    normBiases.address(),
                    EPS,
                    y,
                    first,
                    columns,
                    out.address());
            Numbers.assertClose(expected, out.floats(type), 1e-5, type);
        }
    }

    private static double convolved(
            float[] map, int height, int width, int channels, float[] weight, int y, int x, int c) {
        double v = 0;
        for (int k = 0; k < 49; k++) {
            int row = y + k / 7 - 3;
            int column = x + k % 7 - 3;
            if (row >= 0 && row < height && column >= 0 && column < width)
                v += (double) weight[k * channels + c] * map[(row * width + column) * channels + c];
        }
        return v;
    }
}
