package org.jmatte.gpu;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jmatte.Backend;
import org.jmatte.InvalidInputException;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.MattingOptions;
import org.jmatte.Plan;
import org.jmatte.Precision;
import org.jmatte.Roofline;
import org.jmatte.Routing;
import org.jmatte.RunListener;
import org.jmatte.StreamType;
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
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.EmulatedDevice;
import org.jmatte.kernels.Launch;
import org.jmatte.kernels.LaunchProfile;
import org.jmatte.kernels.OutOfDeviceMemoryException;
import org.jmatte.kernels.PlanningDevice;
import org.jmatte.network.Architecture;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.ModelSource;
import org.jmatte.weights.Parameters;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model on a device: plans runs within the memory budget, and computes them, several at a time as far as {@link Lanes}
 * and the budget allow. All models of the same weights on a device share one copy. Memory that a run takes is kept for
 * the next ones.
 */
public final class GpuExecution extends Execution {
    private static final Logger LOG = LoggerFactory.getLogger(GpuExecution.class);
    private static final double MILLIS = 1e3;
    private static final double NANOS_PER_MILLI = 1e6;

    private final SharedDevice shared;
    private final Device device;
    private final NetworkSettings network;
    private final MattingOptions options;
    private final long weightsBytes;
    /** What the device knows the weights by. */
    private final Object key;
    /** Null for plans only. */
    private final GpuModel model;

    private final Planner planner;
    /** The set of {@link Overflow}'s places of which bands had to be repeated so far. */
    private final AtomicLong overflowing = new AtomicLong();

    private GpuExecution(ModelSource source, MattingOptions options, SharedDevice shared, Checkpoint checkpoint) {
        this.shared = shared;
        this.options = options;
        device = shared.device();
        network = NetworkSettings.of(source, options);
        ElementType operands = Types.of(options.precision(), options.stream(), device.architecture())
                .operands();
        key = List.of(source.identity(), operands);
        Arena sizes = Arena.planning();
        PlanningDevice nowhere = new PlanningDevice(device.architecture(), device.multiprocessors());
        GpuModel shapes = layers(null, nowhere, sizes, operands);
        weightsBytes = sizes.peak();
        planner = new Planner(network, shapes, weightsBytes, options, device.architecture(), device.multiprocessors());
        if (checkpoint != null) {
            shared.use(options.gemm());
        }
        model = checkpoint == null
                ? null
                : shared.take(key, weightsBytes, arena -> layers(checkpoint, device, arena, operands));
    }

    private GpuModel layers(Checkpoint checkpoint, Device target, Arena arena, ElementType operands) {
        Parameters parameters = new Parameters(network.architecture(), checkpoint);
        return GpuModel.of(network, new GpuWeights(parameters, target, arena, operands));
    }

    /**
     * Lays out the source's weights on a device, unless they are there; the source may be closed after.
     *
     * @param device left with this model
     */
    public static GpuExecution open(ModelSource source, MattingOptions options, SharedDevice device) {
        return opened(source, options, device, source.checkpoint());
    }

    /**
     * Plans only.
     *
     * @param device what is planned for; left with this model
     */
    public static GpuExecution withoutWeights(ModelSource source, MattingOptions options, SharedDevice device) {
        return opened(source, options, device, null);
    }

    private static GpuExecution opened(
            ModelSource source, MattingOptions options, SharedDevice device, Checkpoint checkpoint) {
        try {
            return new GpuExecution(source, options, device, checkpoint);
        } catch (Throwable t) {
            device.close();
            throw t;
        }
    }

    @Override
    public Architecture architecture() {
        return network.architecture();
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
        ActiveArea active = request.decodeAll() ? ActiveArea.everything() : ActiveArea.unknown(trimap);
        long budget = options.memoryBudget();
        long watched = remembered(task, budget);
        while (true) {
            Fit fit = planner.fit(task, budget, watched);
            int cap = fit.task().job().tokenCap();
            if (cap < task.job().tokenCap()) {
                LOG.warn("{} bytes of memory lower the token cap to {}: quality may suffer", budget, cap);
            }
            Alpha alpha = prepared(trimap, request);
            Lane lane;
            try {
                lane = shared.lanes().enter(this, fit.arenaBytes(), activationsLimit(), request.cancellation());
            } catch (OutOfDeviceMemoryException e) {
                budget = leaner(task, fit, e, watched);
                continue;
            }
            try {
                GpuRun walk = GpuRun.computing(fit.walk(), lane);
                Matte matte = heard(
                        request.runListener(),
                        fit,
                        lane,
                        () -> computed(fit, walk, photo, trimap, active, alpha, lane));
                if (matte != null) {
                    overflowing.accumulateAndGet(walk.repeated(), (known, more) -> known | more);
                    return matte;
                }
                watched |= toWatch(Overflow.first(walk.overflows()), watched);
            } finally {
                shared.lanes().leave(lane);
            }
        }
    }

    /** What to watch from the beginning: where earlier photos overflowed, unless the budget is too small for that. */
    private long remembered(Task task, long budget) {
        long places = overflowing.get();
        if (places == 0 || budget == 0) {
            return places;
        }
        try {
            planner.fit(task, budget, places);
            return places;
        } catch (InvalidInputException e) {
            LOG.info("bands are not watched for overflow from the beginning: {}", e.getMessage());
            return 0;
        }
    }

    /** Most bytes for the activations of all runs that go on. */
    private long activationsLimit() {
        return options.memoryBudget() == 0 ? Long.MAX_VALUE : options.memoryBudget() - weightsBytes;
    }

    /** A budget for what the device has left, below that of a run that it did not hold; throws what it said if none is. */
    private long leaner(Task task, Fit fit, OutOfDeviceMemoryException said, long watched) {
        long budget = Math.min(fit.peakBytes() - 1, weightsBytes + said.freeBytes());
        try {
            planner.fit(task, budget, watched);
        } catch (InvalidInputException e) {
            said.addSuppressed(e);
            throw said;
        }
        LOG.warn("{}; tried again with {} bytes at most", said.getMessage(), budget);
        return budget;
    }

    /** What the work returns, and to whoever listens, its launches and when they ran; the listener may be null. */
    private Matte heard(RunListener listener, Fit fit, Lane lane, Supplier<Matte> work) {
        if (listener == null) {
            return work.get();
        }
        try (LaunchProfile launches = LaunchProfile.timing(device, lane.stream())) {
            listener.begin(fit.toPlan());
            Matte matte = work.get();
            launches.entries().forEach(entry -> listener.kernel(kernel(entry)));
            return matte;
        }
    }

    private static RunListener.Kernel kernel(LaunchProfile.Entry entry) {
        Launch launch = entry.launch();
        return new RunListener.Kernel(
                launch.operator(),
                launch.kernel(),
                launch.flops(),
                launch.bytes(),
                entry.queued(),
                entry.launched(),
                entry.started(),
                entry.started() + Math.round(entry.milliseconds() * NANOS_PER_MILLI));
    }

    /** Computes; null if numbers overflowed where nobody watched. */
    private Matte computed(
            Fit fit, GpuRun walk, Photo photo, Trimap trimap, ActiveArea active, Alpha alpha, Lane lane) {
        MatteRequest request = fit.task().request();
        lane.stream().record(lane.begin());
        DeviceImages images = fit.task().images(walk, network);
        images.upload(walk, photo, trimap, alpha);
        Job job = model.job(network, walk.geometry(), request)
                .withTokenCap(fit.task().job().tokenCap());
        Job.Walk choices = job.walk(walk, images, active, lane.encoded());
        images.download(walk, alpha);
        lane.stream().record(lane.end());
        long overflow = walk.overflows();
        request.cancellation().check();
        if (overflow != 0) {
            return null;
        }
        Routing routing = choices.routing();
        walk.requireNumbers();
        return new Matte(
                alpha,
                routing,
                choices.closest(),
                choices.path(),
                lane.encoded().millisecondsSince(lane.begin()) / MILLIS,
                lane.end().millisecondsSince(lane.encoded()) / MILLIS,
                weightsBytes + walk.arena().peak(),
                fit.peakBytes());
    }

    /**
     * What to watch from now on: a place that overflowed, and those behind it, which have seen its infinities. To watch
     * always would make the device wait after every band; so it is done for an image that needs it, and later only where
     * it did.
     *
     * @throws ArithmeticException if that would not help
     */
    private long toWatch(int place, long watched) {
        boolean helps = options.precision() == Precision.FP16
                && Overflow.isRepeatable(place)
                && !Overflow.contains(watched, place);
        if (!helps) {
            throw new ArithmeticException(Overflow.name(place) + ": numbers pass what "
                    + options.precision().name().toLowerCase(Locale.ROOT)
                    + " holds; the checkpoint's weights do not fit this photo"
                    + (options.precision() == Precision.FP32 ? "" : " in that type: use bf16 or fp32"));
        }
        LOG.warn(
                "{}: numbers pass what fp16 holds; begun again, to repeat in fp32 those bands where they do",
                Overflow.name(place));
        return Overflow.repeatableFrom(place);
    }

    @Override
    protected Optional<Roofline> measureRoofline() {
        if (backend() == Backend.EMULATED) {
            return Optional.empty();
        }
        Types types = Types.of(options.precision(), StreamType.FP32, device.architecture());
        return Optional.of(GpuRoofline.measure(device, types.operands()));
    }

    @Override
    protected void release() {
        if (model != null) {
            shared.giveBack(key);
        }
        shared.close();
    }
}
