package org.jmatte.gpu;

import java.util.List;
import org.jmatte.Routing;
import org.jmatte.execution.ActiveArea;
import org.jmatte.execution.TokenPolicy;
import org.jmatte.kernels.Event;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitNetwork;

/** MEMatte or ViTMatte with a policy for its tokens. */
record VitJob(VitModel model, Geometry geometry, TokenPolicy policy) implements Job {
    @Override
    public Walk walk(GpuRun run, DeviceImages images, ActiveArea active, Event encoded) {
        VitGpuOps ops = new VitGpuOps(model, run, policy, images, active, encoded);
        VitNetwork network = new VitNetwork(model.network());
        // What is decoded depends on the trimap.
        run.repeat(List.of(this, images.layout()), () -> network.encode(ops));
        network.decode(ops);
        return ops;
    }

    @Override
    public Routing undecided() {
        return new Routing(geometry.gridHeight(), geometry.gridWidth(), List.of());
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
