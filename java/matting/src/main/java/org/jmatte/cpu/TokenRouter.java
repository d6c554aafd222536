package org.jmatte.cpu;

import java.nio.FloatBuffer;
import java.util.BitSet;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.cpu.Linear.Epilogue;

/**
 * Decides which tokens attend globally. Of the hidden rows GELU(in(norm(stream))) the second half is averaged over all
 * tokens; being the same for every token, it is folded into the bias of the next layer. What is left per token runs at
 * half width; the last layer's two scores are folded into one margin.
 */
final class TokenRouter {
    /** What {@code keep} adds to every margin, so that the cap alone decides. */
    private static final float ALWAYS = 100;

    private final LayerNorm norm;
    private final Linear in;
    private final Linear local;
    private final Linear narrow;
    /** [C/2 outputs, C/2 pooled inputs] */
    private final float[] pooledWeights;

    private final float[] localBias;
    private final long marginWeights;
    private final float marginBias;

    TokenRouter(CpuWeights weights, int router) {
        String name = "backbone.routers." + router + ".";
        norm = new LayerNorm(weights, name + "in_conv.0", LayerNorm.ROUTER_EPS);
        in = weights.linear(name + "in_conv.1");
        narrow = weights.linear(name + "out_conv.2");
        int half = in.outputs() / 2;
        float[] both = weights.values(name + "out_conv.0.weight");
        float[] localWeights = new float[half * half];
        pooledWeights = new float[half * half];
        for (int o = 0; o < half; o++) {
            System.arraycopy(both, o * 2 * half, localWeights, o * half, half);
            System.arraycopy(both, o * 2 * half + half, pooledWeights, o * half, half);
        }
        localBias = weights.values(name + "out_conv.0.bias");
        local = weights.linear(half, half, localWeights, localBias);
        float[] scores = weights.values(name + "out_conv.4.weight");
        float[] difference = new float[scores.length / 2];
        for (int c = 0; c < difference.length; c++) {
            difference[c] = scores[c] - scores[difference.length + c];
        }
        marginWeights = weights.keep(difference);
        float[] bias = weights.values(name + "out_conv.4.bias");
        marginBias = bias[0] - bias[1];
    }

    /**
     * Fills the block's tokens.
     *
     * @param always whether every margin is raised, so that the cap alone decides
     * @param cap most tokens to keep
     * @param forced the decision, if it is not the router's; else null
     * @param heard told the margins once it is decided
     */
    Routed run(CpuRun run, long x, Routed routed, boolean always, int cap, BitSet forced, MarginListener heard) {
        ElementType type = run.operands();
        int tokens = run.geometry().tokens();
        int half = local.outputs();
        long mark = run.arena().mark();
        long hidden = run.arena().take(type.bytes((long) tokens * half));
        long margins = run.arena().take((long) tokens * Float.BYTES);
        Blocks chunks = Blocks.ofSize(tokens, run.tiling().chunk());
        long sums = run.arena().take((long) chunks.count() * half * Float.BYTES);
        long bias = run.arena().take((long) half * Float.BYTES);
        long inner = run.arena().mark();
        hiddenRows(run, x, chunks, hidden, sums);
        run.arena().release(inner);
        foldPooled(run, chunks.count(), sums, bias);
        marginRows(run, chunks, hidden, bias, always, margins);
        run.count(
                in.flops(tokens) + local.flops(tokens) + narrow.flops(tokens) + 2L * tokens * narrow.outputs(),
                (long) tokens * in.inputs() * Float.BYTES
                        + 2 * type.bytes((long) tokens * half)
                        + in.bytes()
                        + local.bytes()
                        + narrow.bytes());
        Routed result = routed;
        if (!run.planning()) {
            result = routed.withCount(decide(routed, tokens, margins, cap, forced));
            heard.margins(NativeMemory.floats(margins, tokens).asReadOnlyBuffer());
        }
        run.arena().release(mark);
        return result;
    }

    /** Hears the margins of all tokens. */
    interface MarginListener {
        void margins(FloatBuffer values);
    }

    private void hiddenRows(CpuRun run, long x, Blocks chunks, long hidden, long sums) {
        ElementType type = run.operands();
        int channels = in.outputs();
        int half = channels / 2;
        Rows product = Rows.padded(in, ElementType.FP32, Epilogue.GELU, chunks.size(), chunks.last());
        Scratch scratch = new Scratch();
        long rowsAt = scratch.reserve(type.bytes((long) Rows.padded(chunks.size()) * channels));
        long resultAt = scratch.reserve((long) Rows.padded(chunks.size()) * channels * Float.BYTES);
        long inner = scratch.reserveFor(product);
        scratch.take(run);
        run.forEach(chunks.count(), (chunk, slot) -> {
            int rows = chunks.size(chunk);
            long first = chunks.first(chunk);
            norm.run(x + first * channels * Float.BYTES, rows, scratch.at(slot, rowsAt), type);
            product.run(rows, scratch.at(slot, rowsAt), scratch.at(slot, resultAt), scratch.at(slot, inner));
            CpuKernels.split_halves(
                    scratch.at(slot, resultAt),
                    rows,
                    channels,
                    hidden + type.bytes(first * half),
                    type.code(),
                    sums + chunk * half * Float.BYTES);
        });
    }

    /** bias = the layer's own + pooled weights times the mean of the hidden rows' second half. */
    private void foldPooled(CpuRun run, int chunks, long sums, long bias) {
        if (run.planning()) {
            return;
        }
        int half = local.outputs();
        FloatBuffer parts = NativeMemory.floats(sums, (long) chunks * half);
        double[] mean = new double[half];
        for (int chunk = 0; chunk < chunks; chunk++) {
            for (int c = 0; c < half; c++) {
                mean[c] += parts.get();
            }
        }
        int tokens = run.geometry().tokens();
        FloatBuffer folded = NativeMemory.floats(bias, half);
        for (int o = 0; o < half; o++) {
            double sum = 0;
            for (int c = 0; c < half; c++) {
                sum += pooledWeights[o * half + c] * mean[c];
            }
            folded.put((float) (localBias[o] + sum / tokens));
        }
    }

    private void marginRows(CpuRun run, Blocks chunks, long hidden, long bias, boolean always, long margins) {
        ElementType type = run.operands();
        int half = local.outputs();
        int quarter = narrow.outputs();
        Rows wide = Rows.padded(local, type, Epilogue.GELU, chunks.size(), chunks.last());
        Rows last = Rows.padded(narrow, type, Epilogue.GELU, chunks.size(), chunks.last());
        Scratch scratch = new Scratch();
        long halfAt = scratch.reserve(type.bytes((long) Rows.padded(chunks.size()) * half));
        long quarterAt = scratch.reserve(type.bytes((long) Rows.padded(chunks.size()) * quarter));
        long inner = scratch.reserveFor(wide, last);
        scratch.take(run);
        run.forEach(chunks.count(), (chunk, slot) -> {
            int rows = chunks.size(chunk);
            long first = chunks.first(chunk);
            wide.run(rows, hidden + type.bytes(first * half), scratch.at(slot, halfAt), scratch.at(slot, inner), bias);
            last.run(rows, scratch.at(slot, halfAt), scratch.at(slot, quarterAt), scratch.at(slot, inner));
            CpuKernels.router_margins(
                    scratch.at(slot, quarterAt),
                    type.code(),
                    rows,
                    quarter,
                    marginWeights,
                    always ? marginBias + ALWAYS : marginBias,
                    margins + first * Float.BYTES);
        });
    }

    private static int decide(Routed routed, int tokens, long margins, int cap, BitSet forced) {
        if (forced != null) {
            var keep = NativeMemory.bytes(routed.keep(), tokens);
            for (int t = 0; t < tokens; t++) {
                keep.put(t, (byte) (forced.get(t) ? 1 : 0));
            }
        } else if (CpuKernels.keep_tokens(margins, tokens, cap, routed.keep()) < 0) {
            throw new ArithmeticException("a router's margin is not a number: the checkpoint's weights, or the type "
                    + "they run in, do not fit this photo; try fp32");
        }
        return (int) CpuKernels.compact_tokens(routed.keep(), tokens, routed.selected(), routed.rest());
    }
}
