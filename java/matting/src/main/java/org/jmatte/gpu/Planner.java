package org.jmatte.gpu;

import java.util.List;
import org.jmatte.InvalidInputException;
import org.jmatte.MatteRequest;
import org.jmatte.MattingOptions;
import org.jmatte.Plan;
import org.jmatte.Precision;
import org.jmatte.StreamType;
import org.jmatte.execution.ActiveArea;
import org.jmatte.execution.Execution;
import org.jmatte.execution.NetworkSettings;
import org.jmatte.kernels.PlanningDevice;
import org.jmatte.network.Geometry;

/** Finds the settings under which a run fits its memory: by walking through the network without computing. */
final class Planner {
    private final NetworkSettings network;
    private final GpuModel shapes;
    private final long weightsBytes;
    private final MattingOptions options;
    private final int architecture;
    private final int multiprocessors;

    /**
     * @param shapes the layers, without contents
     * @param architecture of the card
     * @param multiprocessors of the card
     */
    Planner(
            NetworkSettings network,
            GpuModel shapes,
            long weightsBytes,
            MattingOptions options,
            int architecture,
            int multiprocessors) {
        this.network = network;
        this.shapes = shapes;
        this.weightsBytes = weightsBytes;
        this.options = options;
        this.architecture = architecture;
        this.multiprocessors = multiprocessors;
    }

    /**
     * What is to be computed.
     *
     * @param bits of a photo's sample
     * @param snap whether the trimap knows one kind of unknown only
     * @param job with the network's choices
     */
    record Task(Geometry geometry, int bits, boolean snap, MatteRequest request, Job job) {
        Task withTokenCap(int cap) {
            return new Task(geometry, bits, snap, request, job.withTokenCap(cap));
        }

        DeviceImages images(GpuRun run, NetworkSettings network) {
            return DeviceImages.take(run, bits, request.format(), snap, network);
        }
    }

    /** @throws InvalidInputException if the request asks for what the network does not have */
    Task task(int height, int width, int bits, boolean snap, MatteRequest request) {
        Geometry geometry = network.geometry(height, width);
        return new Task(geometry, bits, snap, request, shapes.job(network, geometry, request));
    }

    /** A run whose memory is known. */
    final class Fit {
        private final Task task;
        private final Settings settings;
        private final GpuRun walk;

        Fit(Task task, Settings settings) {
            this.task = task;
            this.settings = settings;
            walk = walked(true);
        }

        private GpuRun walked(boolean sizesOnly) {
            PlanningDevice device = new PlanningDevice(architecture, multiprocessors);
            GpuRun run = GpuRun.planning(device, task.geometry, settings, task.request, sizesOnly);
            DeviceImages images = task.images(run, network);
            task.job.walk(run, images, ActiveArea.everything(), device.createEvent());
            return run;
        }

        Task task() {
            return task;
        }

        Settings settings() {
            return settings;
        }

        GpuRun walk() {
            return walk;
        }

        long arenaBytes() {
            return walk.arena().peak();
        }

        long peakBytes() {
            return weightsBytes + arenaBytes();
        }

        /** The same with as much at once as the bytes allow; itself, if that is more than they hold after all. */
        Fit within(long bytes) {
            Fit grown = new Fit(task, settings.withTiling(settings.tiling().withLimit(bytes - weightsBytes)));
            return grown.peakBytes() <= bytes ? grown : this;
        }

        Plan toPlan() {
            GpuRun counted = walked(false);
            long flops = 0;
            long movedBytes = 0;
            for (Plan.Stage stage : counted.stages()) {
                flops += stage.flops();
                movedBytes += stage.movedBytes();
            }
            Geometry geometry = task.geometry;
            return new Plan(
                    peakBytes(),
                    weightsBytes,
                    arenaBytes(),
                    Execution.imageBytes(geometry.height(), geometry.width(), task.bits, task.request.format()),
                    flops,
                    movedBytes,
                    task.job.tokenCap(),
                    task.job.gmacs(),
                    task.job.gmacs() * geometry.referenceAreas(),
                    geometry.paddedShare(counted.decodedPixels()),
                    settings.toString(),
                    counted.stages());
        }
    }

    /**
     * Without a budget, little memory in few launches. Within one, an fp32 stream before a narrower one where both are
     * allowed, then what takes few launches, and last a lower token cap.
     *
     * @param budget bytes, or 0 for none
     * @param watched as in {@link Settings}
     * @throws InvalidInputException if the budget does not suffice
     */
    Fit fit(Task task, long budget, long watched) {
        List<Types> types = types();
        if (budget == 0) {
            return unlimited(task, types.get(0), watched);
        }
        for (Types choice : types) {
            for (Tiling tiling : Tiling.CHOICES) {
                Fit fit = new Fit(task, new Settings(choice, tiling, watched));
                if (fit.peakBytes() <= budget) {
                    return fit.within(budget);
                }
            }
        }
        return lowered(task, budget, new Settings(types.get(types.size() - 1), Tiling.LEANEST, watched));
    }

    /** Bands that are watched are so small that repeating them takes no more than a run without, if they can be. */
    private Fit unlimited(Task task, Types types, long watched) {
        int first = Tiling.first(multiprocessors);
        Fit fit = new Fit(task, new Settings(types, Tiling.CHOICES[first], 0));
        long peak = fit.peakBytes();
        for (int i = first; watched != 0 && i < Tiling.CHOICES.length; i++) {
            fit = new Fit(task, new Settings(types, Tiling.CHOICES[i], watched));
            if (fit.peakBytes() <= peak) {
                break;
            }
        }
        return fit.within(Math.max(peak, fit.peakBytes()));
    }

    /** Types to try, the best first. */
    private List<Types> types() {
        Types exact = Types.of(options.precision(), StreamType.FP32, architecture);
        if (options.precision() != Precision.FP16) {
            Types.of(options.precision(), options.stream(), architecture); // refuses what does not go together
            return List.of(exact);
        }
        Types lean = Types.of(options.precision(), StreamType.FP16, architecture);
        return switch (options.stream()) {
            case AUTO -> List.of(exact, lean);
            case FP32 -> List.of(exact);
            case FP16 -> List.of(lean);
        };
    }

    /** The run with the highest token cap that fits. */
    private Fit lowered(Task task, long budget, Settings settings) {
        Fit least = new Fit(task.withTokenCap(1), settings);
        if (least.peakBytes() > budget) {
            throw new InvalidInputException(
                    "memory budget: %dx%d pixels need at least %d bytes (%d MiB) on the card, got %d; give at least that, or a smaller photo"
                            .formatted(
                                    task.geometry.height(),
                                    task.geometry.width(),
                                    least.peakBytes(),
                                    (least.peakBytes() + (1 << 20) - 1) >> 20,
                                    budget));
        }
        int fitting = 1;
        int tooMany = task.job.tokens();
        while (tooMany - fitting > 1) {
            int cap = (fitting + tooMany) >>> 1;
            Fit tried = new Fit(task.withTokenCap(cap), settings);
            if (tried.peakBytes() <= budget) {
                least = tried;
                fitting = cap;
            } else {
                tooMany = cap;
            }
        }
        return least;
    }
}
