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
     * Whether the segment should be kept; waits for the device. While planning, to keep it.
     *
     * @param feature of the budget
     * @param attention [C] fp32: takes the weights of the channels
     * @throws ArithmeticException if the logits are no numbers
     */
    boolean run(GpuRun run, FeatureMap x, Tensor feature, Tensor attention) {
        boolean[] keep = {true};
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
            keep[0] = run.planning() || keeps(run.readFloats(logits));
        });
        return keep[0];
    }

    private static void layer(GpuRun run, Tensor out, Tensor a, Tensor b, Linear layer, Activation activation) {
        VectorLayers.dense(
                run.device(), out, a, b, layer.weight(), layer.bias(), activation, PamArchitecture.LEAK, run.stream());
    }

    private boolean keeps(FloatBuffer logits) {
        if (Float.isNaN(logits.get(KEEP) - logits.get(BYPASS))) {
            throw new ArithmeticException(
                    "the path logits of " + name + " are not numbers: the checkpoint's weights, or"
                            + " the type they run in, do not fit this photo; try fp32");
        }
        return logits.get(KEEP) > logits.get(BYPASS);
    }
}
