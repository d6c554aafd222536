package org.jmatte.cpu;

/**
 * The sizes that trade memory for speed. They never depend on the number of threads.
 *
 * @param chunk rows of tokens that a task takes through a matrix product
 * @param band rows of the token grid whose refinement is in memory at once
 * @param strip rows of the image that are decoded at once, a multiple of 16
 */
record Tiling(int chunk, int band, int strip) {
    /** From the fastest to the leanest. */
    static final Tiling[] CHOICES = {
        new Tiling(128, 32, 128), new Tiling(128, 16, 64), new Tiling(64, 8, 32), new Tiling(32, 4, 16),
    };

    @Override
    public String toString() {
        return "chunks of %d tokens, bands of %d token rows, strips of %d px rows".formatted(chunk, band, strip);
    }
}
