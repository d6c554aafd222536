package org.jmatte.gpu;

import org.jmatte.kernels.Gemm;
import org.jmatte.kernels.Tensor;

/** stream += fc2(GELU(fc1(norm(stream)))), chunk by chunk. */
final class Mlp {
    private final int block;
    private final Norm norm;
    private final Linear fc1;
    private final Linear fc2;

    Mlp(GpuWeights weights, int block) {
        this.block = block;
        String name = GpuWeights.block(block);
        norm = weights.norm(name + ".norm2", Norm.ENCODER_EPS);
        fc1 = weights.linear(name + ".mlp.fc1");
        fc2 = weights.linear(name + ".mlp.fc2");
    }

    void run(GpuRun run, Tensor x) {
        int tokens = (int) x.size(0);
        int chunk = run.chunk(tokens, fc1.inputs() + fc1.outputs(), fc2.outputs());
        run.scratch(() -> {
            Tensor normed = run.take(chunk, fc1.inputs());
            Tensor hidden = run.take(chunk, fc1.outputs());
            GpuRun.parts(tokens, chunk, (first, rows) -> {
                Tensor stream = x.rows(first, rows);
                norm.run(run, normed.rows(0, rows), stream);
                fc1.run(run, hidden.rows(0, rows), normed.rows(0, rows), Gemm.Options.NONE.gelu());
                fc2.addTo(run, stream, hidden.rows(0, rows), block);
            });
        });
    }
}
