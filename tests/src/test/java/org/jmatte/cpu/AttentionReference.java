package org.jmatte.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;

/**
 * Attention of single queries by its definition, in double, and how far a kernel's results are from it.
 *
 * <p>fp32 may err by a rounding error of the greatest score, which its weight takes over as a relative error. bf16 may
 * err at most twice what the plain computation errs that only rounds weights and results to bf16.
 */
final class AttentionReference {
    static final int DEPTH = 64;

    private final int type;
    private double error;
    private double plainError;
    private double greatestScore;
    private double greatestValue;

    AttentionReference(int type) {
        this.type = type;
    }

    /** k and v [keys][64], bias [keys]; actual holds the query's results from {@code at} on. */
    void check(float[] q, float[][] k, float[][] v, double[] bias, float[] actual, int at) {
        double[] scores = new double[k.length];
        double greatest = Double.NEGATIVE_INFINITY;
        for (int key = 0; key < k.length; key++) {
            scores[key] = dot(q, k[key]) / 8 + bias[key];
            greatest = Math.max(greatest, scores[key]);
            greatestScore = Math.max(greatestScore, Math.abs(scores[key]));
        }
        double total = 0;
        double[] expected = new double[DEPTH];
        double[] plain = new double[DEPTH];
        for (int key = 0; key < k.length; key++) {
            double weight = Math.exp(scores[key] - greatest);
            double rounded = Numbers.bf16((float) weight);
            total += weight;
            for (int c = 0; c < DEPTH; c++) {
                expected[c] += weight * v[key][c];
                plain[c] += rounded * v[key][c];
                greatestValue = Math.max(greatestValue, Math.abs(v[key][c]));
            }
        }
        for (int c = 0; c < DEPTH; c++) {
            expected[c] /= total;
            assertTrue(Float.isFinite(actual[at + c]), "A result is " + actual[at + c]);
            error = Math.max(error, Math.abs(actual[at + c] - expected[c]));
            plainError = Math.max(plainError, Math.abs(Numbers.bf16((float) (plain[c] / total)) - expected[c]));
        }
    }

    /** After all queries. */
    void assertClose(String what) {
        double allowed = Math.scalb(1 + greatestScore, -23) * greatestValue;
        if (type == NativeBuffer.BF16) allowed += 2 * plainError;
        System.out.printf("%s: error %.2g, %.0f %% of what is allowed%n", what, error, 100 * error / allowed);
        assertTrue(error <= allowed, what + ": error " + error + ", allowed " + allowed);
    }

    static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int c = 0; c < DEPTH; c++) sum += (double) a[c] * b[c];
        return sum;
    }

    /** One head's row of q (0), k (1) or v (2) of a token, from [tokens, 3, heads, 64]. */
    static float[] row(float[] qkv, int token, int which, int heads, int head) {
        int from = ((token * 3 + which) * heads + head) * DEPTH;
        return Arrays.copyOfRange(qkv, from, from + DEPTH);
    }

    /** Random [tokens, 3, heads, 64] as stored in {@code type}, queries times {@code sharpness}. */
    static float[] randomQkv(int tokens, int heads, float sharpness, int type, long seed) {
        float[] qkv = Numbers.random(tokens * 3 * heads * DEPTH, seed);
        for (int i = 0; i < qkv.length; i++) if (i / (heads * DEPTH) % 3 == 0) qkv[i] *= sharpness;
        return Numbers.stored(qkv, type);
    }

    /** A table of relative positions. */
    static float[] randomTable(int extent, long seed) {
        float[] table = Numbers.random((2 * extent - 1) * DEPTH, seed);
        for (int i = 0; i < table.length; i++) table[i] *= 0.1f;
        return table;
    }

    /** The bias between positions that are {@code offset} rows or columns apart. */
    static double bias(float[] q, float[] table, int extent, int offset) {
        int from = (offset + extent - 1) * DEPTH;
        return dot(q, Arrays.copyOfRange(table, from, from + DEPTH));
    }
}
