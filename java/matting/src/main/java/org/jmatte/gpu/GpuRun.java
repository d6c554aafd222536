package org.jmatte.gpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jmatte.MatteRequest;
import org.jmatte.Plan;
import org.jmatte.StageListener;
import org.jmatte.kernels.Arena;
import org.jmatte.kernels.Convert;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.PlanningDevice;
import org.jmatte.kernels.Stream;
import org.jmatte.kernels.Tensor;
import org.jmatte.network.Geometry;

/**
 * One walk through a network on a device: on a {@link PlanningDevice} it notes what a run would take, elsewhere it
 * computes. Layers see no difference.
 */
final class GpuRun {
    private final Device device;
    private final Stream stream;
    private final Transfers transfers;
    private final Arena arena;
    private final Geometry geometry;
    private final Settings settings;
    private final MatteRequest request;
    private final int expectedStages;
    private final Tensor notNumbers;
    private final Tensor overflow;
    private final List<Plan.Stage> stages = new ArrayList<>();
    private long decodedPixels;

    private GpuRun(
            Device device,
            Stream stream,
            Transfers transfers,
            Arena arena,
            Geometry geometry,
            Settings settings,
            MatteRequest request,
            int expectedStages) {
        this.device = device;
        this.stream = stream;
        this.transfers = transfers;
        this.arena = arena;
        this.geometry = geometry;
        this.settings = settings;
        this.request = request;
        this.expectedStages = expectedStages;
        notNumbers = arena.take(ElementType.I32, 1);
        overflow = arena.take(ElementType.I32, 1);
        for (Tensor flag : new Tensor[] {notNumbers, overflow}) {
            device.fill(flag.pointer(), (byte) 0, flag.bytes(), stream);
        }
    }

    static GpuRun planning(PlanningDevice device, Geometry geometry, Settings settings, MatteRequest request) {
        return new GpuRun(device, device.defaultStream(), null, Arena.planning(), geometry, settings, request, 0);
    }

    /** A walk that computes, on a lane with the memory planned for it. */
    static GpuRun computing(GpuRun plan, Lane lane) {
        return new GpuRun(
                lane.device(),
                lane.stream(),
                lane.transfers(),
                lane.arena(),
                plan.geometry,
                plan.settings,
                plan.request,
                plan.stages.size());
    }

    Device device() {
        return device;
    }

    Stream stream() {
        return stream;
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

    /** [1] i32: bits of {@link Overflow}. */
    Tensor overflow() {
        return overflow;
    }

    /** Places of {@link Overflow} where numbers passed what their type holds; waits for the device. */
    int overflows() {
        return read(overflow).getInt(0);
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

    /** Whether a layer is to run in fp32. @param place of {@link Overflow} */
    boolean isWide(int place) {
        return (settings.wide() & place) != 0;
    }

    MatteRequest request() {
        return request;
    }

    boolean planning() {
        return device instanceof PlanningDevice;
    }

    /** Who hears intermediate results; null for nobody. */
    StageListener listener() {
        return planning() ? null : request.stages();
    }

    List<Plan.Stage> stages() {
        return stages;
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
        Convert.run(device, to, from, overflow, place, stream);
    }

    /**
     * Rows of the stream as operands: themselves, or converted into {@code room}, of which the front is taken.
     *
     * @param place of {@link Overflow}
     */
    Tensor operands(Tensor rows, Tensor room, int place) {
        if (!types().differ()) {
            return rows;
        }
        Tensor converted = room.rows(0, rows.size(0));
        convert(converted, rows, place);
        return converted;
    }

    /** Room for {@link #operands} of so many rows; null where nothing is converted. */
    Tensor takeConverted(long rows, long channels) {
        return types().differ() ? take(rows, channels) : null;
    }

    /** Operands that take as many bytes as so many floats. */
    long floats(long count) {
        return count * ElementType.FP32.bytes() / operands().bytes();
    }

    /** Elements that {@link #takeConverted} takes per row. */
    long converted(long channels) {
        return types().differ() ? channels : 0;
    }

    /** What a tensor holds, once all queued work is done. */
    ByteBuffer read(Tensor tensor) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(tensor.bytes())).order(ByteOrder.nativeOrder());
        transfers.download(bytes, tensor.pointer());
        return bytes;
    }

    /** {@link #read} as floats. */
    FloatBuffer readFloats(Tensor tensor) {
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
    static void parts(int total, int size, Part part) {
        for (int first = 0; first < total; first += size) {
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
