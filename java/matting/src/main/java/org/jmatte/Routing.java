package org.jmatte;

import java.util.BitSet;
import java.util.List;

/**
 * Which tokens attended globally.
 *
 * @param gridHeight rows of tokens, each of 16x16 pixels of the padded photo
 * @param gridWidth columns of tokens
 * @param kept per router, in the order of the blocks: bit {@code y * gridWidth + x} is set if that token attended, clear
 *     if it was refined by the lightweight path. Empty for a network without routers
 */
public record Routing(int gridHeight, int gridWidth, List<BitSet> kept) {
    /** Of a network without tokens. */
    public static final Routing NONE = new Routing(0, 0, List.of());

    public Routing {
        kept = List.copyOf(kept);
    }

    public int tokens() {
        return gridHeight * gridWidth;
    }
}
