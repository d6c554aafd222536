package org.jmatte.gpu;

import org.jmatte.network.VitArchitecture;

/**
 * Places where a number may pass what fp16 holds, numbered in the order of the network: what follows the first one that
 * overflowed has seen its infinities. Each is a bit in flags on the device.
 *
 * <p>Layers that work on bands of the stream, and whose intermediate results are the place, are repeated in fp32, band by
 * band. Others are not: what a narrow stream does not hold is lost for all that follows; attention among all selected
 * tokens has no bands. A strip of the decoder leans on rows of every map above it, so the decoder is repeated as a whole.
 */
final class Overflow {
    /** Places of a block. */
    private static final int KINDS = 5;

    private static final int MIXING = 0;
    private static final int MIXED = 1;
    private static final int HIDDEN = 2;
    private static final int ADDED = 3;
    private static final int BOTTLENECK = 4;
    private static final int DECODER = KINDS * VitArchitecture.DEPTH;
    private static final int FEATURES = DECODER + 1;

    private Overflow() {}

    /** Queries, keys and values of a block's windows, or its refinement. */
    static int mixing(int block) {
        return KINDS * block + MIXING;
    }

    /** The stream after a block's attention. */
    static int mixed(int block) {
        return KINDS * block + MIXED;
    }

    /** The hidden rows of a block's MLP. */
    static int hidden(int block) {
        return KINDS * block + HIDDEN;
    }

    /** The stream after a block's MLP. */
    static int added(int block) {
        return KINDS * block + ADDED;
    }

    /** The stream as operands of a block's bottleneck. */
    static int bottleneck(int block) {
        return KINDS * block + BOTTLENECK;
    }

    /** The stream as the decoder's operands. */
    static int decoder() {
        return DECODER;
    }

    /** Features of PAM, to which every segment adds. */
    static int features() {
        return FEATURES;
    }

    /** The first place of a set, which is not empty. */
    static int first(long places) {
        return Long.numberOfTrailingZeros(places);
    }

    static boolean contains(long places, int place) {
        return (places >> place & 1) != 0;
    }

    /** The set of a place and those after it that can be repeated; not the decoder, which takes much memory to repeat. */
    static long repeatableFrom(int place) {
        long places = 1L << place;
        for (int other = place; other < DECODER; other++) {
            if (isRepeatable(other)) {
                places |= 1L << other;
            }
        }
        return places;
    }

    static boolean isRepeatable(int place) {
        return place == DECODER || place < DECODER && place % KINDS != MIXED && place % KINDS != ADDED;
    }

    /** What a place is called. */
    static String name(int place) {
        if (place >= DECODER) {
            return place == DECODER ? "the decoder's input" : "a segment's features";
        }
        int block = place / KINDS;
        return "block " + block
                + switch (place % KINDS) {
                    case MIXING -> VitArchitecture.isGlobal(block) ? " refinement" : " window attention";
                    case HIDDEN -> " mlp";
                    case BOTTLENECK -> " bottleneck";
                    default -> " residual stream";
                };
    }
}
