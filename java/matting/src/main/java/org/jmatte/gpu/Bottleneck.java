package org.jmatte.gpu;

import org.jmatte.kernels.Conv3x3;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.FeatureMap;
import org.jmatte.kernels.MapOptions;
import org.jmatte.kernels.Tensor;
import org.jmatte.weights.Parameters.Scale;

/**
 * stream += norm3(conv3(GELU(norm2(conv2(GELU(norm1(conv1(stream)))))))): 1x1, 3x3 and 1x1 without biases. Both maps of
 * half the channels are kept whole, since the 3x3 convolution needs neighbours.
 */
final class Bottleneck {
    private final int block;
    private final Linear conv1;
    private final Tensor conv2;
    private final Linear conv3;
    private final Norm norm1;
    private final Norm norm2;
    private final Norm norm3;

    Bottleneck(GpuWeights weights, int block) {
        this.block = block;
        String name = GpuWeights.block(block) + ".residual.";
        conv1 = weights.linear(name + "conv1");
        conv2 = weights.convolution(name + "conv2", Scale.none(conv1.outputs()), 0, conv1.outputs());
        conv3 = weights.linear(name + "conv3");
        norm1 = weights.norm(name + "norm1", Norm.ENCODER_EPS);
        norm2 = weights.norm(name + "norm2", Norm.ENCODER_EPS);
        norm3 = weights.norm(name + "norm3", Norm.ENCODER_EPS);
    }

    void run(GpuRun run, Tensor x) {
        long tokens = x.size(0);
        run.scratch(() -> {
            Tensor a = run.take(tokens, conv1.outputs());
            Tensor b = run.take(tokens, conv1.outputs());
            contract(run, x, a);
            convolve(run, a, b);
            expand(run, x, b);
        });
    }

    /** a = GELU(norm1(conv1(stream))). The product is fp32: its input is not normalised. */
    private void contract(GpuRun run, Tensor x, Tensor a) {
        int tokens = (int) x.size(0);
        int wide = conv1.inputs();
        int narrow = conv1.outputs();
        int chunk = run.chunk(tokens, run.converted(wide) + run.floats(narrow), narrow);
        run.parts(tokens, chunk, (first, rows) -> {
            Tensor stream = x.rows(first, rows);
            Tensor to = a.rows(first, rows);
            run.band(
                    Overflow.bottleneck(block),
                    "tokens",
                    first,
                    rows,
                    () -> {
                        contract(run, run.as(run.operands(), stream, Overflow.bottleneck(block)), conv1, to);
                        return () -> {};
                    },
                    () -> contract(run, run.widened(stream), conv1.widened(run), to));
        });
    }

    private void contract(GpuRun run, Tensor operands, Linear conv, Tensor a) {
        Tensor y = run.take(ElementType.FP32, a.shape());
        conv.run(run, y, operands);
        norm1.gelu(run, a, y);
    }

    /** b = GELU(norm2(conv2(a))). */
    private void convolve(GpuRun run, Tensor a, Tensor b) {
        boolean whole = Conv3x3.takesNorm(run.operands(), conv1.outputs(), 1);
        MapOptions options = whole
                ? MapOptions.NONE
                        .norm(norm2.weight(), norm2.bias(), norm2.eps())
                        .gelu()
                : MapOptions.NONE;
        Conv3x3.run(run.device(), map(run, b), map(run, a), conv2, null, 1, options, run.stream());
        if (!whole) {
            norm2.gelu(run, b, b);
        }
    }

    private static FeatureMap map(GpuRun run, Tensor rows) {
        return FeatureMap.of(
                rows.reshape(run.geometry().gridHeight(), run.geometry().gridWidth(), rows.size(1)));
    }

    /** stream += norm3(conv3(b)). */
    private void expand(GpuRun run, Tensor x, Tensor b) {
        int tokens = (int) x.size(0);
        int chunk = run.chunk(tokens, run.floats(conv3.outputs()), conv3.outputs());
        run.scratch(() -> {
            Tensor y = run.take(ElementType.FP32, chunk, conv3.outputs());
            run.parts(tokens, chunk, (first, rows) -> {
                conv3.run(run, y.rows(0, rows), b.rows(first, rows));
                norm3.addTo(run, x.rows(first, rows), y.rows(0, rows));
            });
        });
    }
}
