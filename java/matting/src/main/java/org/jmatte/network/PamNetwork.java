package org.jmatte.network;

import org.jmatte.InvalidInputException;
import org.jmatte.network.PamArchitecture.Stage;

/**
 * {@link PamArchitecture} as a straight list of operators. Only the chosen branch of a segment runs, and the path never
 * costs more than the budget: a segment that what is left cannot pay for is bypassed, whatever the network would like.
 */
public final class PamNetwork {
    private final PamPath forced;
    private long headroom;

    /**
     * @param gmacs budget in GMACs per 1024x1024 pixels
     * @param forced the path to follow instead of the network's own, or null
     * @throws InvalidInputException if the budget is below the smallest sub-network's cost, or the forced path's
     */
    public PamNetwork(int gmacs, PamPath forced) {
        if (forced != null && forced.macs() > gmacs * PamArchitecture.GIGA) {
            throw new InvalidInputException("forced path: expected one within the budget of " + gmacs + " GMACs, got "
                    + forced + " of " + forced.gmacs());
        }
        this.forced = forced;
        // Over the smallest path, so that every later segment can still be bypassed.
        this.headroom = gmacs * PamArchitecture.GIGA - PamPath.BYPASS_ALL.macs();
    }

    /** Runs, or plans, or whatever the operators do; once. Returns the path taken. */
    public PamPath run(PamOps ops) {
        PamPath path = PamPath.BYPASS_ALL;
        ops.stem();
        for (Stage stage : PamArchitecture.encoder()) {
            ops.encode(stage);
            path = segments(ops, stage, path);
        }
        for (int pyramid = 0; pyramid < PamArchitecture.PYRAMIDS; pyramid++) {
            ops.pool(pyramid);
        }
        for (Stage stage : PamArchitecture.decoder()) {
            ops.decode(stage);
            path = segments(ops, stage, path);
        }
        ops.refine();
        return path;
    }

    private PamPath segments(PamOps ops, Stage stage, PamPath before) {
        PamPath path = before;
        for (int segment = stage.firstSegment(); segment < stage.firstSegment() + stage.segments(); segment++) {
            boolean wanted = ops.select(stage, segment);
            if (forced == null ? affords(segment, wanted) : forced.keeps(segment)) {
                ops.keep(stage, segment);
                path = path.keeping(segment);
            } else {
                ops.bypass(stage, segment);
            }
        }
        return path;
    }

    private boolean affords(int segment, boolean wanted) {
        long extra = PamArchitecture.extra(segment);
        if (!wanted || extra > headroom) {
            return false;
        }
        headroom -= extra;
        return true;
    }
}
