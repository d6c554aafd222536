package org.jmatte;

import java.nio.FloatBuffer;
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

    /**
     * How far a router was from deciding otherwise: half of the gap between the least margin of a token that it kept and
     * the largest of the others, or the least distance to 0 where 0 decided.
     *
     * @param margins of all tokens
     */
    public static double closest(FloatBuffer margins, BitSet kept) {
        double least = Double.POSITIVE_INFINITY; // of those kept
        double most = Double.NEGATIVE_INFINITY; // of the others
        for (int t = 0; t < margins.limit(); t++) {
            if (kept.get(t)) {
                least = Math.min(least, margins.get(t));
            } else {
                most = Math.max(most, margins.get(t));
            }
        }
        return most > 0 ? (least - most) / 2 : Math.min(least, -most);
    }
}
