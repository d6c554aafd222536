package org.jmatte.cpu;

import org.jmatte.bindings.cpu.CpuKernels;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Sums, scales, activations and resized maps over rows of channels, against their definitions in double. */
class ChannelRowsTest {
    private static final String CASES = "org.jmatte.cpu.Numbers#isasAndTypes";
    private static final String ISAS = "org.jmatte.cpu.Numbers#isas";

    @AfterEach
    void restoreIsa() {
        Numbers.restoreIsa();
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void sumsAndScales(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int channels : new int[] {1, 7, 19, 64, 99})
            for (int rows : new int[] {1, 19, 64, 500}) {
                float[] x = Numbers.stored(Numbers.random(rows * channels, 1), type);
                float[] scale = Numbers.random(channels, 2);
                double[] sums = new double[channels];
                double[] scaled = new double[x.length];
                for (int i = 0; i < x.length; i++) {
                    sums[i % channels] += x[i];
                    scaled[i] = (double) x[i] * scale[i % channels];
                }
                try (NativeBuffer rowsOfX = NativeBuffer.of(x, type);
                        NativeBuffer scales = NativeBuffer.of(scale);
                        NativeBuffer totals = NativeBuffer.empty(channels, NativeBuffer.FP32);
                        NativeBuffer out = NativeBuffer.empty(x.length, type)) {
                    CpuKernels.sum_rows(rowsOfX.address(), type, rows, channels, totals.address());
                    Numbers.assertClose(sums, totals.floats(), 2e-5, NativeBuffer.FP32);
                    CpuKernels.scale_rows(rowsOfX.address(), type, rows, channels, scales.address(), out.address());
                    Numbers.assertClose(scaled, out.floats(type), 1e-6, type);
                    CpuKernels.scale_rows(rowsOfX.address(), type, rows, channels, scales.address(), rowsOfX.address());
                    Numbers.assertSame(out.floats(type), rowsOfX.floats(type));
                }
            }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void addsActivated(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int elements : new int[] {1, 7, 19, 99, 500}) {
            float[] x = Numbers.stored(Numbers.random(elements, 1), type);
            float[] y = Numbers.random(elements, 2);
            y[elements - 1] = Float.NaN;
            double[] expected = new double[elements];
            for (int i = 0; i < elements; i++) expected[i] = x[i] + Math.max((double) y[i], 0.1f * (double) y[i]);
            try (NativeBuffer xs = NativeBuffer.of(x, type);
                    NativeBuffer ys = NativeBuffer.of(y)) {
                CpuKernels.add_activated(ys.address(), 0.1f, elements, xs.address(), type);
                Numbers.assertClose(expected, xs.floats(type), 1e-6, type);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ISAS)
    void addsAResizedMap(int isa) {
        CpuKernels.use_isa(isa);
        for (int channels : new int[] {1, 7, 19, 80})
            for (int[] coarse : new int[][] {{1, 1}, {2, 2}, {6, 6}, {4, 9}})
                for (int[] fine : new int[][] {{1, 1}, {3, 5}, {8, 18}}) {
                    for (int y = 0; y < fine[0]; y++) {
                        check(coarse, fine, channels, y, 0, fine[1]);
                        check(coarse, fine, channels, y, fine[1] / 2, 1);
                    }
                }
    }

    private static void check(int[] coarse, int[] fine, int channels, int y, int first, int columns) {
        float[] map = Numbers.random(coarse[0] * coarse[1] * channels, 1);
        float[] before = Numbers.random(columns * channels, 2);
        double[] expected = new double[before.length];
        for (int i = 0; i < expected.length; i++) {
            double row = Math.max(0, (y + 0.5) * coarse[0] / fine[0] - 0.5);
            double column = Math.max(0, (first + i / channels + 0.5) * coarse[1] / fine[1] - 0.5);
            expected[i] = before[i];
            for (int k = 0; k < 4; k++) {
                int atRow = (int) row + k / 2;
                int atColumn = (int) column + k % 2;
                double weight = (1 - Math.abs(row - atRow)) * (1 - Math.abs(column - atColumn));
                int from = Math.min(atRow, coarse[0] - 1) * coarse[1] + Math.min(atColumn, coarse[1] - 1);
                expected[i] += weight * map[from * channels + i % channels];
            }
        }
        try (NativeBuffer maps = NativeBuffer.of(map);
                NativeBuffer out = NativeBuffer.of(before)) {
            CpuKernels.add_resized(
                    maps.address(), coarse[0], coarse[1], fine[0], fine[1], channels, y, first, columns, out.address());
            Numbers.assertClose(expected, out.floats(), 4e-6, NativeBuffer.FP32);
        }
    }
}
