package org.jmatte.gpu;

import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.Gemm;
import org.jmatte.kernels.Tensor;
import org.jmatte.kernels.TokenRouting;
import org.jmatte.weights.Parameters;

/**
 * Scores tokens: the margin by which each prefers to attend globally. Of the hidden rows GELU(in(norm(stream))) the
 * second half is averaged over all tokens; being the same for every token, it is folded into the bias of the next layer.
 * What is left per token runs at half width; the last layer's two scores are folded into one margin.
 */
final class TokenRouter {
    /** What {@code keep} adds to every margin, so that the cap alone decides. */
    private static final float ALWAYS = 100;

    private final Norm norm;
    private final Linear in;
    /** [C/2, C/2]: of the token's own half. */
    private final Tensor local;
    /** [C/2, C] fp32, of which the pooled half is read. */
    private final Tensor pooled;

    private final Tensor localBias;
    private final Linear narrow;
    private final Tensor marginWeights;
    private final float marginBias;

    TokenRouter(GpuWeights weights, int router) {
        String name = "backbone.routers." + router + ".";
        Parameters parameters = weights.parameters();
        norm = weights.norm(name + "in_conv.0", Norm.ROUTER_EPS);
        in = weights.linear(name + "in_conv.1");
        narrow = weights.linear(name + "out_conv.2");
        int half = in.outputs() / 2;
        String both = name + "out_conv.0.weight";
        local = weights.put(weights.operands(), () -> columns(parameters.values(both), half), half, half);
        pooled = weights.put(ElementType.FP32, () -> parameters.values(both), half, 2L * half);
        localBias = weights.bias(name + "out_conv.0");
        String scores = name + "out_conv.4";
        marginWeights =
                weights.put(ElementType.FP32, () -> difference(parameters.values(scores + ".weight")), half / 2);
        float[] bias = parameters.values(scores + ".bias");
        marginBias = bias[0] - bias[1];
    }

    /** The first {@code half} columns of [half, 2 half]. */
    private static float[] columns(float[] both, int half) {
        float[] first = new float[half * half];
        for (int o = 0; o < half; o++) {
            System.arraycopy(both, o * 2 * half, first, o * half, half);
        }
        return first;
    }

    private static float[] difference(float[] rows) {
        float[] difference = new float[rows.length / 2];
        for (int c = 0; c < difference.length; c++) {
            difference[c] = rows[c] - rows[difference.length + c];
        }
        return difference;
    }

    /**
     * Fills in the margins.
     *
     * @param margins [N] fp32
     * @param always whether every margin is raised, so that the cap alone decides
     */
    void run(GpuRun run, Tensor x, Tensor margins, boolean always) {
        int tokens = (int) x.size(0);
        int channels = in.inputs();
        int half = channels / 2;
        run.scratch(() -> {
            Tensor kept = run.take(tokens, half);
            Tensor partial = run.take(ElementType.FP32, TokenRouting.partialRows(tokens), half);
            Tensor mean = run.take(ElementType.FP32, half);
            Tensor bias = run.take(ElementType.FP32, half);
            hidden(run, x, kept, partial);
            TokenRouting.mean(run.device(), mean, partial, tokens, run.stream());
            TokenRouting.fold(run.device(), bias, pooled, localBias, mean, run.stream());
            margins(run, kept, new Linear(local, bias), margins, always);
        });
    }

    /** The own half of the hidden rows, and sums of the other. Hidden rows are fp32 until they are summed. */
    private void hidden(GpuRun run, Tensor x, Tensor kept, Tensor partial) {
        int tokens = (int) x.size(0);
        int channels = in.inputs();
        long elements = channels + run.floats(channels);
        // Whole blocks of sums in every chunk but the last.
        int chunk = roundDown(run.chunk(tokens, elements, in.outputs()), tokens);
        run.scratch(() -> {
            Tensor normed = run.take(chunk, channels);
            Tensor hidden = run.take(ElementType.FP32, chunk, channels);
            run.parts(tokens, chunk, (first, rows) -> {
                norm.run(run, normed.rows(0, rows), x.rows(first, rows));
                in.run(run, hidden.rows(0, rows), normed.rows(0, rows), Gemm.Options.NONE.gelu());
                TokenRouting.pool(
                        run.device(),
                        kept.rows(first, rows),
                        partial.rows(TokenRouting.partialRows(first), TokenRouting.partialRows(rows)),
                        hidden.rows(0, rows),
                        run.stream());
            });
        });
    }

    private static int roundDown(int chunk, int tokens) {
        int block = TokenRouting.POOL_ROWS;
        return chunk == tokens ? tokens : chunk / block * block;
    }

    private void margins(GpuRun run, Tensor kept, Linear wide, Tensor margins, boolean always) {
        int tokens = (int) kept.size(0);
        int half = wide.outputs();
        int quarter = narrow.outputs();
        long elements = half + run.floats(quarter);
        int chunk = run.chunk(tokens, elements, half);
        run.scratch(() -> {
            Tensor first = run.take(chunk, half);
            Tensor second = run.take(ElementType.FP32, chunk, quarter);
            run.parts(tokens, chunk, (from, rows) -> {
                wide.run(run, first.rows(0, rows), kept.rows(from, rows), Gemm.Options.NONE.gelu());
                narrow.run(run, second.rows(0, rows), first.rows(0, rows), Gemm.Options.NONE.gelu());
                TokenRouting.margins(
                        run.device(),
                        margins.rows(from, rows),
                        second.rows(0, rows),
                        marginWeights,
                        always ? marginBias + ALWAYS : marginBias,
                        run.stream());
            });
        });
    }
}
