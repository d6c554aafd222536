package org.jmatte;

/**
 * What a machine reaches, the two ceilings of the roofline model (Williams, Waterman, Patterson 2009): an operator of
 * F FLOPs that moves B bytes takes at least {@code max(F / flopsPerSecond, B / bytesPerSecond)} seconds.
 *
 * @param bytesPerSecond of a copy of memory far larger than the caches, bytes read and written both counted
 * @param flopsPerSecond of matrix products in the operands' type, on all threads or multiprocessors
 */
public record Roofline(double bytesPerSecond, double flopsPerSecond) {
    /** The least time for some work. */
    public double seconds(long flops, long bytes) {
        return Math.max(flops / flopsPerSecond, bytes / bytesPerSecond);
    }
}
