package org.jmatte.gpu;

import java.nio.FloatBuffer;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.FeatureMap;
import org.jmatte.kernels.Pooling;
import org.jmatte.kernels.Tensor;
import org.jmatte.kernels.VectorLayers;
import org.jmatte.kernels.VectorLayers.Activation;
import org.jmatte.network.PamArchitecture;

/**
 * Decides about one segment, from the mean of its features over all positions and the budget's feature:
 * s = act(reduce(mean, feature)), attention = sigmoid(attend(s)) per channel, logits = decide(act(hidden(s))).
 */
final class PathSelection {
    private static final int BYPASS = 0;
    private static final int KEEP = 1;

    private final String name;
    private final Linear reduce;
    private final Linear attend;
    private final Linear hidden;
    private final Linear decide;

    PathSelection(GpuWeights weights, String segment) {
        name = segment;
        reduce = weights.exactLinear(segment + ".select.reduce");
        attend = weights.exactLinear(segment + ".select.attend");
        hidden = weights.exactLinear(segment + ".select.hidden");
        decide = weights.exactLinear(segment + ".select.decide");
    }

    /**
     * The logit of keeping the segment less that of bypassing it; waits for the device. 1 while planning.
     *
     * @param feature of the budget
     * @param attention [C] fp32: takes the weights of the channels
     * @throws ArithmeticException if the logits are no numbers
     */
    float run(GpuRun run, FeatureMap x, Tensor feature, Tensor attention) {
        float[] margin = {1};
        run.scratch(() -> {
            Tensor mean = run.take(ElementType.FP32, 1, 1, x.channels());
            Tensor scratch = run.take(ElementType.U8, Pooling.scratchBytes(x.height(), x.channels(), 1));
            Tensor semantics = run.take(ElementType.FP32, reduce.outputs());
            Tensor inner = run.take(ElementType.FP32, hidden.outputs());
            Tensor logits = run.take(ElementType.FP32, decide.outputs());
            Pooling.run(run.device(), mean, x, scratch, run.stream());
            layer(run, semantics, mean.reshape(x.channels()), feature, reduce, Activation.LEAKY_RELU);
            layer(run, attention, semantics, null, attend, Activation.SIGMOID);
            layer(run, inner, semantics, null, hidden, Activation.LEAKY_RELU);
            layer(run, logits, inner, null, decide, Activation.IDENTITY);
            if (!run.planning()) {
                margin[0] = margin(run.readFloats(logits));
            }
        });
        return margin[0];
    }

    private static void layer(GpuRun run, Tensor out, Tensor a, Tensor b, Linear layer, Activation activation) {
        VectorLayers.dense(
                run.device(), out, a, b, layer.weight(), layer.bias(), activation, PamArchitecture.LEAK, run.stream());
    }

    private float margin(FloatBuffer logits) {
        float margin = logits.get(KEEP) - logits.get(BYPASS);
        if (Float.isNaN(margin)) {
            throw new ArithmeticException(
                    "the path logits of " + name + " are not numbers: the checkpoint's weights, or"
                            + " the type they run in, do not fit this photo; try fp32");
        }
        return margin;
    }
}
