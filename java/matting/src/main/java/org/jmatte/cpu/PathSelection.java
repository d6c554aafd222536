package org.jmatte.cpu;

import java.nio.FloatBuffer;
import org.jmatte.network.PamArchitecture;

/**
 * Decides about one segment, from the mean of its features over all positions and the budget's feature:
 * s = act(reduce(mean, feature)), attention = sigmoid(attend(s)) per channel, logits = decide(act(hidden(s))).
 */
final class PathSelection {
    private static final int BYPASS = 0;
    private static final int KEEP = 1;

    /** y = W v + b, small enough for Java. */
    private record Layer(float[] matrix, float[] bias) {
        static Layer of(CpuWeights weights, String name) {
            return new Layer(weights.array(name + ".weight"), weights.array(name + ".bias"));
        }

        double[] apply(double[] v) {
            double[] y = new double[bias.length];
            for (int o = 0; o < y.length; o++) {
                double sum = bias[o];
                for (int i = 0; i < v.length; i++) {
                    sum += matrix[o * v.length + i] * v[i];
                }
                y[o] = sum;
            }
            return y;
        }

        double[] activated(double[] v) {
            double[] y = apply(v);
            for (int o = 0; o < y.length; o++) {
                y[o] = y[o] < 0 ? y[o] * PamArchitecture.LEAK : y[o];
            }
            return y;
        }
    }

    private final String name;
    private final Layer reduce;
    private final Layer attend;
    private final Layer hidden;
    private final Layer decide;

    PathSelection(CpuWeights weights, String segment) {
        name = segment;
        reduce = Layer.of(weights, segment + ".select.reduce");
        attend = Layer.of(weights, segment + ".select.attend");
        hidden = Layer.of(weights, segment + ".select.hidden");
        decide = Layer.of(weights, segment + ".select.decide");
    }

    /**
     * The logit of keeping the segment less that of bypassing it.
     *
     * @param mean of the features, per channel
     * @param feature of the budget
     * @param attention takes the weights of the channels
     * @throws ArithmeticException if the logits are no numbers
     */
    double run(double[] mean, float[] feature, FloatBuffer attention) {
        double[] seen = new double[mean.length + feature.length];
        System.arraycopy(mean, 0, seen, 0, mean.length);
        for (int i = 0; i < feature.length; i++) {
            seen[mean.length + i] = feature[i];
        }
        double[] semantics = reduce.activated(seen);
        for (double weight : attend.apply(semantics)) {
            attention.put((float) (1 / (1 + Math.exp(-weight))));
        }
        double[] logits = decide.apply(hidden.activated(semantics));
        double margin = logits[KEEP] - logits[BYPASS];
        if (Double.isNaN(margin)) {
            throw new ArithmeticException(
                    "the path logits of " + name + " are not numbers: the checkpoint's weights, or"
                            + " the type they run in, do not fit this photo; try fp32");
        }
        return margin;
    }

    /** Floating-point operations. */
    long flops() {
        return 2L * (reduce.matrix.length + attend.matrix.length + hidden.matrix.length + decide.matrix.length);
    }
}
