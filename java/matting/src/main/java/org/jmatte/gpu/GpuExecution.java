package org.jmatte.gpu;

import java.util.BitSet;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jmatte.Backend;
import org.jmatte.InvalidInputException;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.MattingOptions;
import org.jmatte.Plan;
import org.jmatte.Routing;
import org.jmatte.StreamType;
import org.jmatte.execution.ActiveArea;
import org.jmatte.execution.Execution;
import org.jmatte.execution.TokenPolicy;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.kernels.Arena;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.DeviceBuffer;
import org.jmatte.kernels.EmulatedDevice;
import org.jmatte.kernels.PlanningDevice;
import org.jmatte.kernels.Stream;
import org.jmatte.network.Architecture;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitArchitecture;
import org.jmatte.network.VitNetwork;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.ModelSource;
import org.jmatte.weights.Parameters;

/**
 * A model on a device: plans runs within the memory budget, and computes them, one after the other. Its memory is
 * allocated for the first image and kept for the next ones, as far as they are no larger.
 */
public final class GpuExecution extends Execution {
    private final Device device;
    private final VitArchitecture architecture;
    private final MattingOptions options;
    private final long weightsBytes;
    private final DeviceBuffer weights;
    private final VitModel model;
    /** The same layers without contents, for walks that plan. */
    private final VitModel shapes;
    /** Held by the run that uses the device's memory. */
    private final ReentrantLock running = new ReentrantLock(true);

    private final Stream stream;
    private DeviceBuffer activations;

    private GpuExecution(ModelSource source, MattingOptions options, Device device, Checkpoint checkpoint) {
        this.device = device;
        this.options = options;
        if (!(source.architecture() instanceof VitArchitecture network)) {
            throw new InvalidInputException(
                    "backend: " + source.architecture().name() + " runs on the CPU so far; use --backend cpu");
        }
        architecture = network;
        if (options.gmacs().isPresent()) {
            throw new InvalidInputException("gmacs: " + network.name() + " always runs whole; leave it out");
        }
        Arena sizes = Arena.planning();
        shapes = layers(source, new Parameters(network, null), planner(), sizes);
        weightsBytes = sizes.peak();
        if (checkpoint == null) {
            model = null;
            weights = null;
            stream = null;
            return;
        }
        weights = device.allocate(weightsBytes);
        try {
            model = layers(source, new Parameters(network, checkpoint), device, Arena.of(weights));
            device.synchronize();
            stream = device.createStream();
        } catch (Throwable t) {
            weights.close();
            throw t;
        }
    }

    private VitModel layers(ModelSource source, Parameters parameters, Device target, Arena arena) {
        Types types = types(options.stream());
        return new VitModel(
                source, architecture, options, new GpuWeights(parameters, target, arena, types.operands()));
    }

    /**
     * Lays out the source's weights on a device; the source may be closed after.
     *
     * @param device closed with this model
     */
    public static GpuExecution open(ModelSource source, MattingOptions options, Device device) {
        return opened(source, options, device, source.checkpoint());
    }

    /**
     * Plans only.
     *
     * @param device what is planned for; closed with this model
     */
    public static GpuExecution withoutWeights(ModelSource source, MattingOptions options, Device device) {
        return opened(source, options, device, null);
    }

    private static GpuExecution opened(
            ModelSource source, MattingOptions options, Device device, Checkpoint checkpoint) {
        try {
            return new GpuExecution(source, options, device, checkpoint);
        } catch (Throwable t) {
            device.close();
            throw t;
        }
    }

    @Override
    public Architecture architecture() {
        return architecture;
    }

    @Override
    public Backend backend() {
        return device instanceof EmulatedDevice ? Backend.EMULATED : Backend.CUDA;
    }

    private PlanningDevice planner() {
        return new PlanningDevice(device.architecture(), device.multiprocessors());
    }

    private Types types(StreamType streamType) {
        return Types.of(options.precision(), streamType, device.architecture());
    }

    @Override
    protected Plan planned(int height, int width) {
        return fit(new Task(height, width, Byte.SIZE, true, MatteRequest.defaults())).toPlan();
    }

    @Override
    protected Matte run(Photo photo, Trimap trimap, MatteRequest request) {
        if (request.gmacs().isPresent() || request.forcedPath() != null) {
            throw new InvalidInputException(
                    "gmacs, forced path: " + architecture.name() + " always runs whole; leave them out");
        }
        Task task = new Task(
                photo.height(), photo.width(), photo.bits(), trimap.values() == Trimap.Values.SNAP, request);
        if (isKnown(trimap, request)) {
            return task.matte(prepared(trimap, request), List.of(), 0, 0, weightsBytes, weightsBytes);
        }
        Fit fit = fit(task);
        Alpha alpha = prepared(trimap, request);
        running.lock();
        try {
            Arena arena = Arena.of(activations(fit.arenaBytes()));
            long start = System.nanoTime();
            GpuRun walk = GpuRun.computing(fit.walk, device, stream, arena);
            DeviceImages images = task.images(walk, model);
            images.upload(walk, photo, trimap, alpha);
            ActiveArea active = request.decodeAll() ? ActiveArea.everything() : ActiveArea.unknown(trimap);
            VitGpuOps ops = new VitGpuOps(model, walk, fit.policy, images, active);
            new VitNetwork(architecture).run(ops);
            images.download(walk, alpha);
            List<BitSet> kept = ops.finish();
            double seconds = (System.nanoTime() - start) / 1e9;
            return task.matte(alpha, kept, seconds, 0, weightsBytes + arena.peak(), fit.peakBytes());
        } finally {
            running.unlock();
        }
    }

    /** Memory for a run; allocated only if what is there does not suffice. */
    private DeviceBuffer activations(long bytes) {
        if (activations == null || activations.bytes() < bytes) {
            if (activations != null) {
                activations.close();
                activations = null;
            }
            activations = device.allocate(bytes);
        }
        return activations;
    }

    /** What is to be computed. */
    private final class Task {
        private final Geometry geometry;
        private final int bits;
        private final boolean snap;
        private final MatteRequest request;
        private final TokenPolicy policy;

        Task(int height, int width, int bits, boolean snap, MatteRequest request) {
            this.geometry = shapes.geometry(height, width);
            this.bits = bits;
            this.snap = snap;
            this.request = request;
            policy = new TokenPolicy(options.maxTokens(), options.keep(), request.forcedTokens());
            policy.check(geometry, architecture.routed() ? VitArchitecture.globalBlocks().length : 0);
        }

        DeviceImages images(GpuRun run, VitModel layers) {
            return DeviceImages.take(run, bits, request.format(), snap, layers.mean(), layers.std());
        }

        Matte matte(
                Alpha alpha, List<BitSet> kept, double encode, double decode, long peakBytes, long plannedBytes) {
            Routing routing = new Routing(geometry.gridHeight(), geometry.gridWidth(), kept);
            return new Matte(alpha, routing, null, encode, decode, peakBytes, plannedBytes);
        }
    }

    /** A planned run. */
    private final class Fit {
        private final GpuRun walk;
        private final TokenPolicy policy;
        private final long imageBytes;

        Fit(Task task, Tiling tiling, Types types, TokenPolicy policy) {
            this.policy = policy;
            Geometry geometry = task.geometry;
            imageBytes = imageBytes(geometry.height(), geometry.width(), task.bits, task.request.format());
            walk = GpuRun.planning(planner(), geometry, tiling, types, task.request);
            DeviceImages images = task.images(walk, shapes);
            VitGpuOps ops = new VitGpuOps(shapes, walk, policy, images, ActiveArea.everything());
            new VitNetwork(architecture).run(ops);
        }

        long arenaBytes() {
            return walk.arena().peak();
        }

        long peakBytes() {
            return weightsBytes + arenaBytes();
        }

        Plan toPlan() {
            long flops = 0;
            long movedBytes = 0;
            for (Plan.Stage stage : walk.stages()) {
                flops += stage.flops();
                movedBytes += stage.movedBytes();
            }
            return new Plan(
                    peakBytes(),
                    weightsBytes,
                    arenaBytes(),
                    imageBytes,
                    flops,
                    movedBytes,
                    policy.cap(),
                    0,
                    0,
                    walk.geometry().paddedShare(walk.decodedPixels()),
                    walk.tiling().toString(),
                    walk.stages());
        }
    }

    private Fit fit(Task task) {
        Types types = types(options.stream());
        Tiling tiling = Tiling.CHOICES[Tiling.first(device.multiprocessors())];
        Fit least = new Fit(task, tiling, types, task.policy);
        return new Fit(task, tiling.withLimit(least.arenaBytes()), types, task.policy);
    }

    @Override
    protected void release() {
        device.close();
    }
}
