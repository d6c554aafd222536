package org.jmatte.train.pam;

import java.util.List;

/**
 * Multiply-accumulates at 1024x1024 pixels of the convolutions and linear maps of a path.
 *
 * @param fixed what every path runs
 * @param bypass what each segment's connect layer costs
 * @param keep what each segment's modules cost
 */
public record PamCosts(long fixed, List<Long> bypass, List<Long> keep) {
    /** One billion: constraints are counted in it. */
    public static final long GIGA = 1_000_000_000L;

    /** The cost of a path, bit k of which keeps segment k. */
    public long of(int path) {
        long cost = fixed;
        for (int k = 0; k < segments(); k++) {
            cost += (path >> k & 1) == 1 ? keep.get(k) : bypass.get(k);
        }
        return cost;
    }

    public int segments() {
        return keep.size();
    }

    /** The path that keeps every segment. */
    public int full() {
        return (1 << segments()) - 1;
    }

    /** The least constraint, in GMACs, that allows a path. */
    public int constraintOf(int path) {
        return Math.toIntExact((of(path) + GIGA - 1) / GIGA);
    }

    /** C_min. */
    public int leastConstraint() {
        return constraintOf(0);
    }

    /** C_max. */
    public int largestConstraint() {
        return constraintOf(full());
    }
}
