package org.jmatte.network;

import org.jmatte.InvalidInputException;
import org.jmatte.network.PamArchitecture.Stage;

/**
 * {@link PamArchitecture} as a straight list of operators. Only the chosen branch of a segment runs, and the path never
 * costs more than the budget: a segment that what is left cannot pay for is bypassed, whatever the network would like.
 */
public final class PamNetwork {
    private final PamPath forced;
    private final PamBudget budget;

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
        this.budget = new PamBudget(gmacs);
    }

    /** Runs, or plans, or whatever the operators do; once. Returns the path taken. */
    public PamPath run(PamOps ops) {
        PamPath path = PamPath.BYPASS_ALL;
        ops.stage("stem", ops::stem);
        for (Stage stage : PamArchitecture.encoder()) {
            ops.stage(stage.name(), () -> ops.encode(stage));
            path = segments(ops, stage, path);
            ops.reached(stage.name());
        }
        for (int i = 0; i < PamArchitecture.PYRAMIDS; i++) {
            int pyramid = i;
            String name = "pyramid " + pyramid;
            ops.stage(name, () -> ops.pool(pyramid));
            ops.reached(name);
        }
        for (Stage stage : PamArchitecture.decoder()) {
            ops.stage(stage.name(), () -> ops.decode(stage));
            path = segments(ops, stage, path);
            ops.reached(stage.name());
        }
        ops.stage("refine", ops::refine);
        return path;
    }

    private PamPath segments(PamOps ops, Stage stage, PamPath before) {
        PamPath path = before;
        for (int i = 0; i < stage.segments(); i++) {
            int segment = stage.firstSegment() + i;
            String name = "segment " + segment;
            boolean[] wanted = new boolean[1];
            ops.stage(name + " selection", () -> wanted[0] = ops.select(stage, segment));
            if (forced == null ? wanted[0] && budget.affords(segment) : forced.keeps(segment)) {
                ops.stage(name + " modules", () -> ops.keep(stage, segment));
                path = path.keeping(segment);
            } else {
                ops.stage(name + " connect", () -> ops.bypass(stage, segment));
            }
        }
        return path;
    }
}
