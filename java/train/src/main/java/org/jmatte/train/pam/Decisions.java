package org.jmatte.train.pam;

import java.util.random.RandomGenerator;

/** What a walk through the network asks at each segment. */
@FunctionalInterface
public interface Decisions {
    /** @return whether to keep segment k, whose path selection layer gave these logits */
    boolean keep(int segment, float bypassLogit, float keepLogit);

    /** A given path, bit k of which keeps segment k, whatever the network estimates. */
    static Decisions follow(int path) {
        return (segment, bypass, keep) -> (path >> segment & 1) == 1;
    }

    /** Drawn from the estimated distribution by the Gumbel-max trick. */
    static Decisions sample(RandomGenerator random) {
        return (segment, bypass, keep) -> keep + gumbel(random) > bypass + gumbel(random);
    }

    /** The estimate, except that a segment which the rest of the budget cannot pay for is bypassed. */
    static Decisions within(PamCosts costs, int constraint) {
        long[] headroom = {constraint * PamCosts.GIGA - costs.of(0)};
        return (segment, bypass, keep) -> {
            long extra = costs.keep().get(segment) - costs.bypass().get(segment);
            if (keep <= bypass || extra > headroom[0]) {
                return false;
            }
            headroom[0] -= extra;
            return true;
        };
    }

    private static double gumbel(RandomGenerator random) {
        double u = Math.max(random.nextDouble(), Double.MIN_NORMAL);
        return -Math.log(-Math.log(u));
    }
}
