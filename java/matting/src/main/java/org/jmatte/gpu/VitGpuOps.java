package org.jmatte.gpu;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jmatte.Routing;
import org.jmatte.execution.ActiveArea;
import org.jmatte.execution.TokenPolicy;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.Event;
import org.jmatte.kernels.MergeTokens;
import org.jmatte.kernels.MergeTokens.Rows;
import org.jmatte.kernels.Tensor;
import org.jmatte.kernels.TokenRouting;
import org.jmatte.network.PamPath;
import org.jmatte.network.VitArchitecture;
import org.jmatte.network.VitOps;

/**
 * The operators on a device, over the memory of one {@link GpuRun}. Work is queued; how many tokens a router keeps only
 * the device knows until {@link #routing}.
 */
final class VitGpuOps implements VitOps, Job.Walk {
    /** What {@link TokenRouting#select} tells: kept, others, problem, threshold. */
    private static final int RESULTS = 4;

    private final VitModel model;
    private final GpuRun run;
    private final TokenPolicy policy;
    private final DeviceImages images;
    private final ActiveArea active;
    private final Event encoded;
    private final int tokens;
    private final int channels;
    private final Tensor x;
    /** [routers, N] i32 */
    private final Tensor inverse;
    /** [routers, 4] i32 */
    private final Tensor results;
    /** [routers, N] fp32 */
    private final Tensor margins;
    // From route to merge:
    private long routedMark;
    private Tensor selected;
    private Tensor gate;
    private Tensor y;
    private double closest = Double.POSITIVE_INFINITY;

    /** @param encoded is recorded when the stream is complete */
    VitGpuOps(VitModel model, GpuRun run, TokenPolicy policy, DeviceImages images, ActiveArea active, Event encoded) {
        this.model = model;
        this.run = run;
        this.policy = policy;
        this.images = images;
        this.active = active;
        this.encoded = encoded;
        tokens = run.geometry().tokens();
        VitArchitecture network = model.network();
        channels = network.width();
        x = run.take(run.types().stream(), tokens, channels);
        int routers = network.routed() ? VitArchitecture.globalBlocks().length : 0;
        inverse = run.take(ElementType.I32, routers, tokens);
        results = run.take(ElementType.I32, routers, RESULTS);
        margins = run.take(ElementType.FP32, routers, tokens);
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
            run.listener().tensor(name, run.readFloats(x).asReadOnlyBuffer(), height, width, channels);
        }
    }

    @Override
    public void embedPatches() {
        model.embedding().run(run, images, x);
    }

    @Override
    public void windowAttention(int block) {
        model.localAttention(block).run(run, x);
    }

    @Override
    public void globalAttention(int block) {
        model.globalAttention(block).runAll(run, x);
    }

    @Override
    public void route(int block) {
        int router = VitArchitecture.router(block);
        routedMark = run.arena().mark();
        selected = run.take(ElementType.I32, policy.most(tokens));
        gate = run.take(ElementType.FP32, channels);
        Tensor scores = margins.rows(router, 1).reshape(tokens);
        model.router(block).run(run, x, scores, policy.always());
        if (run.listener() != null) {
            run.listener().tensor("router" + router + ".margin", run.readFloats(scores), tokens);
        }
        run.scratch(() -> choose(router, scores));
    }

    /** Which tokens attend: by their margins, or as forced. */
    private void choose(int router, Tensor scores) {
        Tensor ranks = inverse.rows(router, 1).reshape(tokens);
        Tensor result = results.rows(router, 1).reshape(RESULTS);
        Tensor scratch = run.take(ElementType.U8, TokenRouting.scratchBytes(tokens));
        BitSet forced = policy.forced(router);
        if (forced == null) {
            TokenRouting.select(run.device(), selected, null, ranks, result, scores, scratch, run.stream());
            return;
        }
        Tensor flags = run.take(ElementType.U8, tokens);
        ByteBuffer bytes = ByteBuffer.allocate(tokens);
        for (int t = 0; t < tokens; t++) {
            bytes.put(t, (byte) (forced.get(t) ? 1 : 0));
        }
        run.device().copyToDevice(flags.pointer(), bytes, run.stream());
        TokenRouting.force(run.device(), selected, null, ranks, result, flags, scratch, run.stream());
    }

    @Override
    public void refine(int block) {
        y = run.take(tokens, channels);
        model.refinement(block).run(run, x, y, gate);
    }

    /** Writes over the refinement of the tokens that attend. */
    @Override
    public void routedAttention(int block) {
        model.globalAttention(block).runSelected(run, x, selected, count(VitArchitecture.router(block)), y);
    }

    private Tensor count(int router) {
        return results.rows(router, 1).reshape(RESULTS).rows(0, 1);
    }

    @Override
    public void merge(int block) {
        Tensor ranks = inverse.rows(VitArchitecture.router(block), 1).reshape(tokens);
        MergeTokens.merge(run.device(), x, y, Rows.IN_PLACE, y, Rows.IN_PLACE, gate, ranks, run.stream());
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
        run.stream().record(encoded);
        model.decoder().run(run, x, images, active, run.request().keepKnown());
    }

    @Override
    public double closest() {
        return closest;
    }

    @Override
    public PamPath path() {
        return null;
    }

    @Override
    public Routing routing() {
        ByteBuffer decisions = run.read(results);
        ByteBuffer ranks = run.read(inverse);
        FloatBuffer scores = run.readFloats(margins);
        List<BitSet> kept = new ArrayList<>();
        for (int router = 0; router < results.size(0); router++) {
            int at = router * RESULTS * Integer.BYTES;
            if (decisions.getInt(at + 2 * Integer.BYTES) == TokenRouting.NOT_A_NUMBER) {
                throw new ArithmeticException("a margin of router " + router + " is not a number: the checkpoint's"
                        + " weights, or the type they run in, do not fit this photo; try fp32");
            }
            BitSet set = new BitSet(tokens);
            for (int t = 0; t < tokens; t++) {
                set.set(t, ranks.getInt((router * tokens + t) * Integer.BYTES) >= 0);
            }
            kept.add(set);
            if (policy.forced(router) == null) {
                closest = Math.min(closest, Routing.closest(scores.slice(router * tokens, tokens), set));
            }
        }
        return new Routing(run.geometry().gridHeight(), run.geometry().gridWidth(), kept);
    }
}
