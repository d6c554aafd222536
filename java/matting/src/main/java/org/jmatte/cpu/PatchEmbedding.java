package org.jmatte.cpu;

import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.cpu.Linear.Epilogue;
import org.jmatte.network.VitArchitecture;

/** Patches of 16x16 pixels times a matrix, plus the position table resized to the grid. */
final class PatchEmbedding {
    /** The stored table has a class token first, which matting does not use. */
    private static final int CLASS_TOKENS = 1;
    /** Patches are long rows (1024 values): fewer at a time than tokens elsewhere. */
    private static final int MOST_ROWS = 64;

    private final Linear projection;
    private final long table;
    private final int channels;

    PatchEmbedding(CpuWeights weights) {
        projection = weights.convolution("backbone.patch_embed.proj");
        channels = projection.outputs();
        float[] stored = weights.values("backbone.pos_embed");
        table = weights.keep(java.util.Arrays.copyOfRange(stored, CLASS_TOKENS * channels, stored.length));
    }

    void run(CpuRun run, Pixels pixels, long x) {
        int gridHeight = run.geometry().gridHeight();
        int gridWidth = run.geometry().gridWidth();
        Blocks blocks = Blocks.of(gridWidth, Math.min(MOST_ROWS, run.tiling().chunk()));
        Rows project = Rows.exact(projection, ElementType.FP32, Epilogue.NONE, blocks.size(), blocks.last());
        long mark = run.arena().mark();
        Scratch scratch = new Scratch();
        long patches = scratch.reserve(run.operands().bytes((long) blocks.size() * projection.inputs()));
        long inner = scratch.reserveFor(project);
        scratch.take(run);
        long tokens = run.geometry().tokens();
        run.count(project.flops(tokens), pixels.bytes() + tokens * channels * Float.BYTES + projection.bytes());
        run.forEach((long) gridHeight * blocks.count(), (task, slot) -> {
            int row = (int) (task / blocks.count());
            int first = blocks.first(task % blocks.count());
            int columns = blocks.size(task % blocks.count());
            long token = (long) row * gridWidth + first;
            long out = x + token * channels * Float.BYTES;
            pixels.unfold(
                    VitArchitecture.PATCH, VitArchitecture.PATCH, 0, row, first, columns, scratch.at(slot, patches));
            project.run(columns, scratch.at(slot, patches), out, scratch.at(slot, inner));
            CpuKernels.add_position(out, token, columns, gridHeight, gridWidth, channels, table);
        });
        run.arena().release(mark);
    }
}
