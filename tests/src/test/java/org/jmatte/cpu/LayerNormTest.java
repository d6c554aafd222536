package org.jmatte.cpu;

import static org.jmatte.cpu.NativeBuffer.FP32;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.jmatte.bindings.cpu.CpuKernels;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Layer norm against its definition in double. */
class LayerNormTest {
    private static final String CASES = "org.jmatte.cpu.Numbers#isasAndTypes";
    private static final String ISAS = "org.jmatte.cpu.Numbers#isas";

    @AfterEach
    void restoreIsa() {
        Numbers.restoreIsa();
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void equalsTheDefinition(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int channels : new int[] {1, 7, 19, 99, 128, 192, 384, 768})
            for (boolean gelu : new boolean[] {false, true})
                for (boolean indexed : new boolean[] {false, true}) check(channels, gelu, indexed, type);
    }

    private static void check(int channels, boolean gelu, boolean indexed, int type) {
        int rows = 5;
        float eps = 1e-6f;
        int[] index = {3, 8, 0, 1, 7};
        float[] x = Numbers.random(9 * channels, 1);
        for (int i = 0; i < x.length; i++) x[i] = 3 * x[i] + 10; // a mean that cancels if squares are not centred
        float[] weight = Numbers.random(channels, 2);
        float[] bias = Numbers.random(channels, 3);
        double[] expected = new double[rows * channels];
        for (int r = 0; r < rows; r++) {
            int from = (indexed ? index[r] : r) * channels;
            double mean = 0;
            for (int c = 0; c < channels; c++) mean += x[from + c] / (double) channels;
            double variance = 0;
            for (int c = 0; c < channels; c++) variance += Math.pow(x[from + c] - mean, 2) / channels;
            for (int c = 0; c < channels; c++) {
                double v = (x[from + c] - mean) / Math.sqrt(variance + eps) * weight[c] + bias[c];
                expected[r * channels + c] = gelu ? Numbers.gelu(v) : v;
            }
        }
        try (NativeBuffer xs = NativeBuffer.of(x);
                NativeBuffer indices = NativeBuffer.of(index);
                NativeBuffer weights = NativeBuffer.of(weight);
                NativeBuffer biases = NativeBuffer.of(bias);
                NativeBuffer out = NativeBuffer.empty(rows * channels, type)) {
            CpuKernels.layer_norm(
                    xs.address(),
                    indexed ? indices.address() : 0,
                    rows,
                    channels,
                    weights.address(),
                    biases.address(),
                    eps,
                    gelu ? 1 : 0,
                    out.address(),
                    type);
            Numbers.assertClose(expected, out.floats(type), 2e-5, type);
        }
    }

    @ParameterizedTest
    @MethodSource(ISAS)
    void nanStaysNan(int isa) {
        CpuKernels.use_isa(isa);
        float[] x = Numbers.random(2 * 19, 1);
        x[19 + 18] = Float.NaN;
        try (NativeBuffer xs = NativeBuffer.of(x);
                NativeBuffer weights = NativeBuffer.of(Numbers.random(19, 2));
                NativeBuffer out = NativeBuffer.empty(2 * 19, FP32)) {
            CpuKernels.layer_norm(
                    xs.address(), 0, 2, 19, weights.address(), weights.address(), 1e-6f, 0, out.address(), FP32);
            for (int i = 0; i < 2 * 19; i++) assertEquals(i >= 19, Float.isNaN(out.floats()[i]));
        }
    }
}
