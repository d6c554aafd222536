package org.jmatte.train.data;

import java.util.function.IntFunction;

/**
 * Samples among which some are quarters of samples of twice the side, cut out anywhere: those may hold known pixels
 * alone, which a network must leave alone too.
 */
public final class RandomCrops implements SampleSource {
    private final long seed;
    private final float share;
    private final int side;
    private final SampleSource usual;
    private final SampleSource larger;

    /**
     * @param seed of the choice and of the places
     * @param share of the crops among the samples, 0..1
     * @param side height and width of the samples
     * @param source the samples of a side
     */
    public RandomCrops(long seed, float share, int side, IntFunction<SampleSource> source) {
        this.seed = seed;
        this.share = share;
        this.side = side;
        usual = source.apply(side);
        larger = source.apply(2 * side);
    }

    @Override
    public Sample sample(long index) {
        Rng rng = Rng.of(~seed, index);
        if (!rng.chance(share)) {
            return usual.sample(index);
        }
        int top = (int) (rng.uniform() * (side + 1));
        int left = (int) (rng.uniform() * (side + 1));
        return larger.sample(index).crop(top, left, side, side);
    }
}
