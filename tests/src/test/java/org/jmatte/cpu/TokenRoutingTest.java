package org.jmatte.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jmatte.bindings.cpu.CpuKernels;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** From hidden rows to lists of tokens, against plain loops and a sort. */
class TokenRoutingTest {
    private static final String CASES = "org.jmatte.cpu.Numbers#isasAndTypes";
    private static final String ISAS = "org.jmatte.cpu.Numbers#isas";

    @AfterEach
    void restoreIsa() {
        Numbers.restoreIsa();
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void splitsHalves(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int channels : new int[] {2, 14, 38, 128, 384, 768})
            for (int rows : new int[] {0, 1, 19}) {
                int half = channels / 2;
                float[] y = Numbers.random(rows * channels, 1);
                float[] local = new float[rows * half];
                float[] sums = new float[half];
                for (int i = 0; i < y.length; i++) {
                    int r = i / channels;
                    int c = i % channels;
                    if (c < half) local[r * half + c] = y[i];
                    else sums[c - half] += y[i];
                }
                try (NativeBuffer ys = NativeBuffer.of(y);
                        NativeBuffer locals = NativeBuffer.empty(local.length, type);
                        NativeBuffer totals = NativeBuffer.empty(half, NativeBuffer.FP32)) {
                    CpuKernels.split_halves(ys.address(), rows, channels, locals.address(), type, totals.address());
                    Numbers.assertSame(Numbers.stored(local, type), locals.floats(type));
                    Numbers.assertSame(sums, totals.floats());
                }
            }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void computesMargins(int isa, int type) {
        CpuKernels.use_isa(isa);
        int rows = 9;
        for (int channels : new int[] {1, 7, 32, 96, 99, 192}) {
            float[] y = Numbers.stored(Numbers.random(rows * channels, 1), type);
            float[] weight = Numbers.random(channels, 2);
            double[] expected = new double[rows];
            for (int r = 0; r < rows; r++) {
                expected[r] = 0.25;
                for (int c = 0; c < channels; c++) expected[r] += (double) y[r * channels + c] * weight[c];
            }
            try (NativeBuffer ys = NativeBuffer.of(y, type);
                    NativeBuffer weights = NativeBuffer.of(weight);
                    NativeBuffer margins = NativeBuffer.empty(rows, NativeBuffer.FP32)) {
                CpuKernels.router_margins(
                        ys.address(), type, rows, channels, weights.address(), 0.25f, margins.address());
                Numbers.assertClose(expected, margins.floats(), 1e-5, NativeBuffer.FP32);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ISAS)
    void keepsTheLargestMargins(int isa) {
        CpuKernels.use_isa(isa);
        float[] special = {
            0f,
            -0f,
            -1f,
            Float.MIN_VALUE,
            Float.POSITIVE_INFINITY,
            Float.NEGATIVE_INFINITY,
            Float.MAX_VALUE,
            1f,
            Math.nextUp(1f),
            1f,
            Float.MIN_NORMAL,
            Float.POSITIVE_INFINITY,
            1f,
            -Float.MIN_VALUE,
            2f,
            Math.nextDown(1f)
        };
        for (int cap = 0; cap <= special.length; cap++) checkKeep(special, cap);
        for (int tokens : new int[] {1, 7, 19, 99, 5000}) {
            float[] different = Numbers.random(tokens, 1);
            float[] equal = Numbers.random(tokens, 2);
            for (int i = 0; i < tokens; i++) equal[i] = Math.round(2 * equal[i]) / 2f;
            for (int cap : new int[] {0, 1, 2, tokens / 10, tokens / 4, tokens / 2, tokens}) {
                checkKeep(different, cap);
                checkKeep(equal, cap);
            }
        }
    }

    private static void checkKeep(float[] margin, int cap) {
        List<Integer> positive = new ArrayList<>();
        for (int t = 0; t < margin.length; t++) if (margin[t] > 0) positive.add(t);
        positive.sort(Comparator.comparingDouble(t -> -margin[t])); // stable: equal ones in order
        int kept = Math.min(cap, positive.size());
        byte[] expected = new byte[margin.length];
        for (int t : positive.subList(0, kept)) expected[t] = 1;
        try (NativeBuffer margins = NativeBuffer.of(margin);
                NativeBuffer keep = NativeBuffer.emptyBytes(margin.length)) {
            assertEquals(kept, CpuKernels.keep_tokens(margins.address(), margin.length, cap, keep.address()));
            assertArrayEquals(expected, keep.bytes());
        }
    }

    @ParameterizedTest
    @MethodSource(ISAS)
    void refusesNan(int isa) {
        CpuKernels.use_isa(isa);
        for (int at : new int[] {0, 50, 98}) {
            float[] margin = Numbers.random(99, 1);
            margin[at] = at == 50 ? -Float.NaN : Float.NaN;
            try (NativeBuffer margins = NativeBuffer.of(margin);
                    NativeBuffer keep = NativeBuffer.emptyBytes(99)) {
                assertEquals(-1, CpuKernels.keep_tokens(margins.address(), 99, 10, keep.address()));
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ISAS)
    void listsTokens(int isa) {
        CpuKernels.use_isa(isa);
        for (int tokens : new int[] {1, 7, 99, 1000})
            for (float threshold : new float[] {-10, 0, 10}) { // all, about half, none
                float[] numbers = Numbers.random(tokens, 1);
                byte[] keep = new byte[tokens];
                List<Integer> selected = new ArrayList<>();
                List<Integer> rest = new ArrayList<>();
                for (int t = 0; t < tokens; t++) {
                    keep[t] = (byte) (numbers[t] > threshold ? 1 : 0);
                    (keep[t] != 0 ? selected : rest).add(t);
                }
                try (NativeBuffer keeps = NativeBuffer.of(keep);
                        NativeBuffer chosen = NativeBuffer.emptyBytes(4 * selected.size());
                        NativeBuffer others = NativeBuffer.emptyBytes(4 * rest.size())) {
                    assertEquals(
                            selected.size(),
                            CpuKernels.compact_tokens(keeps.address(), tokens, chosen.address(), others.address()));
                    assertArrayEquals(selected.stream().mapToInt(t -> t).toArray(), chosen.ints());
                    assertArrayEquals(rest.stream().mapToInt(t -> t).toArray(), others.ints());
                }
            }
    }
}
