package org.jmatte.cpu;

import org.jmatte.cpu.Linear.Epilogue;

/** stream += fc2(GELU(fc1(norm(stream)))), chunk by chunk in the worker's scratch. */
final class Mlp {
    private final LayerNorm norm;
    private final Linear fc1;
    private final Linear fc2;

    Mlp(CpuWeights weights, String block) {
        norm = new LayerNorm(weights, block + ".norm2", LayerNorm.ENCODER_EPS);
        fc1 = weights.linear(block + ".mlp.fc1");
        fc2 = weights.linear(block + ".mlp.fc2");
    }

    void run(CpuRun run, long x) {
        ElementType type = run.operands();
        int channels = fc1.inputs();
        long tokens = run.geometry().tokens();
        Blocks chunks = Blocks.ofSize(tokens, run.tiling().chunk());
        Rows expand = Rows.padded(fc1, type, Epilogue.GELU, chunks.size(), chunks.last());
        Rows contract = Rows.exact(fc2, ElementType.FP32, Epilogue.ADD, chunks.size(), chunks.last());
        long room = Rows.padded(chunks.size());
        long mark = run.arena().mark();
        Scratch scratch = new Scratch();
        long rowsAt = scratch.reserve(type.bytes(room * channels));
        long hiddenAt = scratch.reserve(type.bytes(room * fc1.outputs()));
        long inner = scratch.reserveFor(expand, contract);
        scratch.take(run);
        run.count(
                fc1.flops(tokens) + fc2.flops(tokens), 2 * tokens * channels * Float.BYTES + fc1.bytes() + fc2.bytes());
        run.forEach(chunks.count(), (chunk, slot) -> {
            int rows = chunks.size(chunk);
            long at = x + (long) chunks.first(chunk) * channels * Float.BYTES;
            norm.run(at, rows, scratch.at(slot, rowsAt), type);
            expand.run(rows, scratch.at(slot, rowsAt), scratch.at(slot, hiddenAt), scratch.at(slot, inner));
            contract.run(rows, scratch.at(slot, hiddenAt), at, scratch.at(slot, inner));
        });
        run.arena().release(mark);
    }
}
