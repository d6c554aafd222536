package org.jmatte.train.data;

import java.util.SplittableRandom;

/** Random draws that are the same on every machine: integer generators, {@link StrictMath}, no platform intrinsics. */
final class Rng {
    private static final float TURN = (float) (2 * Math.PI);

    private final SplittableRandom random;

    Rng(long seed) {
        random = new SplittableRandom(seed);
    }

    /** The generator of one index, independent of those of its neighbours (SplittableRandom mixes its seed weakly). */
    static Rng of(long seed, long index) {
        return new Rng(mix(seed ^ mix(index + 0x9E3779B97F4A7C15L)));
    }

    /** Steele, Lea and Flood's finaliser of 64 bits. */
    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** A generator that goes its own way: what is drawn from it does not shift the draws from this one. */
    Rng split() {
        return new Rng(mix(random.nextLong()));
    }

    /** Uniform in [0, 1). */
    float uniform() {
        return (random.nextLong() >>> 40) * 0x1p-24f;
    }

    float between(float low, float high) {
        return low + (high - low) * uniform();
    }

    /** Uniform in the logarithm: each doubling is as likely. */
    float logBetween(float low, float high) {
        return low * (float) StrictMath.pow(high / low, uniform());
    }

    /** Near-normal with mean 0 and deviation 1: the sum of four uniforms. */
    float normal() {
        long bits = random.nextLong();
        long sum = (bits & 0xFFFF) + (bits >>> 16 & 0xFFFF) + (bits >>> 32 & 0xFFFF) + (bits >>> 48);
        return (sum - 131070) * (1.7320508f / 65536);
    }

    boolean chance(double probability) {
        return uniform() < probability;
    }

    /** Uniform in 0..bound-1. */
    int below(int bound) {
        return (int) ((random.nextLong() >>> 33) * bound >>> 31);
    }

    /** Uniform in low..high, both included. */
    int count(int low, int high) {
        return low + below(high - low + 1);
    }

    float angle() {
        return uniform() * TURN;
    }

    /** -1 or 1. */
    int sign() {
        return random.nextLong() < 0 ? -1 : 1;
    }

    @SafeVarargs
    final <T> T pick(T... choices) {
        return choices[below(choices.length)];
    }
}
