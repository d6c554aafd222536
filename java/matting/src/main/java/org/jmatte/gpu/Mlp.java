package org.jmatte.gpu;

import org.jmatte.kernels.ElementType;
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
        run.parts(tokens, chunk, (first, rows) -> {
            Tensor stream = x.rows(first, rows);
            run.band(
                    Overflow.hidden(block),
                    "tokens",
                    first,
                    rows,
                    () -> begin(run, stream, run.operands(), fc1, fc2),
                    () -> repeat(run, stream));
        });
    }

    /** Queues the hidden rows; returns what adds their product. */
    private Runnable begin(GpuRun run, Tensor stream, ElementType type, Linear in, Linear out) {
        Tensor normed = run.take(type, stream.size(0), in.inputs());
        Tensor hidden = run.take(type, stream.size(0), in.outputs());
        norm.run(run, normed, stream);
        in.run(run, hidden, normed, run.flagging(Gemm.Options.NONE.gelu(), Overflow.hidden(block)));
        return () -> out.addTo(run, stream, hidden, Overflow.added(block));
    }

    private void repeat(GpuRun run, Tensor x) {
        Linear in = fc1.widened(run);
        Linear out = fc2.widened(run);
        int tokens = (int) x.size(0);
        int chunk = run.chunk(tokens, run.floats(2L * in.inputs() + in.outputs()), out.outputs());
        run.parts(
                tokens,
                chunk,
                (first, rows) -> run.inFp32(x.rows(first, rows), Overflow.added(block), stream -> begin(
                                run, stream, ElementType.FP32, in, out)
                        .run()));
    }
}
