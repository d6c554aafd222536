package org.jmatte.gpu;

import org.jmatte.kernels.Gemm;
import org.jmatte.kernels.LayerNorm;
import org.jmatte.kernels.SparseAttention;
import org.jmatte.kernels.Tensor;
import org.jmatte.network.VitArchitecture;

/**
 * Attention of many tokens among each other: of all, with decomposed relative position (ViTMatte), or of the selected
 * ones, without (MEMatte), whose number only the device knows. Scores never exist as a matrix.
 */
final class GlobalAttention {
    private final int block;
    private final Norm norm;
    private final Linear qkv;
    private final Linear projection;
    private final float[] relH;
    private final float[] relW;

    GlobalAttention(GpuWeights weights, int block) {
        this.block = block;
        String name = GpuWeights.block(block);
        norm = weights.norm(name + ".norm1", Norm.ENCODER_EPS);
        qkv = weights.linear(name + ".attn.qkv");
        projection = weights.linear(name + ".attn.proj");
        boolean relative = weights.parameters().has(name + ".attn.rel_pos_h");
        relH = relative ? weights.parameters().values(name + ".attn.rel_pos_h") : null;
        relW = relative ? weights.parameters().values(name + ".attn.rel_pos_w") : null;
    }

    /** stream += proj(attention of all tokens of norm(stream)). */
    void runAll(GpuRun run, Tensor x) {
        int tokens = (int) x.size(0);
        int channels = projection.outputs();
        int gridHeight = run.geometry().gridHeight();
        int gridWidth = run.geometry().gridWidth();
        run.scratch(() -> {
            Tensor tableH = table(run, relH, gridHeight);
            Tensor tableW = table(run, relW, gridWidth);
            // The norm's rows are read when the attention's are written over them.
            Tensor rows = run.take(tokens, channels);
            Tensor packed = run.take(tokens, 3L * channels);
            norm.run(run, rows, x);
            qkv.run(run, packed, rows);
            SparseAttention.relative(
                    run.device(), rows, heads(packed), tableH, tableW, gridHeight, gridWidth, run.stream());
            projection.addTo(run, x, rows, Overflow.mixed(block));
        });
    }

    /**
     * y[t] = proj(attention of the selected tokens of norm(stream)) for every selected t.
     *
     * @param selected [most] i32
     * @param count [1] i32: how many there are
     * @param y [N, C]
     */
    void runSelected(GpuRun run, Tensor x, Tensor selected, Tensor count, Tensor y) {
        int channels = projection.outputs();
        run.scratch(() -> {
            Tensor rows = run.take(selected.size(0), channels);
            Tensor packed = run.take(selected.size(0), 3L * channels);
            LayerNorm.gather(
                    run.device(), rows, x, norm.weight(), norm.bias(), selected, count, norm.eps(), run.stream());
            qkv.run(run, packed, rows, Gemm.Options.NONE.count(count));
            SparseAttention.run(run.device(), rows, heads(packed), count, run.stream());
            projection.run(run, y, rows, Gemm.Options.NONE.scatter(selected).count(count));
        });
    }

    private static Tensor heads(Tensor packed) {
        long heads = packed.size(1) / 3 / VitArchitecture.HEAD_DIM;
        return packed.reshape(packed.size(0), 3, heads, VitArchitecture.HEAD_DIM);
    }

    /** The table [stored, 64] resized linearly (half-pixel centres) to [2 * size - 1, 64]. */
    private static Tensor table(GpuRun run, float[] stored, int size) {
        int rows = 2 * size - 1;
        int dim = VitArchitecture.HEAD_DIM;
        Tensor table = run.take(rows, dim);
        if (run.planning()) {
            return table;
        }
        float[] values = new float[rows * dim];
        int from = stored.length / dim;
        for (int r = 0; r < rows; r++) {
            float source = Math.max(0, (r + 0.5f) * from / rows - 0.5f);
            int low = Math.min((int) source, from - 1);
            int high = Math.min(low + 1, from - 1);
            float weight = source - low;
            for (int d = 0; d < dim; d++) {
                values[r * dim + d] = (1 - weight) * stored[low * dim + d] + weight * stored[high * dim + d];
            }
        }
        run.device().copyToDevice(table.pointer(), Numbers.bytes(values, table.type()), run.stream());
        return table;
    }
}
