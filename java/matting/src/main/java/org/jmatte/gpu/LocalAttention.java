package org.jmatte.gpu;

import org.jmatte.kernels.Tensor;
import org.jmatte.kernels.WindowAttention;
import org.jmatte.network.VitArchitecture;

/**
 * stream += proj(attention inside 14x14 windows of norm(stream)), band by band of window rows: windows partition the
 * grid, so a band reads no other's tokens.
 */
final class LocalAttention {
    private final int block;
    private final Norm norm;
    private final Linear qkv;
    private final Linear projection;
    private final Tensor relH;
    private final Tensor relW;

    LocalAttention(GpuWeights weights, int block) {
        this.block = block;
        String name = GpuWeights.block(block);
        norm = weights.norm(name + ".norm1", Norm.ENCODER_EPS);
        qkv = weights.linear(name + ".attn.qkv");
        projection = weights.linear(name + ".attn.proj");
        relH = table(weights, name + ".attn.rel_pos_h");
        relW = table(weights, name + ".attn.rel_pos_w");
    }

    private static Tensor table(GpuWeights weights, String name) {
        long[] shape = weights.parameters().shape(name);
        return weights.put(weights.operands(), () -> weights.parameters().values(name), shape);
    }

    void run(GpuRun run, Tensor x) {
        int channels = projection.outputs();
        int heads = channels / VitArchitecture.HEAD_DIM;
        int gridWidth = run.geometry().gridWidth();
        int windowRow = VitArchitecture.WINDOW * gridWidth;
        int windowRows = (run.geometry().gridHeight() + VitArchitecture.WINDOW - 1) / VitArchitecture.WINDOW;
        long rowBytes = 4L * channels * windowRow * run.operands().bytes();
        int band = run.tiling().even(run.arena().mark(), rowBytes, run.tiling().windows(), windowRows);
        int tokens = Math.min((int) x.size(0), band * windowRow);
        Tensor bias = qkv.bias().reshape(3, heads, VitArchitecture.HEAD_DIM);
        run.scratch(() -> {
            // The norm's rows are read when the attention's are written over them.
            Tensor rows = run.take(tokens, channels);
            Tensor packed = run.take(tokens, 3L * channels);
            GpuRun.parts((int) x.size(0), tokens, (first, count) -> {
                Tensor stream = x.rows(first, count);
                Tensor operands = rows.rows(0, count);
                norm.run(run, operands, stream);
                qkv.run(run, packed.rows(0, count), operands);
                WindowAttention.run(
                        run.device(),
                        operands,
                        packed.rows(0, count).reshape(count, 3, heads, VitArchitecture.HEAD_DIM),
                        bias,
                        relH,
                        relW,
                        count / gridWidth,
                        gridWidth,
                        run.stream());
                projection.addTo(run, stream, operands, block);
            });
        });
    }
}
