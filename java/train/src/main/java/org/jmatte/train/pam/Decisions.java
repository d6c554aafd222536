package org.jmatte.train.pam;

import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Tensor;
import org.jmatte.network.PamBudget;
import org.jmatte.network.PamPath;
import org.jmatte.train.torch.Parameters;

/** What a walk through the network asks at each segment. */
@FunctionalInterface
public interface Decisions {
    /**
     * @param logits of the segment's path selection layer for the first image, [1, 2], bypass and keep; who reads them
     *     waits for the device
     * @return whether to keep segment k
     */
    boolean keep(int segment, Tensor logits);

    /** A given path, whatever the network estimates. */
    static Decisions follow(PamPath path) {
        return (segment, logits) -> path.keeps(segment);
    }

    /** Drawn from the estimated distribution by the Gumbel-max trick. */
    static Decisions sample(RandomGenerator random) {
        return (segment, logits) -> {
            float[] both = Parameters.toArray(logits);
            return both[1] + gumbel(random) > both[0] + gumbel(random);
        };
    }

    /** The estimate, except that a segment which the rest of the budget cannot pay for is bypassed. */
    static Decisions within(int gmacs) {
        PamBudget budget = new PamBudget(gmacs);
        return (segment, logits) -> {
            float[] both = Parameters.toArray(logits);
            return both[1] > both[0] && budget.affords(segment);
        };
    }

    private static double gumbel(RandomGenerator random) {
        double u = Math.max(random.nextDouble(), Double.MIN_NORMAL);
        return -Math.log(-Math.log(u));
    }
}
