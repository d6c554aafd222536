package org.jmatte.train.mematte;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jmatte.train.torch.Parameters;
import org.junit.jupiter.api.Test;

/** Attention under a policy against plain loops. */
class AttentionTest {
    private static final int BATCH = 2;
    private static final int HEADS = 3;
    private static final int TOKENS = 11;
    private static final double EPSILON = 1e-6;

    private final Random random = new Random(9);

    @Test
    void weightsUnderAPolicyEqualTheirFormula() {
        float[] scores = new float[BATCH * HEADS * TOKENS * TOKENS];
        float[] policy = new float[BATCH * TOKENS];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (float) (3 * random.nextGaussian());
        }
        for (int i = 0; i < policy.length; i++) {
            policy[i] = i < TOKENS ? random.nextInt(2) : random.nextFloat(); // hard, then relaxed
        }
        float[] expected = new float[scores.length];
        for (int row = 0; row < BATCH * HEADS * TOKENS; row++) {
            int image = row / (HEADS * TOKENS);
            double largest = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < TOKENS; j++) {
                largest = Math.max(largest, scores[row * TOKENS + j]);
            }
            double[] e = new double[TOKENS];
            double sum = 0;
            for (int j = 0; j < TOKENS; j++) {
                double m = row % TOKENS == j ? 1 : policy[image * TOKENS + j];
                e[j] = Math.exp(scores[row * TOKENS + j] - largest) * m;
                sum += e[j];
            }
            for (int j = 0; j < TOKENS; j++) {
                expected[row * TOKENS + j] = (float) ((e[j] + EPSILON / TOKENS) / (sum + EPSILON));
            }
        }
        try (PointerScope temporaries = new PointerScope()) {
            Tensor weights = Attention.weights(
                    Tensor.create(scores, BATCH, HEADS, TOKENS, TOKENS), Tensor.create(policy, BATCH, TOKENS));
            assertArrayEquals(expected, Parameters.toArray(weights), 1e-6f);
        }
    }
}
