package org.jmatte.cpu;

import java.nio.FloatBuffer;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.cpu.Linear.Epilogue;
import org.jmatte.network.VitArchitecture;

/**
 * Attention of many tokens among each other: of all, with decomposed relative position (ViTMatte), or of the routed
 * ones, without (MEMatte). Scores never exist as a matrix.
 */
final class GlobalAttention {
    private final LayerNorm norm;
    private final Linear qkv;
    private final Linear projection;
    private final float[] relH;
    private final float[] relW;

    GlobalAttention(CpuWeights weights, String block) {
        norm = new LayerNorm(weights, block + ".norm1", LayerNorm.ENCODER_EPS);
        qkv = weights.linear(block + ".attn.qkv");
        projection = weights.linear(block + ".attn.proj");
        boolean relative = weights.has(block + ".attn.rel_pos_h");
        relH = relative ? weights.values(block + ".attn.rel_pos_h") : null;
        relW = relative ? weights.values(block + ".attn.rel_pos_w") : null;
    }

    /** stream += proj(attention of all tokens of norm(stream)). */
    void runAll(CpuRun run, long x) {
        int tokens = run.geometry().tokens();
        int channels = projection.outputs();
        int gridHeight = run.geometry().gridHeight();
        int gridWidth = run.geometry().gridWidth();
        long mark = run.arena().mark();
        long tableH = table(run, relH, gridHeight);
        long tableW = table(run, relW, gridWidth);
        long attended = attend(run, x, 0, tokens, tokens, gridHeight, gridWidth, tableH, tableW);
        Blocks chunks = Blocks.ofSize(tokens, run.tiling().chunk());
        Rows project = Rows.exact(projection, ElementType.FP32, Epilogue.ADD, chunks.size(), chunks.last());
        Scratch scratch = new Scratch();
        long inner = scratch.reserveFor(project);
        scratch.take(run);
        run.forEach(chunks.count(), (chunk, slot) -> {
            long row = (long) chunks.first(chunk) * channels;
            project.run(
                    chunks.size(chunk),
                    attended + run.operands().bytes(row),
                    x + row * Float.BYTES,
                    scratch.at(slot, inner));
        });
        run.arena().release(mark);
    }

    /**
     * y[t] = proj(attention of the selected tokens of norm(stream)) for every selected t.
     *
     * @param selected address of their indices
     * @param count how many
     * @param most how many there may be, for which memory is taken
     * @param y [N, C] operands
     */
    void runSelected(CpuRun run, long x, long selected, int count, int most, long y) {
        ElementType type = run.operands();
        int channels = projection.outputs();
        long mark = run.arena().mark();
        long attended = attend(run, x, selected, count, most, 0, 0, 0, 0);
        // Whole chunks, rounded up: rows past the last token are computed from stale memory and never stored.
        int chunk = run.tiling().chunk();
        Product project = projection.product(chunk, type, Epilogue.NONE);
        Scratch scratch = new Scratch();
        long resultAt = scratch.reserve(type.bytes((long) chunk * channels));
        long inner = scratch.reserve(project.scratchBytes());
        scratch.take(run);
        run.forEach((count + chunk - 1) / chunk, (task, slot) -> {
            long first = task * chunk;
            project.run(attended + type.bytes(first * channels), scratch.at(slot, resultAt), scratch.at(slot, inner));
            CpuKernels.scatter_rows(
                    scratch.at(slot, resultAt),
                    type.code(),
                    selected + first * Integer.BYTES,
                    Math.min(chunk, count - first),
                    channels,
                    y);
        });
        run.arena().release(mark);
    }

    /** The attention's output [count, C] operands, in memory for whole chunks of {@code most} tokens. */
    private long attend(
            CpuRun run,
            long x,
            long selected,
            int count,
            int most,
            int gridHeight,
            int gridWidth,
            long tableH,
            long tableW) {
        ElementType type = run.operands();
        int channels = projection.outputs();
        int heads = channels / VitArchitecture.HEAD_DIM;
        Blocks room = Blocks.ofSize(most, run.tiling().chunk());
        long attended =
                run.arena().take(type.bytes((long) room.count() * run.tiling().chunk() * channels));
        long mark = run.arena().mark();
        long operands = run.arena().take(CpuKernels.attention_operands(most, heads, type.code()));
        long inner = run.arena().mark();
        pack(run, x, selected, count, operands);
        run.arena().release(inner);

        int queries = CpuKernels.attention_queries();
        Scratch scratch = new Scratch();
        long scratchAt = scratch.reserve(CpuKernels.attention_scratch(gridHeight, gridWidth, type.code()));
        scratch.take(run);
        long blocks = (count + queries - 1) / queries;
        run.forEach(blocks * heads, (task, slot) -> {
            long first = task % blocks * queries;
            CpuKernels.attention(
                    operands,
                    type.code(),
                    count,
                    heads,
                    (int) (task / blocks),
                    first,
                    (int) Math.min(queries, count - first),
                    gridHeight,
                    gridWidth,
                    tableH,
                    tableW,
                    attended,
                    scratch.at(slot, scratchAt));
        });
        run.arena().release(mark);
        long relative = gridWidth > 0 ? 2L * count * channels * (gridHeight + gridWidth) : 0;
        run.count(
                qkv.flops(count) + 4L * count * count * channels + relative + projection.flops(count),
                (2L * count + (selected == 0 ? count : 0)) * channels * Float.BYTES
                        + 5 * type.bytes((long) count * channels)
                        + qkv.bytes()
                        + projection.bytes());
        return attended;
    }

    /** Queries, keys and values of the tokens, laid out for the attention kernel. */
    private void pack(CpuRun run, long x, long selected, int count, long operands) {
        ElementType type = run.operands();
        int channels = projection.outputs();
        int chunk = run.tiling().chunk();
        Product toQkv = qkv.product(chunk, type, Epilogue.NONE);
        Scratch scratch = new Scratch();
        long rowsAt = scratch.reserve(type.bytes((long) chunk * channels));
        long qkvAt = scratch.reserve(type.bytes(3L * chunk * channels));
        long inner = scratch.reserve(toQkv.scratchBytes());
        scratch.take(run);
        run.forEach((count + chunk - 1) / chunk, (task, slot) -> {
            long first = task * chunk;
            int rows = (int) Math.min(chunk, count - first);
            if (selected == 0) {
                norm.run(x + first * channels * Float.BYTES, rows, scratch.at(slot, rowsAt), type);
            } else {
                norm.gather(x, selected + first * Integer.BYTES, rows, scratch.at(slot, rowsAt), type);
            }
            toQkv.run(scratch.at(slot, rowsAt), scratch.at(slot, qkvAt), scratch.at(slot, inner));
            CpuKernels.attention_pack(
                    scratch.at(slot, qkvAt),
                    type.code(),
                    first,
                    rows,
                    count,
                    channels / VitArchitecture.HEAD_DIM,
                    operands);
        });
    }

    /** The table [stored, 64] resized linearly (half-pixel centres) to [2 * size - 1, 64], in the arena. */
    private static long table(CpuRun run, float[] stored, int size) {
        int rows = 2 * size - 1;
        int dim = VitArchitecture.HEAD_DIM;
        long address = run.arena().take((long) rows * dim * Float.BYTES);
        if (run.planning()) {
            return address;
        }
        FloatBuffer table = NativeMemory.floats(address, (long) rows * dim);
        int from = stored.length / dim;
        for (int r = 0; r < rows; r++) {
            float source = Math.max(0, (r + 0.5f) * from / rows - 0.5f);
            int low = Math.min((int) source, from - 1);
            int high = Math.min(low + 1, from - 1);
            float weight = source - low;
            for (int d = 0; d < dim; d++) {
                table.put((1 - weight) * stored[low * dim + d] + weight * stored[high * dim + d]);
            }
        }
        return address;
    }
}
