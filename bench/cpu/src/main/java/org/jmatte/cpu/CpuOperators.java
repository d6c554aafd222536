package org.jmatte.cpu;

import java.util.List;
import org.jmatte.MatteRequest;
import org.jmatte.MattingOptions;
import org.jmatte.Plan;
import org.jmatte.execution.NetworkSettings;
import org.jmatte.execution.VitSettings;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitNetwork;
import org.jmatte.network.VitOps;
import org.jmatte.weights.ModelSource;

/**
 * The operators of MEMatte or ViTMatte on the CPU, to be called one by one and as often as wanted after the network has
 * run once. In a network, memory that a routed block took is given back when its tokens are merged; here it stays.
 */
public final class CpuOperators implements AutoCloseable {
    private final VitModel model;
    private final Arena arena;
    private final VitOps operators;
    private final List<Plan.Stage> stages;

    /**
     * Plans and takes the memory.
     *
     * @param options precision, threads, and the tokens that routers keep
     */
    public CpuOperators(ModelSource source, MattingOptions options, Photo photo, Trimap trimap) {
        NativeLibraries.load(options.isa());
        ElementType operands = ElementType.of(options.precision());
        VitSettings settings = (VitSettings) NetworkSettings.of(source, options);
        model = new VitModel(settings, source.checkpoint(), operands);
        Geometry geometry = settings.geometry(photo.height(), photo.width());
        MatteRequest request = MatteRequest.defaults().withDecodeAll(true).withKeepKnown(false);
        VitJob job = (VitJob) model.job(geometry, request);
        int threads = WorkerPool.threads(options.threads());
        CpuRun plan = CpuRun.planning(geometry, Tiling.CHOICES[0], operands, threads);
        new VitNetwork(settings.network())
                .run(new Repeatable(VitCpuOps.planning(model, plan, job.policy()), plan.arena()));
        stages = plan.stages();
        arena = Arena.of(plan.arena().peak());
        Alpha alpha = Alpha.allocate(photo.height(), photo.width(), Alpha.Format.F32);
        CpuRun run = CpuRun.computing(plan, arena, request);
        operators = new Repeatable(VitCpuOps.computing(model, run, job.policy(), photo, trimap, alpha), arena);
    }

    public VitOps operators() {
        return operators;
    }

    /** What each operator counts, in the network's order. */
    public List<Plan.Stage> stages() {
        return stages;
    }

    /** Every routed block takes its memory where the first one did, and nobody gives it back. */
    private record Repeatable(VitOps operators, Arena arena, long[] marks) implements VitOps {
        private static final int BEFORE_ROUTING = 0;
        private static final int AFTER_ROUTING = 1;

        Repeatable(VitOps operators, Arena arena) {
            this(operators, arena, new long[] {arena.mark(), arena.mark()});
        }

        @Override
        public void stage(String name, Runnable work) {
            operators.stage(name, work);
        }

        @Override
        public void route(int block) {
            arena.release(marks[BEFORE_ROUTING]);
            operators.route(block);
            marks[AFTER_ROUTING] = arena.mark();
        }

        @Override
        public void merge(int block) {
            operators.merge(block);
            arena.release(marks[AFTER_ROUTING]);
        }

        @Override
        public void embedPatches() {
            operators.embedPatches();
        }

        @Override
        public void windowAttention(int block) {
            operators.windowAttention(block);
        }

        @Override
        public void globalAttention(int block) {
            operators.globalAttention(block);
        }

        @Override
        public void refine(int block) {
            operators.refine(block);
        }

        @Override
        public void routedAttention(int block) {
            operators.routedAttention(block);
        }

        @Override
        public void mlp(int block) {
            operators.mlp(block);
        }

        @Override
        public void bottleneck(int block) {
            operators.bottleneck(block);
        }

        @Override
        public void decode() {
            operators.decode();
        }
    }

    @Override
    public void close() {
        arena.close();
        model.close();
    }
}
