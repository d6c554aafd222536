package org.jmatte.cpu;

import static org.jmatte.cpu.AttentionReference.DEPTH;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.jmatte.bindings.cpu.CpuKernels;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention among many tokens, with and without a grid, against its definition. */
class AttentionTest {
    private static final String CASES = "org.jmatte.cpu.Numbers#isasAndTypes";
    private static final int NO_GRID = 0;

    @AfterEach
    void restoreIsa() {
        Numbers.restoreIsa();
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void equalsTheDefinition(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int tokens : new int[] {1, 7, 16, 19, 99, 111, 127, 128, 129, 500, 989})
            check(isa, type, tokens, tokens == 111 ? 6 : 2, NO_GRID, NO_GRID, tokens % 2 == 0 ? 4 : 1);
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void equalsTheDefinitionOnAGrid(int isa, int type) {
        CpuKernels.use_isa(isa);
        int[][] grids = {{1, 1}, {2, 3}, {3, 50}, {50, 3}, {1, 97}, {97, 1}, {20, 20}, {2, 300}, {66, 66}};
        for (int[] grid : grids) check(isa, type, grid[0] * grid[1], grid[0] == 3 ? 6 : 2, grid[0], grid[1], 1);
    }

    /** Neither the rows' order of arrival nor how queries are shared out changes a bit. */
    @ParameterizedTest
    @MethodSource(CASES)
    void doesNotDependOnTheTasks(int isa, int type) {
        CpuKernels.use_isa(isa);
        int width = 37;
        int tokens = 7 * width;
        float[] qkv = AttentionReference.randomQkv(tokens, 2, 2, type, 1);
        for (int gridWidth : new int[] {NO_GRID, width}) {
            float[] expected = attend(qkv, type, tokens, 2, gridWidth, tokens, CpuKernels.attention_queries());
            for (int queries : new int[] {1, 5, 50})
                Numbers.assertSame(expected, attend(qkv, type, tokens, 2, gridWidth, 16, queries));
        }
    }

    /** Scores so low that a padding key's zero would outweigh them: the result is the mean of v. */
    @ParameterizedTest
    @MethodSource(CASES)
    void paddingHasNoWeight(int isa, int type) {
        CpuKernels.use_isa(isa);
        int tokens = 131;
        float[] qkv = AttentionReference.randomQkv(tokens, 1, 1, type, 1);
        double[] expected = new double[tokens * DEPTH];
        for (int token = 0; token < tokens; token++)
            for (int c = 0; c < DEPTH; c++) {
                qkv[token * 3 * DEPTH + c] = 8;
                qkv[(token * 3 + 1) * DEPTH + c] = -16;
                for (int to = 0; to < tokens; to++)
                    expected[to * DEPTH + c] += qkv[(token * 3 + 2) * DEPTH + c] / (double) tokens;
            }
        float[] actual = attend(qkv, type, tokens, 1, NO_GRID, tokens, CpuKernels.attention_queries());
        Numbers.assertClose(expected, actual, 1e-6, type);
    }

    /** A NaN shows in every result that it has a part in, instead of being taken for a weight of zero. */
    @ParameterizedTest
    @MethodSource(CASES)
    void nanStaysNan(int isa, int type) {
        CpuKernels.use_isa(isa);
        int tokens = 200;
        float[] qkv = AttentionReference.randomQkv(tokens, 2, 1, type, 1);
        qkv[(150 * 3 + 1) * 2 * DEPTH + 5] = Float.NaN; // in a key of the first head
        for (int gridWidth : new int[] {NO_GRID, 20}) {
            float[] actual = attend(qkv, type, tokens, 2, gridWidth, tokens, CpuKernels.attention_queries());
            for (int i = 0; i < actual.length; i++) assertEquals(i / DEPTH % 2 == 0, Float.isNaN(actual[i]));
        }
    }

    /** All keys score alike, and high: the first ones keep their share to the end, however many tiles follow. */
    @ParameterizedTest
    @MethodSource(CASES)
    void sharesDoNotDrift(int isa, int type) {
        CpuKernels.use_isa(isa);
        int tokens = 4800;
        int with = 48;
        float[] qkv = new float[tokens * 3 * DEPTH];
        double[] expected = new double[tokens * DEPTH];
        for (int token = 0; token < tokens; token++)
            for (int c = 0; c < DEPTH; c++) {
                qkv[token * 3 * DEPTH + c] = 3 + token % 256 / 128f;
                qkv[(token * 3 + 1) * DEPTH + c] = 3.3f;
                qkv[(token * 3 + 2) * DEPTH + c] = token < with ? (float) tokens / with : 0;
                expected[token * DEPTH + c] = 1;
            }
        float[] actual = attend(qkv, type, tokens, 1, NO_GRID, tokens, CpuKernels.attention_queries());
        Numbers.assertClose(expected, actual, 1e-5, NativeBuffer.FP32);
    }

    private static void check(
            int isa, int type, int tokens, int heads, int gridHeight, int gridWidth, float sharpness) {
        float[] qkv = AttentionReference.randomQkv(tokens, heads, sharpness, type, 1);
        float[] actual = attend(qkv, type, tokens, heads, gridWidth, 48, CpuKernels.attention_queries());
        float[] relH = AttentionReference.randomTable(Math.max(gridHeight, 1), 2);
        float[] relW = AttentionReference.randomTable(Math.max(gridWidth, 1), 3);
        AttentionReference reference = new AttentionReference(type);
        int step = Math.max(1, tokens / 500); // the definition takes too long for all queries of a large grid
        for (int head = 0; head < heads; head++) {
            float[][] k = new float[tokens][];
            float[][] v = new float[tokens][];
            for (int key = 0; key < tokens; key++) {
                k[key] = AttentionReference.row(qkv, key, 1, heads, head);
                v[key] = AttentionReference.row(qkv, key, 2, heads, head);
            }
            for (int token = 0; token < tokens; token += step) {
                float[] q = AttentionReference.row(qkv, token, 0, heads, head);
                double[] bias = new double[tokens];
                for (int key = 0; key < tokens && gridWidth > 0; key++)
                    bias[key] = AttentionReference.bias(q, relH, gridHeight, token / gridWidth - key / gridWidth)
                            + AttentionReference.bias(q, relW, gridWidth, token % gridWidth - key % gridWidth);
                reference.check(q, k, v, bias, actual, (token * heads + head) * DEPTH);
            }
        }
        reference.assertClose(String.format(
                "isa %d, type %d, %d tokens, grid %d x %d, %d heads", isa, type, tokens, gridHeight, gridWidth, heads));
    }

    /** The kernel's results; rows are packed {@code rows} at a time, the last ones first. */
    private static float[] attend(float[] qkv, int type, int tokens, int heads, int gridWidth, int rows, int queries) {
        int gridHeight = gridWidth > 0 ? tokens / gridWidth : 0;
        int rowBytes = 3 * heads * DEPTH * (type == NativeBuffer.BF16 ? 2 : 4);
        try (NativeBuffer qkvs = NativeBuffer.of(qkv, type);
                NativeBuffer operands =
                        NativeBuffer.emptyBytes((int) CpuKernels.attention_operands(tokens, heads, type));
                NativeBuffer relH = NativeBuffer.of(AttentionReference.randomTable(Math.max(gridHeight, 1), 2));
                NativeBuffer relW = NativeBuffer.of(AttentionReference.randomTable(Math.max(gridWidth, 1), 3));
                NativeBuffer out = NativeBuffer.empty(tokens * heads * DEPTH, type);
                NativeBuffer scratch =
                        NativeBuffer.emptyBytes((int) CpuKernels.attention_scratch(gridHeight, gridWidth, type))) {
            for (int first = (tokens - 1) / rows * rows; first >= 0; first -= rows)
                CpuKernels.attention_pack(
                        qkvs.address() + (long) first * rowBytes,
                        type,
                        first,
                        Math.min(rows, tokens - first),
                        tokens,
                        heads,
                        operands.address());
            for (int head = 0; head < heads; head++)
                for (int first = 0; first < tokens; first += queries)
                    CpuKernels.attention(
                            operands.address(),
                            type,
                            tokens,
                            heads,
                            head,
                            first,
                            Math.min(queries, tokens - first),
                            gridHeight,
                            gridWidth,
                            relH.address(),
                            relW.address(),
                            out.address(),
                            scratch.address());
            return out.floats(type);
        }
    }
}
