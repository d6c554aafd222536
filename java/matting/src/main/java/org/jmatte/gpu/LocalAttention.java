package org.jmatte.gpu;

import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.Gemm;
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
        int windowRow = VitArchitecture.WINDOW * run.geometry().gridWidth();
        int windowRows = (run.geometry().gridHeight() + VitArchitecture.WINDOW - 1) / VitArchitecture.WINDOW;
        long rowBytes = 4L * projection.outputs() * windowRow * run.operands().bytes();
        int band = run.tiling().even(run.arena().mark(), rowBytes, run.tiling().windows(), windowRows);
        Weights narrow = new Weights(qkv, projection, relH, relW);
        run.parts((int) x.size(0), band * windowRow, (first, tokens) -> {
            Tensor stream = x.rows(first, tokens);
            run.band(
                    Overflow.mixing(block),
                    "tokens",
                    first,
                    tokens,
                    () -> begin(run, stream, run.operands(), narrow),
                    () -> repeat(run, stream, windowRow));
        });
    }

    /** The weights in one type. */
    private record Weights(Linear qkv, Linear projection, Tensor relH, Tensor relW) {}

    /** Queues the attention of a band; returns what adds its projection. */
    private Runnable begin(GpuRun run, Tensor stream, ElementType type, Weights weights) {
        long tokens = stream.size(0);
        int channels = projection.outputs();
        int heads = channels / VitArchitecture.HEAD_DIM;
        int gridWidth = run.geometry().gridWidth();
        // The norm's rows are read when the attention's are written over them.
        Tensor rows = run.take(type, tokens, channels);
        Tensor packed = run.take(type, tokens, 3L * channels);
        norm.run(run, rows, stream);
        weights.qkv.run(run, packed, rows, run.flagging(Gemm.Options.NONE, Overflow.mixing(block)));
        WindowAttention.run(
                run.device(),
                rows,
                packed.reshape(tokens, 3, heads, VitArchitecture.HEAD_DIM),
                qkv.bias().reshape(3, heads, VitArchitecture.HEAD_DIM),
                weights.relH,
                weights.relW,
                (int) (tokens / gridWidth),
                gridWidth,
                run.stream());
        return () -> weights.projection.addTo(run, stream, rows, Overflow.mixed(block));
    }

    /** In rows of windows. */
    private void repeat(GpuRun run, Tensor x, int windowRow) {
        Weights wide = new Weights(qkv.widened(run), projection.widened(run), run.widened(relH), run.widened(relW));
        run.parts(
                (int) x.size(0),
                windowRow,
                (first, tokens) -> run.inFp32(x.rows(first, tokens), Overflow.mixed(block), stream -> begin(
                                run, stream, ElementType.FP32, wide)
                        .run()));
    }
}
