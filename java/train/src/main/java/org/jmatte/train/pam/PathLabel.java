package org.jmatte.train.pam;

import java.util.Arrays;
import java.util.Map;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamPath;

/**
 * What should have been decided at each segment of a walk.
 *
 * @param path the right decisions, which depend on those that the walk took before
 * @param weights 0 to 1: how much each matters
 */
record PathLabel(PamPath path, float[] weights) {
    private static final double CLEAR = 0.03; // of an error: a smaller difference matters less

    /**
     * At each segment the better decision of the candidates that agree most with the walk so far. Were it that of the best
     * candidate everywhere, decisions learned one by one from near ties of paths that keep one segment or another would
     * come to keep both, or neither. For the same reason a decision matters as much as the error depends on it: else
     * many images that hardly care would outvote one that does.
     *
     * @param errors of an image along the candidates
     */
    static PathLabel of(Map<PamPath, Double> errors, PamPath walk) {
        PamPath path = PamPath.BYPASS_ALL;
        float[] weights = new float[PamArchitecture.SEGMENTS];
        for (int k = 0; k < weights.length; k++) {
            int before = (1 << k) - 1;
            int[] disagreements = errors.keySet().stream()
                    .mapToInt(candidate -> Integer.bitCount((candidate.bits() ^ walk.bits()) & before))
                    .toArray();
            int fewest = Arrays.stream(disagreements).min().orElseThrow();
            double[] least = {Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY}; // if it is bypassed, and if kept
            int i = 0;
            for (Map.Entry<PamPath, Double> candidate : errors.entrySet()) {
                if (disagreements[i++] == fewest) {
                    int choice = candidate.getKey().keeps(k) ? 1 : 0;
                    least[choice] = Math.min(least[choice], candidate.getValue());
                }
            }
            path = least[1] < least[0] ? path.keeping(k) : path;
            double gap = Math.abs(least[1] - least[0]);
            double clear = CLEAR * Math.min(least[0], least[1]);
            weights[k] = (float) Math.min(1, gap / Math.max(clear, Double.MIN_NORMAL));
        }
        return new PathLabel(path, weights);
    }

    /** The decisions of a path, all of which matter. */
    static PathLabel of(PamPath path) {
        float[] weights = new float[PamArchitecture.SEGMENTS];
        Arrays.fill(weights, 1);
        return new PathLabel(path, weights);
    }
}
