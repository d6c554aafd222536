package org.jmatte.train.mematte;

import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jmatte.train.torch.Layers;

/** Decides in training which tokens attend globally. */
@FunctionalInterface
public interface Policy {
    /**
     * @param router 0 to 3
     * @param margin [B, N]: the score of attending less that of being refined
     * @return p [B, N], like the margin: 1 attends, 0 is refined
     */
    Tensor decide(int router, Tensor margin);

    /**
     * Hard Gumbel-softmax with the straight-through estimate: p is 1 where the margin plus noise is positive, and has the
     * gradient of sigmoid(margin + noise). The softmax of two scores with Gumbel noise of their own is that sigmoid, the
     * difference of two Gumbel variables being logistic.
     */
    static Policy gumbel(RandomGenerator random) {
        return (router, margin) -> {
            Tensor noisy = margin.add(logistic(random, margin));
            Tensor soft = noisy.sigmoid();
            Tensor hard = noisy.gt(new Scalar(0.0)).to(soft.scalar_type());
            return hard.add(soft.sub(soft.detach()));
        };
    }

    private static Tensor logistic(RandomGenerator random, Tensor like) {
        float[] noise = new float[Math.toIntExact(like.numel())];
        for (int i = 0; i < noise.length; i++) {
            double u = Math.max(random.nextDouble(), Double.MIN_NORMAL);
            noise[i] = (float) Math.log(u / (1 - u));
        }
        return Layers.constant(like, noise, like.size(0), like.size(1));
    }
}
