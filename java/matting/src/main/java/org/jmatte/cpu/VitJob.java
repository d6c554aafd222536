package org.jmatte.cpu;

import java.util.List;
import org.jmatte.Routing;
import org.jmatte.execution.TokenPolicy;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitNetwork;

/** MEMatte or ViTMatte with a policy for its tokens. */
record VitJob(VitModel model, Geometry geometry, TokenPolicy policy) implements Job {
    private VitNetwork network() {
        return new VitNetwork(model.settings().network());
    }

    @Override
    public void plan(CpuRun run) {
        network().run(VitCpuOps.planning(model, run, policy));
    }

    @Override
    public Choices compute(CpuRun run, Photo photo, Trimap trimap, Alpha alpha) {
        VitCpuOps ops = VitCpuOps.computing(model, run, policy, photo, trimap, alpha);
        network().run(ops);
        return new Choices(ops.routing(), ops.closest(), null);
    }

    @Override
    public Choices none() {
        return Choices.undecided(new Routing(geometry.gridHeight(), geometry.gridWidth(), List.of()), null);
    }

    @Override
    public int tokenCap() {
        return policy.cap();
    }

    @Override
    public int tokens() {
        return policy.most(geometry.tokens());
    }

    @Override
    public Job withTokenCap(int cap) {
        return new VitJob(model, geometry, policy.withCap(cap));
    }

    @Override
    public int gmacs() {
        return 0;
    }
}
