package org.jmatte.cpu;

import static org.jmatte.cpu.AttentionReference.DEPTH;

import org.jmatte.bindings.cpu.CpuKernels;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention inside one window, whole or cut by the image's border, against its definition. */
class WindowAttentionTest {
    private static final int WINDOW = 14;

    @AfterEach
    void restoreIsa() {
        Numbers.restoreIsa();
    }

    @ParameterizedTest
    @MethodSource("org.jmatte.cpu.Numbers#isasAndTypes")
    void equalsTheDefinition(int isa, int type) {
        CpuKernels.use_isa(isa);
        int[][] windows = {{14, 14}, {14, 3}, {3, 14}, {1, 1}, {5, 14}, {14, 13}, {7, 9}, {1, 14}};
        for (int[] window : windows)
            for (int heads : new int[] {2, 6}) check(isa, type, window[0], window[1], heads, heads == 2 ? 1 : 4);
    }

    private static void check(int isa, int type, int rows, int columns, int heads, float sharpness) {
        int tokens = rows * columns;
        float[] qkv = AttentionReference.randomQkv(tokens, heads, sharpness, type, 1);
        float[] bias = Numbers.random(3 * heads * DEPTH, 2);
        float[] relH = AttentionReference.randomTable(WINDOW, 3);
        float[] relW = AttentionReference.randomTable(WINDOW, 4);
        float[] actual;
        try (NativeBuffer qkvs = NativeBuffer.of(qkv, type);
                NativeBuffer biases = NativeBuffer.of(bias);
                NativeBuffer relHs = NativeBuffer.of(relH);
                NativeBuffer relWs = NativeBuffer.of(relW);
                NativeBuffer out = NativeBuffer.empty(tokens * heads * DEPTH, type);
                NativeBuffer scratch = NativeBuffer.emptyBytes((int) CpuKernels.window_attention_scratch(type))) {
            CpuKernels.window_attention(
                    qkvs.address(),
                    type,
                    rows,
                    columns,
                    heads,
                    biases.address(),
                    relHs.address(),
                    relWs.address(),
                    out.address(),
                    scratch.address());
            actual = out.floats(type);
        }
        AttentionReference reference = new AttentionReference(type);
        float[] outside = Numbers.stored(bias, type);
        for (int head = 0; head < heads; head++) {
            float[][] k = new float[WINDOW * WINDOW][];
            float[][] v = new float[WINDOW * WINDOW][];
            for (int y = 0; y < WINDOW; y++)
                for (int x = 0; x < WINDOW; x++) {
                    boolean inside = y < rows && x < columns;
                    int token = inside ? y * columns + x : 0;
                    k[y * WINDOW + x] = AttentionReference.row(inside ? qkv : outside, token, 1, heads, head);
                    v[y * WINDOW + x] = AttentionReference.row(inside ? qkv : outside, token, 2, heads, head);
                }
            for (int token = 0; token < tokens; token++) {
                float[] q = AttentionReference.row(qkv, token, 0, heads, head);
                double[] position = new double[WINDOW * WINDOW];
                for (int key = 0; key < position.length; key++)
                    position[key] = AttentionReference.bias(q, relH, WINDOW, token / columns - key / WINDOW)
                            + AttentionReference.bias(q, relW, WINDOW, token % columns - key % WINDOW);
                reference.check(q, k, v, position, actual, (token * heads + head) * DEPTH);
            }
        }
        reference.assertClose(
                String.format("isa %d, type %d, window %d x %d, %d heads", isa, type, rows, columns, heads));
    }
}
