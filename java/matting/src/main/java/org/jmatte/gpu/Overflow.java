package org.jmatte.gpu;

import org.jmatte.network.VitArchitecture;

/**
 * Places where a number may pass what fp16 holds, since no norm comes before. Each has a bit in a flag on the device, in
 * the order of the network: what follows the first one that overflowed has seen its infinities.
 */
final class Overflow {
    private static final int DECODER = 2 * VitArchitecture.DEPTH;

    private Overflow() {}

    /** The refinement's hidden rows and result in a block. */
    static int refinement(int block) {
        return 1 << 2 * block;
    }

    /** The stream in a block, stored or as operands. */
    static int stream(int block) {
        return 1 << 2 * block + 1;
    }

    /** The stream as the decoder's operands. */
    static int decoder() {
        return 1 << DECODER;
    }

    /** The first of the places in the network. */
    static int first(int places) {
        return Integer.lowestOneBit(places);
    }

    static boolean isRefinement(int place) {
        int bit = Integer.numberOfTrailingZeros(place);
        return bit < DECODER && bit % 2 == 0;
    }

    /** What a place is called. */
    static String name(int place) {
        int bit = Integer.numberOfTrailingZeros(place);
        return bit == DECODER
                ? "the decoder's input"
                : "block " + bit / 2 + (isRefinement(place) ? " refinement" : " residual stream");
    }
}
