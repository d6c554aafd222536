package org.jmatte.cpu;

import org.jmatte.bindings.cpu.CpuKernels;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The resized position table against its definition. */
class PositionTest {
    private static final String ISAS = "org.jmatte.cpu.Numbers#isas";

    @AfterEach
    void restoreIsa() {
        Numbers.restoreIsa();
    }

    @ParameterizedTest
    @MethodSource(ISAS)
    void equalsTheDefinition(int isa) {
        CpuKernels.use_isa(isa);
        int[][] grids = {{1, 1}, {2, 40}, {14, 14}, {13, 22}, {19, 7}, {31, 99}};
        for (int[] grid : grids)
            for (int channels : new int[] {1, 19, 128, 384}) check(grid[0], grid[1], channels, 0, grid[0] * grid[1]);
        check(19, 7, 768, 5, 26); // parts of rows
        check(19, 7, 128, 8, 3);
    }

    private static void check(int height, int width, int channels, int first, int rows) {
        float[] x = Numbers.random(rows * channels, 1);
        float[] table = Numbers.random(14 * 14 * channels, 2);
        double[] expected = new double[x.length];
        for (int r = 0; r < rows; r++) {
            double[] down = weights((first + r) / width, height);
            double[] across = weights((first + r) % width, width);
            for (int c = 0; c < channels; c++) {
                double v = x[r * channels + c];
                for (int i = 0; i < 14 * 14; i++) v += down[i / 14] * across[i % 14] * table[i * channels + c];
                expected[r * channels + c] = v;
            }
        }
        try (NativeBuffer xs = NativeBuffer.of(x);
                NativeBuffer tables = NativeBuffer.of(table)) {
            CpuKernels.add_position(xs.address(), first, rows, height, width, channels, tables.address());
            // The kernel computes coordinates in float, as PyTorch does.
            Numbers.assertClose(expected, xs.floats(), 2e-5, NativeBuffer.FP32);
        }
    }

    /** How position i of {@code size} weighs the table's 14 entries. */
    private static double[] weights(int i, int size) {
        double source = (i + 0.5) * 14 / size - 0.5;
        double[] weights = new double[14];
        for (int at = (int) Math.floor(source) - 1; at <= Math.floor(source) + 2; at++)
            weights[Math.max(0, Math.min(13, at))] += cubic(Math.abs(source - at));
        return weights;
    }

    /** The cubic convolution kernel of a = -0.75. */
    private static double cubic(double d) {
        double a = -0.75;
        if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
        return d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0;
    }
}
