package org.jmatte.train.pam;

import java.util.random.RandomGenerator;
import org.jmatte.network.PamBudget;
import org.jmatte.network.PamPath;

/** What a walk through the network asks at each segment. */
@FunctionalInterface
public interface Decisions {
    /** @return whether to keep segment k, whose path selection layer gave these logits */
    boolean keep(int segment, float bypassLogit, float keepLogit);

    /** A given path, whatever the network estimates. */
    static Decisions follow(PamPath path) {
        return (segment, bypass, keep) -> path.keeps(segment);
    }

    /** Drawn from the estimated distribution by the Gumbel-max trick. */
    static Decisions sample(RandomGenerator random) {
        return (segment, bypass, keep) -> keep + gumbel(random) > bypass + gumbel(random);
    }

    /** The estimate, except that a segment which the rest of the budget cannot pay for is bypassed. */
    static Decisions within(int gmacs) {
        PamBudget budget = new PamBudget(gmacs);
        return (segment, bypass, keep) -> keep > bypass && budget.affords(segment);
    }

    private static double gumbel(RandomGenerator random) {
        double u = Math.max(random.nextDouble(), Double.MIN_NORMAL);
        return -Math.log(-Math.log(u));
    }
}
