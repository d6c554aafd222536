package org.jmatte.cpu;

import org.jmatte.Routing;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.network.PamNetwork;
import org.jmatte.network.PamPath;

/**
 * Path-adaptive matting with a compute budget.
 *
 * @param forced the path to follow instead of the network's own, or null
 */
record PamJob(PamModel model, int gmacs, PamPath forced) implements Job {
    private PamNetwork network() {
        return new PamNetwork(gmacs, forced);
    }

    /** As if every segment that can be paid for were kept; the memory is the same whatever the path. */
    @Override
    public void plan(CpuRun run) {
        network().run(PamCpuOps.planning(model, run));
    }

    @Override
    public Choices compute(CpuRun run, Photo photo, Trimap trimap, Alpha alpha) {
        PamPath path = network().run(PamCpuOps.computing(model, run, gmacs, photo, trimap, alpha));
        return Choices.undecided(Routing.NONE, path);
    }

    @Override
    public Choices none() {
        return Choices.undecided(Routing.NONE, null);
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
