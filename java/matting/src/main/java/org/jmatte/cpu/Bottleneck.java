package org.jmatte.cpu;

import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.cpu.Linear.Epilogue;

/**
 * stream += norm3(conv3(GELU(norm2(conv2(GELU(norm1(conv1(stream)))))))): 1x1, 3x3 and 1x1 without biases. The output
 * of conv1 is kept whole, since the 3x3 convolution needs neighbours; all else stays in the worker's scratch.
 */
final class Bottleneck {
    /** Unfolded rows are nine times as wide as the map: fewer at a time than elsewhere. */
    private static final int MOST_UNFOLDED = 64;

    private final Linear conv1;
    private final Linear conv2;
    private final Linear conv3;
    private final LayerNorm norm1;
    private final LayerNorm norm2;
    private final LayerNorm norm3;

    Bottleneck(CpuWeights weights, String block) {
        String name = block + ".residual.";
        conv1 = weights.linear(name + "conv1");
        conv2 = weights.convolution(name + "conv2");
        conv3 = weights.linear(name + "conv3");
        norm1 = new LayerNorm(weights, name + "norm1", LayerNorm.ENCODER_EPS);
        norm2 = new LayerNorm(weights, name + "norm2", LayerNorm.ENCODER_EPS);
        norm3 = new LayerNorm(weights, name + "norm3", LayerNorm.ENCODER_EPS);
    }

    void run(CpuRun run, long x) {
        long tokens = run.geometry().tokens();
        int narrow = conv1.outputs();
        long mark = run.arena().mark();
        long map = run.arena().take(run.operands().bytes(tokens * narrow));
        long inner = run.arena().mark();
        contract(run, x, map);
        run.arena().release(inner);
        expand(run, x, map);
        run.arena().release(mark);
        run.count(
                conv1.flops(tokens) + conv2.flops(tokens) + conv3.flops(tokens),
                3 * tokens * conv1.inputs() * Float.BYTES
                        + 2 * run.operands().bytes(tokens * narrow)
                        + conv1.bytes()
                        + conv2.bytes()
                        + conv3.bytes());
    }

    /** map = GELU(norm1(conv1(stream))). */
    private void contract(CpuRun run, long x, long map) {
        ElementType type = run.operands();
        int wide = conv1.inputs();
        int narrow = conv1.outputs();
        Blocks chunks = Blocks.ofSize(run.geometry().tokens(), run.tiling().chunk());
        Rows product = Rows.padded(conv1, ElementType.FP32, Epilogue.NONE, chunks.size(), chunks.last());
        Scratch scratch = new Scratch();
        long rowsAt = scratch.reserve(type.bytes((long) Rows.padded(chunks.size()) * wide));
        long resultAt = scratch.reserve((long) Rows.padded(chunks.size()) * narrow * Float.BYTES);
        long inner = scratch.reserveFor(product);
        scratch.take(run);
        run.forEach(chunks.count(), (chunk, slot) -> {
            int rows = chunks.size(chunk);
            long first = chunks.first(chunk);
            long source = Stream.operands(x, first, rows, wide, scratch.at(slot, rowsAt), type);
            product.run(rows, source, scratch.at(slot, resultAt), scratch.at(slot, inner));
            norm1.runGelu(scratch.at(slot, resultAt), rows, map + type.bytes(first * narrow), type);
        });
    }

    /** stream += norm3(conv3(GELU(norm2(conv2(map))))). */
    private void expand(CpuRun run, long x, long map) {
        ElementType type = run.operands();
        int narrow = conv2.outputs();
        int wide = conv3.outputs();
        int gridWidth = run.geometry().gridWidth();
        int gridHeight = run.geometry().gridHeight();
        Blocks blocks =
                Blocks.of(gridWidth, Math.min(MOST_UNFOLDED, run.tiling().chunk()));
        Rows middle = Rows.padded(conv2, ElementType.FP32, Epilogue.NONE, blocks.size(), blocks.last());
        Rows last = Rows.padded(conv3, ElementType.FP32, Epilogue.NONE, blocks.size(), blocks.last());
        Scratch scratch = new Scratch();
        long unfoldedAt = scratch.reserve(type.bytes((long) Rows.padded(blocks.size()) * conv2.inputs()));
        long resultAt = scratch.reserve((long) Rows.padded(blocks.size()) * wide * Float.BYTES);
        long rowsAt = scratch.reserve(type.bytes((long) Rows.padded(blocks.size()) * narrow));
        long inner = scratch.reserveFor(middle, last);
        scratch.take(run);
        run.forEach((long) gridHeight * blocks.count(), (task, slot) -> {
            int y = (int) (task / blocks.count());
            int first = blocks.first(task % blocks.count());
            int columns = blocks.size(task % blocks.count());
            long result = scratch.at(slot, resultAt);
            long rows = scratch.at(slot, rowsAt);
            CpuKernels.unfold3x3(
                    map,
                    type.code(),
                    gridHeight,
                    gridHeight,
                    gridWidth,
                    narrow,
                    1,
                    y,
                    first,
                    1,
                    columns,
                    scratch.at(slot, unfoldedAt),
                    conv2.inputs());
            middle.run(columns, scratch.at(slot, unfoldedAt), result, scratch.at(slot, inner));
            norm2.runGelu(result, columns, rows, type);
            last.run(columns, rows, result, scratch.at(slot, inner));
            norm3.run(result, columns, result, ElementType.FP32);
            long out = x + ((long) y * gridWidth + first) * wide * Float.BYTES;
            CpuKernels.add_rows(out, 0, columns, wide, result, ElementType.FP32.code());
        });
    }
}
