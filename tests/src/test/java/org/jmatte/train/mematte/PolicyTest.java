package org.jmatte.train.mematte;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jmatte.train.torch.Parameters;
import org.junit.jupiter.api.Test;

/** Straight-through Gumbel-softmax. */
class PolicyTest {
    private static final int DRAWS = 20_000;

    @Test
    void tokensAreKeptWithTheSoftmaxOfTheScores() {
        for (float margin : new float[] {-2, -0.5f, 0, 1}) {
            float[] margins = new float[DRAWS];
            Arrays.fill(margins, margin);
            try (PointerScope temporaries = new PointerScope()) {
                Policy policy = Policy.gumbel(new SplittableRandom(3));
                float[] kept = Parameters.toArray(policy.decide(0, Tensor.create(margins, 4, DRAWS / 4)));
                double sum = 0;
                for (float p : kept) {
                    assertTrue(p == 0 || p == 1, "hard");
                    sum += p;
                }
                assertEquals(1 / (1 + Math.exp(-margin)), sum / DRAWS, 0.01);
            }
        }
    }

    @Test
    void theGradientIsThatOfTheSoftDecision() {
        float[] margins = {-1.5f, -0.2f, 0.1f, 2};
        try (PointerScope temporaries = new PointerScope()) {
            Tensor margin = Tensor.create(margins, 2, 2).set_requires_grad(true);
            Policy.gumbel(new SplittableRandom(4)).decide(0, margin).sum().backward();
            SplittableRandom same = new SplittableRandom(4);
            float[] expected = new float[margins.length];
            for (int i = 0; i < margins.length; i++) {
                double u = same.nextDouble();
                double soft = 1 / (1 + Math.exp(-(margins[i] + Math.log(u / (1 - u)))));
                expected[i] = (float) (soft * (1 - soft));
            }
            assertArrayEquals(expected, Parameters.toArray(margin.mutable_grad()), 1e-6f);
        }
    }
}
