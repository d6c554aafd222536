package org.jmatte.gpu;

import org.jmatte.Routing;
import org.jmatte.execution.ActiveArea;
import org.jmatte.kernels.Event;
import org.jmatte.network.PamNetwork;
import org.jmatte.network.PamPath;

/**
 * Path-adaptive matting with a compute budget.
 *
 * @param forced the path to follow instead of the network's own, or null
 */
record PamJob(PamModel model, int gmacs, PamPath forced) implements Job {
    /** Planned as if every segment that can be paid for were kept; the memory is the same whatever the path. */
    @Override
    public Walk walk(GpuRun run, DeviceImages images, ActiveArea active, Event encoded) {
        PamPath path = new PamNetwork(gmacs, forced).run(new PamGpuOps(model, run, gmacs, images, active, encoded));
        return new Walk() {
            @Override
            public Routing routing() {
                return Routing.NONE;
            }

            @Override
            public double closest() {
                return Double.POSITIVE_INFINITY;
            }

            @Override
            public PamPath path() {
                return path;
            }
        };
    }

    @Override
    public Routing undecided() {
        return Routing.NONE;
    }

    @Override
    public int tokenCap() {
        return 0;
    }

    @Override
    public int tokens() {
        return 0;
    }

    @Override
    public Job withTokenCap(int cap) {
        return this;
    }
}
