package org.jmatte.train.data;

import java.util.List;
import java.util.function.IntFunction;

/**
 * Samples of several sizes, each as often: what is learned at one scale alone fails at others. A group of consecutive
 * indices has one size, so that it can be a batch.
 */
public final class MixedSizes implements SampleSource {
    private final List<SampleSource> sources;
    private final long seed;
    private final int group;

    /**
     * @param seed of the order of sizes
     * @param group indices of one size: i to i + group - 1 for every multiple i of it
     * @param sides heights and widths
     * @param source the samples of a side
     */
    public MixedSizes(long seed, int group, List<Integer> sides, IntFunction<SampleSource> source) {
        this.seed = seed;
        this.group = group;
        sources = sides.stream().map(source::apply).toList();
    }

    @Override
    public Sample sample(long index) {
        Rng rng = Rng.of(~seed, Math.floorDiv(index, (long) group));
        return sources.get((int) (rng.uniform() * sources.size())).sample(index);
    }
}
