package org.jmatte.gpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jmatte.MatteRequest;
import org.jmatte.Plan;
import org.jmatte.StageListener;
import org.jmatte.kernels.Arena;
import org.jmatte.kernels.Convert;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.Gemm;
import org.jmatte.kernels.PlanningDevice;
import org.jmatte.kernels.Stream;
import org.jmatte.kernels.Tensor;
import org.jmatte.network.Geometry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One walk through a network on a device: on a {@link PlanningDevice} it notes what a run would take, elsewhere it
 * computes. Layers see no difference. If only memory is asked for, of like parts only the first is walked through.
 */
final class GpuRun {
    private static final Logger LOG = LoggerFactory.getLogger(GpuRun.class);

    private final Device device;
    private final Stream stream;
    private final Transfers transfers;
    private final Graphs graphs;
    private final Arena arena;
    private final Geometry geometry;
    private final Settings settings;
    private final MatteRequest request;
    private final int expectedStages;
    private final boolean sizesOnly;
    private final Tensor notNumbers;
    /** [2] i32: {@link Overflow}'s places, 32 in each. */
    private final Tensor overflow;
    /** [2] i32: the same of the band under way, if its place is watched. */
    private final Tensor bandOverflow;

    private long repeated;
    /** Whether a band is under way again. */
    private boolean repeating;
    /** In place of the device while memory is taken and nothing done; else null. */
    private PlanningDevice idle;

    private final List<Plan.Stage> stages = new ArrayList<>();
    private long decodedPixels;

    private GpuRun(
            Device device,
            Stream stream,
            Transfers transfers,
            Graphs graphs,
            Arena arena,
            Geometry geometry,
            Settings settings,
            MatteRequest request,
            int expectedStages,
            boolean sizesOnly) {
        this.device = device;
        this.stream = stream;
        this.transfers = transfers;
        this.graphs = graphs;
        this.arena = arena;
        this.geometry = geometry;
        this.settings = settings;
        this.request = request;
        this.expectedStages = expectedStages;
        this.sizesOnly = sizesOnly;
        notNumbers = arena.take(ElementType.I32, 1);
        overflow = arena.take(ElementType.I32, 2);
        bandOverflow = arena.take(ElementType.I32, 2);
        for (Tensor flag : new Tensor[] {notNumbers, overflow, bandOverflow}) {
            device.fill(flag.pointer(), (byte) 0, flag.bytes(), stream);
        }
    }

    /** @param sizesOnly whether work need not be counted */
    static GpuRun planning(
            PlanningDevice device, Geometry geometry, Settings settings, MatteRequest request, boolean sizesOnly) {
        return new GpuRun(
                device,
                device.defaultStream(),
                null,
                null,
                Arena.planning(),
                geometry,
                settings,
                request,
                0,
                sizesOnly);
    }

    /**
     * A walk that computes, on a lane with the memory planned for it.
     *
     * @param plan walked on a {@link PlanningDevice}
     */
    static GpuRun computing(GpuRun plan, Lane lane) {
        boolean waits = plan.settings.watched() != 0; // for each band's numbers
        boolean graphs = !waits
                && Graphs.pay((PlanningDevice) plan.device)
                && lane.device().hasGraphs();
        return new GpuRun(
                lane.device(),
                lane.stream(),
                lane.transfers(),
                graphs ? lane.graphs() : null,
                lane.arena(),
                plan.geometry,
                plan.settings,
                plan.request,
                plan.stages.size(),
                false);
    }

    Device device() {
        return idle == null ? device : idle;
    }

    Stream stream() {
        return idle == null ? stream : idle.defaultStream();
    }

    /** The way of data to and from the device; null while planning. */
    Transfers transfers() {
        return transfers;
    }

    Arena arena() {
        return arena;
    }

    Geometry geometry() {
        return geometry;
    }

    Settings settings() {
        return settings;
    }

    Tiling tiling() {
        return settings.tiling();
    }

    ElementType operands() {
        return settings.types().operands();
    }

    Types types() {
        return settings.types();
    }

    /** [1] i32: counts values of alpha that are no numbers. */
    Tensor notNumbers() {
        return notNumbers;
    }

    /** The set of {@link Overflow}'s places where numbers passed what their type holds; waits for the device. */
    long overflows() {
        return read(overflow).getLong(0);
    }

    /** The set of {@link Overflow}'s places of which bands were repeated. */
    long repeated() {
        return repeated;
    }

    /** Where a place of {@link Overflow} is reported. */
    private Tensor flag(int place) {
        Tensor flags = watches(place) && !repeating ? bandOverflow : overflow;
        return flags.rows(place / Integer.SIZE, 1);
    }

    private static int bit(int place) {
        return 1 << place % Integer.SIZE;
    }

    /** Has what overflows reported. @param place of {@link Overflow} */
    Gemm.Options flagging(Gemm.Options options, int place) {
        return options.overflow(flag(place), bit(place));
    }

    private boolean watches(int place) {
        return Overflow.contains(settings.watched(), place);
    }

    /**
     * Does a band's work, and does it again in fp32 if its place is watched and its numbers passed what their type holds.
     * Memory is taken for both, whatever happens.
     *
     * @param place of {@link Overflow}
     * @param unit what the band is made of
     * @param attempt the work; it returns its last step, which changes what the repetition starts from
     * @param wide all of it in fp32
     */
    void band(int place, String unit, int first, int count, Supplier<Runnable> attempt, Runnable wide) {
        boolean[] overflowed = new boolean[1];
        scratch(() -> {
            Runnable last = attempt.get();
            overflowed[0] = watches(place) && overflowed(place);
            if (!overflowed[0] || planning()) {
                last.run();
            }
        });
        if (!watches(place)) {
            return;
        }
        if (overflowed[0]) {
            repeated |= 1L << place;
            if (!planning()) {
                LOG.warn(
                        "{}, {} {} to {}: numbers pass what {} holds; repeated in fp32",
                        Overflow.name(place),
                        unit,
                        first,
                        first + count - 1,
                        operands());
            }
        } else {
            idle = new PlanningDevice(device.architecture(), device.multiprocessors());
        }
        repeating = true;
        scratch(wide);
        repeating = false;
        idle = null;
    }

    /** Whether the band under way overflowed, which is forgotten; waits for the device. A plan is for bands that do. */
    private boolean overflowed(int place) {
        if (planning()) {
            return true;
        }
        Tensor flag = flag(place);
        if (read(flag).getInt(0) == 0) {
            return false;
        }
        device.fill(flag.pointer(), (byte) 0, flag.bytes(), stream);
        return true;
    }

    /** Alpha is made again. */
    void forgetNotNumbers() {
        device().fill(notNumbers.pointer(), (byte) 0, notNumbers.bytes(), stream());
    }

    /**
     * Waits for the device.
     *
     * @throws ArithmeticException if a value of alpha is no number
     */
    void requireNumbers() {
        int others = read(notNumbers).getInt(0);
        if (others != 0) {
            throw new ArithmeticException("alpha is not a number at " + others + " pixels: the checkpoint's weights, or"
                    + " the type they run in, do not fit this photo; try fp32");
        }
    }

    MatteRequest request() {
        return request;
    }

    /** Whether only memory is asked for: what takes none may be left out. */
    boolean sizesOnly() {
        return sizesOnly;
    }

    boolean planning() {
        return device() instanceof PlanningDevice;
    }

    /** Who hears intermediate results; null for nobody. */
    StageListener listener() {
        return planning() ? null : request.stages();
    }

    List<Plan.Stage> stages() {
        return stages;
    }

    /**
     * Queues work that is the same in every run with equal settings: as a graph, where launching would take longer than
     * what is launched.
     *
     * @param what the work is, beside the settings
     */
    void repeat(List<?> what, Runnable work) {
        if (graphs == null || listener() != null || !request.forcedTokens().isEmpty()) {
            work.run();
        } else {
            checkCancelled();
            request.progress().stage("encode", 0, expectedStages);
            graphs.run(List.of(what, geometry, settings), arena, work);
        }
    }

    /** Queues one stage of the network. */
    void stage(String name, Runnable body) {
        long flops = 0;
        long movedBytes = 0;
        if (device instanceof PlanningDevice planner) {
            flops = -planner.flops();
            movedBytes = -planner.movedBytes();
        } else {
            checkCancelled();
            request.progress().stage(name, stages.size(), expectedStages);
        }
        arena.beginStage();
        long start = System.nanoTime();
        body.run();
        if (device instanceof PlanningDevice planner) {
            flops += planner.flops();
            movedBytes += planner.movedBytes();
        }
        Plan.Stage done = new Plan.Stage(name, flops, movedBytes, arena.stagePeak());
        stages.add(done);
        if (!planning() && request.runListener() != null) {
            request.runListener().stage(done, start, System.nanoTime());
        }
    }

    /** Counts pixels that are made at full resolution. */
    void countDecoded(long pixels) {
        decodedPixels += pixels;
    }

    /** Pixels that were made at full resolution, or would be. */
    long decodedPixels() {
        return decodedPixels;
    }

    /** @throws java.util.concurrent.CancellationException if nobody wants the result any more */
    void checkCancelled() {
        request.cancellation().check();
    }

    Tensor take(ElementType type, long... shape) {
        return arena.take(type, shape);
    }

    /** Takes operands. */
    Tensor take(long... shape) {
        return arena.take(operands(), shape);
    }

    /** Converts; what overflows is reported. @param place of {@link Overflow} */
    void convert(Tensor to, Tensor from, int place) {
        Convert.run(device(), to, from, flag(place), bit(place), stream());
    }

    /** A tensor in another type: itself, or converted in memory that is taken. @param place of {@link Overflow} */
    Tensor as(ElementType type, Tensor tensor, int place) {
        if (tensor.type() == type) {
            return tensor;
        }
        Tensor converted = take(type, tensor.shape());
        convert(converted, tensor, place);
        return converted;
    }

    /** A tensor in fp32: itself, or converted in memory that is taken. */
    Tensor widened(Tensor tensor) {
        if (tensor.type() == ElementType.FP32) {
            return tensor;
        }
        Tensor wide = take(ElementType.FP32, tensor.shape());
        Convert.run(device(), wide, tensor, stream());
        return wide;
    }

    /** Changes rows of the stream that are at hand in fp32. @param place of {@link Overflow}, should they not fit back */
    void inFp32(Tensor stream, int place, Consumer<Tensor> change) {
        scratch(() -> {
            Tensor wide = widened(stream);
            change.accept(wide);
            if (wide != stream) {
                convert(stream, wide, place);
            }
        });
    }

    /** Operands that take as many bytes as so many floats. */
    long floats(long count) {
        return count * ElementType.FP32.bytes() / operands().bytes();
    }

    /** Elements per row that the stream takes as operands, besides itself. */
    long converted(long channels) {
        return types().differ() ? channels : 0;
    }

    /** What a tensor holds, once all queued work is done. */
    ByteBuffer read(Tensor tensor) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(tensor.bytes())).order(ByteOrder.nativeOrder());
        transfers.download(bytes, tensor.pointer());
        return bytes;
    }

    /** {@link #read} as floats, for a listener. */
    FloatBuffer readFloats(Tensor tensor) {
        StageListener.requireBuffer(tensor.bytes());
        return Numbers.floats(read(tensor), tensor.type());
    }

    /** Gives back what the body takes. */
    void scratch(Runnable body) {
        long mark = arena.mark();
        body.run();
        arena.release(mark);
    }

    /** Something done to rows {@code first} to {@code first + count - 1}. */
    @FunctionalInterface
    interface Part {
        void run(int first, int count);
    }

    /** Part after part of {@code total}, each of so many but the last. */
    void parts(int total, int size, Part part) {
        int end = sizesOnly ? Math.min(total, size) : total;
        for (int first = 0; first < end; first += size) {
            part.run(first, Math.min(size, total - first));
        }
    }

    /**
     * Rows of tokens to take at once.
     *
     * @param elements operands that a row of scratch takes
     * @param columns of the widest product
     */
    int chunk(int total, long elements, int columns) {
        return tiling().rows(arena.mark(), elements * operands().bytes(), total, columns, device.multiprocessors());
    }
}
