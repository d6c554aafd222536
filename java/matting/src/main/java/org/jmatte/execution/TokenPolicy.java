package org.jmatte.execution;

import java.util.BitSet;
import java.util.List;
import java.util.OptionalDouble;
import org.jmatte.InvalidInputException;
import org.jmatte.network.Geometry;

/**
 * How many tokens attend globally, and who says which.
 *
 * @param cap most tokens per routed block
 * @param keep where present, that fraction of the tokens is kept in any case
 * @param forced per router the tokens to keep, instead of its own choice; empty for none
 */
public record TokenPolicy(int cap, OptionalDouble keep, List<BitSet> forced) {
    public TokenPolicy withCap(int value) {
        return new TokenPolicy(value, keep, forced);
    }

    /** Whether every margin is raised so far that the cap alone decides. */
    public boolean always() {
        return keep.isPresent();
    }

    /** Most tokens of so many that memory and time are planned for. */
    public int most(int tokens) {
        if (!forced.isEmpty()) {
            return forced.stream().mapToInt(BitSet::cardinality).max().getAsInt();
        }
        int fraction = keep.isPresent() ? (int) (keep.getAsDouble() * tokens) : tokens;
        return Math.min(Math.min(cap, fraction), tokens);
    }

    /** The tokens forced upon a router, or null. */
    public BitSet forced(int router) {
        return forced.isEmpty() ? null : forced.get(router);
    }

    /** @throws InvalidInputException if the forced tokens do not belong to such an image and network */
    public void check(Geometry geometry, int routers) {
        if (forced.isEmpty()) {
            return;
        }
        if (forced.size() != routers) {
            throw new InvalidInputException("forced tokens: expected one set for each of the network's " + routers
                    + " routers, got " + forced.size());
        }
        for (int r = 0; r < routers; r++) {
            if (forced.get(r).length() > geometry.tokens()) {
                throw new InvalidInputException("forced tokens of router " + r + ": the photo has " + geometry.tokens()
                        + " tokens (" + geometry.gridHeight() + "x" + geometry.gridWidth() + "), got token "
                        + (forced.get(r).length() - 1));
            }
        }
    }
}
