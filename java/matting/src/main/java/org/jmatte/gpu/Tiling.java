package org.jmatte.gpu;

import java.util.function.IntToLongFunction;
import org.jmatte.kernels.Arena;

/**
 * The sizes that trade memory for few launches. Every layer takes as much of its input at once as fits below the limit,
 * but no less than the least sizes.
 *
 * @param limit bytes that activations should keep to
 * @param chunk least rows of tokens in a matrix product
 * @param windows least rows of windows that attend at once
 * @param band least rows of a map that pass through a depthwise convolution, and what is around it, at once
 * @param strip least rows of the image that are decoded at once, a multiple of 16
 * @param stemTwice whether PAM's features at half resolution are made a second time for the refinement, instead of kept
 */
record Tiling(long limit, int chunk, int windows, int band, int strip, boolean stemTwice) {
    /** From few launches to little memory; without room beyond the least sizes. */
    static final Tiling[] CHOICES = {
        new Tiling(0, 16384, 4, 64, 256, false),
        new Tiling(0, 4096, 2, 32, 64, false),
        new Tiling(0, 2048, 1, 16, 64, true),
        new Tiling(0, 1024, 1, 8, 32, true),
        new Tiling(0, 512, 1, 4, 16, true),
    };

    static final Tiling LEANEST = CHOICES[CHOICES.length - 1];

    /** For the alignment of a few tensors. */
    private static final long SLACK = 16 * Arena.ALIGNMENT;

    /** Rows of a block of a matrix product. */
    private static final int BLOCK = 128;

    private static final int BLOCKS_PER_MULTIPROCESSOR = 2;
    /** Multiprocessors of the largest cards of a generation. */
    private static final int LARGE_CARD = 100;

    /** Strips are multiples of a token's rows. */
    private static final int STRIP = 16;

    /** Where to begin in {@link #CHOICES} on a card without a budget: large cards are idle in small launches. */
    static int first(int multiprocessors) {
        return multiprocessors >= LARGE_CARD ? 0 : 1;
    }

    Tiling withLimit(long value) {
        return new Tiling(value, chunk, windows, band, strip, stemTwice);
    }

    /**
     * How many of {@code total} units to take at once.
     *
     * @param used bytes of the arena that are taken already
     * @param unitBytes bytes that a unit takes
     * @param least fewest units
     */
    private long fitting(long used, long unitBytes, long least, long total) {
        return Math.min(total, Math.max(least, (limit - used - SLACK) / unitBytes));
    }

    /** {@link #fitting}, as parts of about equal size. */
    int even(long used, long unitBytes, int least, int total) {
        long most = fitting(used, unitBytes, least, total);
        long parts = (total + most - 1) / most;
        return Math.toIntExact((total + parts - 1) / parts);
    }

    /**
     * Rows of a chunk of tokens: where there are several, whole waves of a product's blocks.
     *
     * @param columns of the product
     */
    int rows(long used, long rowBytes, int total, int columns, int multiprocessors) {
        long most = fitting(used, rowBytes, chunk, total);
        if (most == total) {
            return total;
        }
        long blocksAcross = (columns + BLOCK - 1) / BLOCK;
        long wave = (long) BLOCKS_PER_MULTIPROCESSOR * multiprocessors;
        long waves = most / BLOCK * blocksAcross / wave;
        return Math.toIntExact(waves == 0 ? most / BLOCK * BLOCK : waves * wave / blocksAcross * BLOCK);
    }

    /** Rows of a strip of the decoder. @param bytes of its maps, by the rows of a strip */
    int stripRows(long used, int height, IntToLongFunction bytes) {
        int rows = strip;
        while (rows < height && bytes.applyAsLong(rows + STRIP) <= limit - used - SLACK) {
            rows += STRIP;
        }
        return rows;
    }

    @Override
    public String toString() {
        return ("at least %d tokens, %d rows of windows, %d rows of depthwise convolutions and %d px rows of the decoder"
                        + " at once, more where %d bytes of activations allow")
                .formatted(chunk, windows, band, strip, limit);
    }
}
