package org.jmatte.cpu;

/**
 * A row of positions cut into blocks for matrix products.
 *
 * @param length positions in all; without any there are no blocks
 * @param size positions of each block but the last
 */
record Blocks(int length, int size) {
    private static final int MULTIPLE = 16;

    /** As few blocks as possible of at most {@code most} positions, all nearly equal, of multiples of 16. */
    static Blocks of(int length, int most) {
        return even(length, most, MULTIPLE);
    }

    /** As few blocks as possible of at most {@code most} positions, all nearly equal, of multiples of something. */
    static Blocks even(int length, int most, int multiple) {
        int count = (length + most - 1) / most;
        int size = (length + count - 1) / count;
        return new Blocks(length, Math.min(length, (size + multiple - 1) / multiple * multiple));
    }

    /** Blocks of exactly {@code size}, but for the last. */
    static Blocks ofSize(long length, int size) {
        return new Blocks(Math.toIntExact(length), (int) Math.min(length, size));
    }

    int count() {
        return length == 0 ? 0 : (length + size - 1) / size;
    }

    int first(long block) {
        return (int) (block * size);
    }

    int size(long block) {
        return Math.min(size, length - first(block));
    }

    /** Size of the last block. */
    int last() {
        return size(count() - 1);
    }
}
