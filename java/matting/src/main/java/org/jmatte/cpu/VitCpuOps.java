package org.jmatte.cpu;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jmatte.MatteRequest;
import org.jmatte.Routing;
import org.jmatte.execution.ActiveArea;
import org.jmatte.execution.TokenPolicy;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.network.VitArchitecture;
import org.jmatte.network.VitOps;

/** The operators on the CPU, over the memory of one {@link CpuRun}: either planning or computing. */
final class VitCpuOps implements VitOps {
    private final VitModel model;
    private final CpuRun run;
    private final TokenPolicy policy;
    private final Pixels pixels;
    private final Alpha alpha;
    private final ActiveArea active;
    private final long x;
    private final long windowOrder;
    private final List<BitSet> kept = new ArrayList<>();
    private final int channels;
    private double closest = Double.POSITIVE_INFINITY;
    private long routedMark;
    private Routed routed;
    private long gateScale;

    private VitCpuOps(VitModel model, CpuRun run, TokenPolicy policy, Pixels pixels, Alpha alpha, ActiveArea active) {
        this.model = model;
        this.run = run;
        this.policy = policy;
        this.pixels = pixels;
        this.alpha = alpha;
        this.active = active;
        this.channels = model.settings().network().width();
        this.x = run.arena().take((long) run.geometry().tokens() * channels * Float.BYTES);
        this.windowOrder = WindowAttention.takeOrder(run);
    }

    static VitCpuOps planning(VitModel model, CpuRun run, TokenPolicy policy) {
        return new VitCpuOps(model, run, policy, Pixels.planned(run), null, ActiveArea.everything());
    }

    /** @param alpha takes the result */
    static VitCpuOps computing(
            VitModel model, CpuRun run, TokenPolicy policy, Photo photo, Trimap trimap, Alpha alpha) {
        MatteRequest request = run.request();
        return new VitCpuOps(
                model,
                run,
                policy,
                Pixels.of(run, photo, trimap, model.settings()),
                alpha,
                request.decodeAll() ? ActiveArea.everything() : ActiveArea.unknown(trimap));
    }

    /** What the routers decided so far. */
    Routing routing() {
        return new Routing(run.geometry().gridHeight(), run.geometry().gridWidth(), kept);
    }

    /** How far they were from deciding otherwise. */
    double closest() {
        return closest;
    }

    @Override
    public void stage(String name, Runnable work) {
        run.stage(name, work);
    }

    @Override
    public void reached(String name) {
        if (run.listener() != null) {
            int height = run.geometry().gridHeight();
            int width = run.geometry().gridWidth();
            FloatBuffer stream = NativeMemory.floats(x, (long) height * width * channels, ElementType.FP32);
            run.listener().tensor(name, stream, height, width, channels);
        }
    }

    @Override
    public void embedPatches() {
        model.embedding().run(run, pixels, x);
    }

    @Override
    public void windowAttention(int block) {
        model.windowAttention(block).run(run, x, windowOrder);
    }

    @Override
    public void globalAttention(int block) {
        model.globalAttention(block).runAll(run, x);
    }

    @Override
    public void route(int block) {
        int router = VitArchitecture.router(block);
        int tokens = run.geometry().tokens();
        int most = policy.most(tokens);
        routedMark = run.arena().mark();
        gateScale = run.arena().take((long) channels * Float.BYTES);
        Routed room = Routed.take(run, channels, most);
        BitSet forced = policy.forced(router);
        TokenRouter.MarginListener heard = margins -> decided(router, room.keptSet(tokens), forced, margins);
        routed = model.router(block).run(run, x, room, policy.always(), most, forced, heard);
    }

    private void decided(int router, BitSet tokens, BitSet forced, FloatBuffer margins) {
        kept.add(tokens);
        if (forced == null) {
            closest = Math.min(closest, Routing.closest(margins, tokens));
        }
        if (run.listener() != null) {
            run.listener().tensor("router" + router + ".margin", margins, margins.limit());
        }
    }

    @Override
    public void routedAttention(int block) {
        model.globalAttention(block).runSelected(run, x, routed.selected(), routed.count(), routed.most(), routed.y());
    }

    @Override
    public void refine(int block) {
        model.refinement(block).run(run, x, routed, gateScale);
    }

    @Override
    public void merge(int block) {
        Refinement.merge(run, x, routed, gateScale, channels);
        run.arena().release(routedMark);
    }

    @Override
    public void mlp(int block) {
        model.mlp(block).run(run, x);
    }

    @Override
    public void bottleneck(int block) {
        model.bottleneck(block).run(run, x);
    }

    @Override
    public void decode() {
        boolean keepKnown = !run.planning() && run.request().keepKnown();
        model.decoder().run(run, x, pixels, active, alpha, keepKnown);
    }
}
