package org.jmatte.cpu;

import java.util.Arrays;
import org.jmatte.bindings.cpu.CpuKernels;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rows added, scattered and merged, against plain loops. */
class TokenRowsTest {
    private static final String CASES = "org.jmatte.cpu.Numbers#isasAndTypes";

    @AfterEach
    void restoreIsa() {
        Numbers.restoreIsa();
    }

    private static final int[] CHANNELS = {1, 7, 19, 99, 128, 384, 768};
    private static final int[] INDEX = {3, 8, 0, 1, 7};

    @ParameterizedTest
    @MethodSource(CASES)
    void adds(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int channels : CHANNELS)
            for (boolean indexed : new boolean[] {false, true}) {
                float[] x = Numbers.random(9 * channels, 1);
                float[] y = Numbers.stored(Numbers.random(INDEX.length * channels, 2), type);
                float[] expected = x.clone();
                for (int i = 0; i < y.length; i++)
                    expected[(indexed ? INDEX[i / channels] : i / channels) * channels + i % channels] += y[i];
                try (NativeBuffer xs = NativeBuffer.of(x);
                        NativeBuffer ys = NativeBuffer.of(y, type);
                        NativeBuffer index = NativeBuffer.of(INDEX)) {
                    CpuKernels.add_rows(
                            xs.address(), indexed ? index.address() : 0, INDEX.length, channels, ys.address(), type);
                    Numbers.assertSame(expected, xs.floats());
                }
            }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void scatters(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int channels : CHANNELS) {
            float[] y = Numbers.stored(Numbers.random(INDEX.length * channels, 2), type);
            float[] expected = new float[9 * channels];
            Arrays.fill(expected, Float.NaN);
            for (int i = 0; i < y.length; i++) expected[INDEX[i / channels] * channels + i % channels] = y[i];
            try (NativeBuffer ys = NativeBuffer.of(y, type);
                    NativeBuffer index = NativeBuffer.of(INDEX);
                    NativeBuffer out = NativeBuffer.empty(9 * channels, type)) {
                CpuKernels.scatter_rows(ys.address(), type, index.address(), INDEX.length, channels, out.address());
                Numbers.assertSame(expected, out.floats(type));
            }
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void merges(int isa, int type) {
        CpuKernels.use_isa(isa);
        byte[] keep = {1, 0, 0, 1, 0};
        for (int channels : CHANNELS) {
            float[] x = Numbers.random(keep.length * channels, 1);
            float[] y = Numbers.stored(Numbers.random(keep.length * channels, 2), type);
            float[] scale = Numbers.random(channels, 3);
            double[] expected = new double[x.length];
            for (int i = 0; i < x.length; i++)
                expected[i] = x[i] + (double) y[i] * (keep[i / channels] != 0 ? 1 : scale[i % channels]);
            try (NativeBuffer xs = NativeBuffer.of(x);
                    NativeBuffer ys = NativeBuffer.of(y, type);
                    NativeBuffer keeps = NativeBuffer.of(keep);
                    NativeBuffer scales = NativeBuffer.of(scale)) {
                CpuKernels.merge_tokens(
                        xs.address(), ys.address(), type, keeps.address(), scales.address(), keep.length, channels);
                Numbers.assertClose(expected, xs.floats(), 1e-6, NativeBuffer.FP32);
            }
        }
    }
}
