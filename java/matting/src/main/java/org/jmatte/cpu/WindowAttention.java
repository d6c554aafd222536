package org.jmatte.cpu;

import java.nio.IntBuffer;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.cpu.Linear.Epilogue;
import org.jmatte.network.VitArchitecture;

/**
 * stream += proj(attention inside 14x14 windows of norm(stream)). A task is one window: its tokens are gathered by the
 * norm, everything else happens in the worker's scratch, and the result is added back. Windows partition the grid, so
 * the stream is updated in place.
 */
final class WindowAttention {
    private static final int WINDOW = VitArchitecture.WINDOW;
    /** Of rows per product: the 196 rows of a whole window stay as they are. */
    private static final int MULTIPLE = 4;

    private final LayerNorm norm;
    private final Linear qkv;
    private final Linear projection;
    private final long qkvBias;
    private final long relH;
    private final long relW;

    WindowAttention(CpuWeights weights, String block) {
        norm = new LayerNorm(weights, block + ".norm1", LayerNorm.ENCODER_EPS);
        qkv = weights.linear(block + ".attn.qkv");
        projection = weights.linear(block + ".attn.proj");
        qkvBias = weights.vector(block + ".attn.qkv.bias");
        relH = weights.vector(block + ".attn.rel_pos_h");
        relW = weights.vector(block + ".attn.rel_pos_w");
    }

    /** The grid's tokens window by window, for {@link #run}. */
    static long takeOrder(CpuRun run) {
        int height = run.geometry().gridHeight();
        int width = run.geometry().gridWidth();
        long address = run.arena().take((long) height * width * Integer.BYTES);
        if (!run.planning()) {
            IntBuffer order = NativeMemory.ints(address, (long) height * width);
            for (int top = 0; top < height; top += WINDOW) {
                for (int left = 0; left < width; left += WINDOW) {
                    for (int y = top; y < Math.min(top + WINDOW, height); y++) {
                        for (int x = left; x < Math.min(left + WINDOW, width); x++) {
                            order.put(y * width + x);
                        }
                    }
                }
            }
        }
        return address;
    }

    void run(CpuRun run, long x, long order) {
        ElementType type = run.operands();
        int channels = projection.outputs();
        int gridWidth = run.geometry().gridWidth();
        int gridHeight = run.geometry().gridHeight();
        Blocks down = Blocks.ofSize(gridHeight, WINDOW);
        Blocks across = Blocks.ofSize(gridWidth, WINDOW);
        // Whole windows, and those cut off by the right edge, the lower edge, and both.
        int[] sizes = {
            down.size() * across.size(),
            down.size() * across.last(),
            down.last() * across.size(),
            down.last() * across.last()
        };
        Rows toQkv = Rows.padded(MULTIPLE, qkv, type, Epilogue.NONE, sizes);
        Rows project = Rows.padded(MULTIPLE, projection, ElementType.FP32, Epilogue.NONE, sizes);
        long most = Rows.padded(sizes[0], MULTIPLE);
        long mark = run.arena().mark();
        Scratch scratch = new Scratch();
        long rowsAt = scratch.reserve(type.bytes(most * channels));
        long qkvAt = scratch.reserve(type.bytes(most * 3 * channels));
        long resultAt = scratch.reserve(most * channels * Float.BYTES);
        long attentionAt = scratch.reserve(CpuKernels.window_attention_scratch(type.code()));
        long inner = scratch.reserveFor(toQkv, project);
        scratch.take(run);
        long tokens = run.geometry().tokens();
        long windowArea = (long) WINDOW * WINDOW;
        run.count(
                qkv.flops(tokens) + projection.flops(tokens) + 4 * tokens * channels * (windowArea + WINDOW),
                3 * tokens * channels * Float.BYTES + qkv.bytes() + projection.bytes());
        run.forEach((long) down.count() * across.count(), (task, slot) -> {
            long windowRow = task / across.count();
            long windowColumn = task % across.count();
            int height = down.size(windowRow);
            int width = across.size(windowColumn);
            int rows = height * width;
            long before = (long) down.first(windowRow) * gridWidth + (long) height * across.first(windowColumn);
            long index = order + before * Integer.BYTES;
            norm.gather(x, index, rows, scratch.at(slot, rowsAt), type);
            toQkv.run(rows, scratch.at(slot, rowsAt), scratch.at(slot, qkvAt), scratch.at(slot, inner));
            CpuKernels.window_attention(
                    scratch.at(slot, qkvAt),
                    type.code(),
                    height,
                    width,
                    channels / VitArchitecture.HEAD_DIM,
                    qkvBias,
                    relH,
                    relW,
                    scratch.at(slot, rowsAt),
                    scratch.at(slot, attentionAt));
            project.run(rows, scratch.at(slot, rowsAt), scratch.at(slot, resultAt), scratch.at(slot, inner));
            CpuKernels.add_rows(x, index, rows, channels, scratch.at(slot, resultAt), ElementType.FP32.code());
        });
        run.arena().release(mark);
    }
}
