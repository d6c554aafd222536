package org.jmatte.cpu;

import java.util.ArrayList;
import java.util.List;
import org.jmatte.MatteRequest;
import org.jmatte.Plan;
import org.jmatte.RunListener;
import org.jmatte.StageListener;
import org.jmatte.network.Geometry;

/**
 * One walk through a network: with memory and a photo it computes, without it only notes what it would take. Operators
 * see no difference; they take memory, count their work, and hand over tasks.
 */
final class CpuRun {
    private final Geometry geometry;
    private final Tiling tiling;
    private final ElementType operands;
    private final int threads;
    private final Arena arena;
    private final MatteRequest request;
    private final List<Plan.Stage> stages = new ArrayList<>();
    private final int expectedStages;
    private long nanoseconds;
    private long lastNanoseconds;
    private long flops;
    private long movedBytes;
    private long stagePeak;
    private long decodedPixels;

    private CpuRun(
            Geometry geometry,
            Tiling tiling,
            ElementType operands,
            int threads,
            Arena arena,
            MatteRequest request,
            int expectedStages) {
        this.geometry = geometry;
        this.tiling = tiling;
        this.operands = operands;
        this.threads = threads;
        this.arena = arena;
        this.request = request;
        this.expectedStages = expectedStages;
    }

    /** A walk that computes nothing. */
    static CpuRun planning(Geometry geometry, Tiling tiling, ElementType operands, int threads) {
        return new CpuRun(geometry, tiling, operands, threads, Arena.planning(), null, 0);
    }

    /** A walk that computes, in an arena planned for it. */
    static CpuRun computing(CpuRun plan, Arena arena, MatteRequest request) {
        return new CpuRun(plan.geometry, plan.tiling, plan.operands, plan.threads, arena, request, plan.stages.size());
    }

    Geometry geometry() {
        return geometry;
    }

    Tiling tiling() {
        return tiling;
    }

    ElementType operands() {
        return operands;
    }

    int threads() {
        return threads;
    }

    Arena arena() {
        return arena;
    }

    boolean planning() {
        return request == null;
    }

    /** What is asked; null while planning. */
    MatteRequest request() {
        return request;
    }

    /** Who hears intermediate results; null for nobody. */
    StageListener listener() {
        return planning() ? null : request.stages();
    }

    List<Plan.Stage> stages() {
        return stages;
    }

    /** Runs one stage of the network. */
    void stage(String name, Runnable body) {
        if (!planning()) {
            request.cancellation().check();
            request.progress().stage(name, stages.size(), expectedStages);
        }
        flops = 0;
        movedBytes = 0;
        stagePeak = arena.mark();
        long start = System.nanoTime();
        body.run();
        long end = System.nanoTime();
        lastNanoseconds = end - start;
        nanoseconds += lastNanoseconds;
        Plan.Stage done = new Plan.Stage(name, flops, movedBytes, stagePeak);
        stages.add(done);
        if (runListener() != null) {
            runListener().stage(done, start, end);
        }
    }

    /** Seconds that all stages but the last took: from pixels to features. */
    double encodeSeconds() {
        return (nanoseconds - lastNanoseconds) / 1e9;
    }

    /** Seconds of the last stage: from features to alpha. */
    double decodeSeconds() {
        return lastNanoseconds / 1e9;
    }

    /** Counts work of the present stage. */
    void count(long moreFlops, long moreBytes) {
        flops += moreFlops;
        movedBytes += moreBytes;
    }

    /** Counts pixels that are made at full resolution. */
    void countDecoded(long pixels) {
        decodedPixels += pixels;
    }

    /** Pixels that were made at full resolution, or would be. */
    long decodedPixels() {
        return decodedPixels;
    }

    /** {@code tasks} independent tasks, spread over the threads. */
    void forEach(long tasks, WorkerPool.Task task) {
        stagePeak = Math.max(stagePeak, arena.mark());
        if (!planning()) {
            WorkerPool.Task checked = (index, slot) -> {
                request.cancellation().check();
                task.run(index, slot);
            };
            if (runListener() == null) {
                WorkerPool.SHARED.forEach(tasks, threads, checked);
            } else {
                TaskTimes times = new TaskTimes(checked, threads);
                WorkerPool.SHARED.forEach(tasks, threads, times);
                times.tell(runListener());
            }
        }
    }

    /** Who hears of times; null for nobody. */
    private RunListener runListener() {
        return planning() ? null : request.runListener();
    }
}
