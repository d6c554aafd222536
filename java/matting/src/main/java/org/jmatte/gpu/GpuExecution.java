package org.jmatte.gpu;

import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jmatte.Backend;
import org.jmatte.InvalidInputException;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.MattingOptions;
import org.jmatte.Plan;
import org.jmatte.Precision;
import org.jmatte.Routing;
import org.jmatte.execution.ActiveArea;
import org.jmatte.execution.Execution;
import org.jmatte.execution.NetworkSettings;
import org.jmatte.gpu.Planner.Fit;
import org.jmatte.gpu.Planner.Task;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.kernels.Arena;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.DeviceBuffer;
import org.jmatte.kernels.EmulatedDevice;
import org.jmatte.kernels.Event;
import org.jmatte.kernels.OutOfDeviceMemoryException;
import org.jmatte.kernels.PlanningDevice;
import org.jmatte.kernels.Stream;
import org.jmatte.network.Architecture;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.ModelSource;
import org.jmatte.weights.Parameters;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model on a device: plans runs within the memory budget, and computes them, one after the other. Its memory is
 * allocated for the first image and kept for the next ones, as far as they are no larger.
 */
public final class GpuExecution extends Execution {
    private static final Logger LOG = LoggerFactory.getLogger(GpuExecution.class);
    private static final double MILLIS = 1e3;

    private final Device device;
    private final Architecture architecture;
    private final MattingOptions options;
    private final long weightsBytes;
    private final DeviceBuffer weights;
    private final GpuModel model;
    private final Planner planner;
    /** Held by the run that uses the device's memory. */
    private final ReentrantLock running = new ReentrantLock(true);

    private final Stream stream;
    private DeviceBuffer activations;
    /** Places of {@link Overflow} whose numbers fp16 did not hold so far. */
    private int wide;

    private GpuExecution(ModelSource source, MattingOptions options, Device device, Checkpoint checkpoint) {
        this.device = device;
        this.options = options;
        architecture = source.architecture();
        Arena sizes = Arena.planning();
        PlanningDevice nowhere = new PlanningDevice(device.architecture(), device.multiprocessors());
        NetworkSettings settings = NetworkSettings.of(source, options);
        GpuModel shapes = layers(settings, new Parameters(architecture, null), nowhere, sizes);
        weightsBytes = sizes.peak();
        planner = new Planner(shapes, weightsBytes, options, device.architecture(), device.multiprocessors());
        if (checkpoint == null) {
            model = null;
            weights = null;
            stream = null;
            return;
        }
        weights = device.allocate(weightsBytes);
        try {
            model = layers(settings, new Parameters(architecture, checkpoint), device, Arena.of(weights));
            device.synchronize();
            stream = device.createStream();
        } catch (Throwable t) {
            weights.close();
            throw t;
        }
    }

    private GpuModel layers(NetworkSettings settings, Parameters parameters, Device target, Arena arena) {
        Types types = Types.of(options.precision(), options.stream(), target.architecture());
        return GpuModel.of(settings, new GpuWeights(parameters, target, arena, types.operands()));
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

    @Override
    protected Plan planned(int height, int width) {
        Task task = planner.task(height, width, Byte.SIZE, true, MatteRequest.defaults());
        return planner.fit(task, options.memoryBudget(), 0).toPlan();
    }

    @Override
    protected Matte run(Photo photo, Trimap trimap, MatteRequest request) {
        boolean snap = trimap.values() == Trimap.Values.SNAP;
        Task task = planner.task(photo.height(), photo.width(), photo.bits(), snap, request);
        if (isKnown(trimap, request)) {
            Routing nobody =
                    new Routing(task.geometry().gridHeight(), task.geometry().gridWidth(), List.of());
            return new Matte(
                    prepared(trimap, request),
                    task.job().undecided(),
                    Double.POSITIVE_INFINITY,
                    null,
                    0,
                    0,
                    weightsBytes,
                    weightsBytes);
        }
        running.lock();
        try {
            long budget = options.memoryBudget();
            while (true) {
                Fit fit = planner.fit(task, budget, wide);
                int cap = fit.task().job().tokenCap();
                if (cap < task.job().tokenCap()) {
                    LOG.warn("{} bytes of memory lower the token cap to {}: quality may suffer", budget, cap);
                }
                Arena arena;
                try {
                    arena = roomFor(fit);
                } catch (OutOfDeviceMemoryException e) {
                    budget = leaner(task, fit, e);
                    continue;
                }
                Matte matte = computed(fit, photo, trimap, arena);
                if (matte != null) {
                    return matte;
                }
            }
        } finally {
            running.unlock();
        }
    }

    /** A budget for what the device has left, below that of a run that it did not hold; throws what it said if none is. */
    private long leaner(Task task, Fit fit, OutOfDeviceMemoryException said) {
        long budget = Math.min(fit.peakBytes() - 1, weightsBytes + said.freeBytes());
        try {
            planner.fit(task, budget, wide);
        } catch (InvalidInputException e) {
            said.addSuppressed(e);
            throw said;
        }
        LOG.warn("{}; tried again with {} bytes at most", said.getMessage(), budget);
        return budget;
    }

    /** Computes; null if numbers overflowed and {@link #wide} says now which layers need fp32. */
    private Matte computed(Fit fit, Photo photo, Trimap trimap, Arena arena) {
        MatteRequest request = fit.task().request();
        Alpha alpha = prepared(trimap, request);
        GpuRun walk = GpuRun.computing(fit.walk(), device, stream, arena);
        try (Event begin = device.createEvent();
                Event encoded = device.createEvent();
                Event end = device.createEvent()) {
            stream.record(begin);
            DeviceImages images = fit.task().images(walk, model);
            images.upload(walk, photo, trimap, alpha);
            ActiveArea active = request.decodeAll() ? ActiveArea.everything() : ActiveArea.unknown(trimap);
            Job job = model.job(walk.geometry(), request)
                    .withTokenCap(fit.task().job().tokenCap());
            Job.Walk choices = job.walk(walk, images, active, encoded);
            images.download(walk, alpha);
            stream.record(end);
            int overflow = walk.overflows();
            request.cancellation().check();
            if (overflow != 0) {
                widen(Overflow.first(overflow));
                return null;
            }
            Routing routing = choices.routing();
            walk.requireNumbers();
            double encode = encoded.millisecondsSince(begin) / MILLIS;
            double decode = end.millisecondsSince(encoded) / MILLIS;
            return new Matte(
                    alpha,
                    routing,
                    choices.closest(),
                    choices.path(),
                    encode,
                    decode,
                    weightsBytes + arena.peak(),
                    fit.peakBytes());
        }
    }

    /**
     * Notes for this run and all later ones that a layer's numbers are too large for its type.
     *
     * @throws ArithmeticException if wider numbers would not help: what the stream does not hold, what comes after does
     *     not either
     */
    private void widen(int place) {
        boolean helps = options.precision() == Precision.FP16 && Overflow.isRefinement(place);
        if (!helps || (wide & place) != 0) {
            throw new ArithmeticException(Overflow.name(place) + ": numbers pass what " + options.precision()
                    + " holds; the checkpoint's weights do not fit this photo in that type: use bf16 or fp32");
        }
        wide |= place;
        LOG.warn(
                "{}: numbers pass what fp16 holds; repeated with fp32 there, and so from now on", Overflow.name(place));
    }

    /** Memory for a run; allocated only if what is there does not suffice. */
    private Arena roomFor(Fit fit) {
        if (activations == null || activations.bytes() < fit.arenaBytes()) {
            if (activations != null) {
                activations.close();
                activations = null;
            }
            activations = device.allocate(fit.arenaBytes());
        }
        return Arena.of(activations);
    }

    @Override
    protected void release() {
        device.close();
    }
}
