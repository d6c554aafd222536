package org.jmatte.gpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jmatte.MatteRequest;
import org.jmatte.Plan;
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
    private final Arena arena;
    private final Geometry geometry;
    private final Tiling tiling;
    private final Types types;
    private final MatteRequest request;
    private final int expectedStages;
    private final List<Plan.Stage> stages = new ArrayList<>();
    private long decodedPixels;

    private GpuRun(
            Device device,
            Stream stream,
            Arena arena,
            Geometry geometry,
            Tiling tiling,
            Types types,
            MatteRequest request,
            int expectedStages) {
        this.device = device;
        this.stream = stream;
        this.arena = arena;
        this.geometry = geometry;
        this.tiling = tiling;
        this.types = types;
        this.request = request;
        this.expectedStages = expectedStages;
    }

    static GpuRun planning(PlanningDevice device, Geometry geometry, Tiling tiling, Types types, MatteRequest request) {
        return new GpuRun(
                device, device.defaultStream(), Arena.planning(), geometry, tiling, types, request, 0);
    }

    /** A walk that computes, in an arena planned for it. */
    static GpuRun computing(GpuRun plan, Device device, Stream stream, Arena arena) {
        return new GpuRun(
                device, stream, arena, plan.geometry, plan.tiling, plan.types, plan.request, plan.stages.size());
    }

    Device device() {
        return device;
    }

    Stream stream() {
        return stream;
    }

    Arena arena() {
        return arena;
    }

    Geometry geometry() {
        return geometry;
    }

    Tiling tiling() {
        return tiling;
    }

    ElementType operands() {
        return types.operands();
    }

    Types types() {
        return types;
    }

    MatteRequest request() {
        return request;
    }

    boolean planning() {
        return device instanceof PlanningDevice;
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
        body.run();
        if (device instanceof PlanningDevice planner) {
            flops += planner.flops();
            movedBytes += planner.movedBytes();
        }
        stages.add(new Plan.Stage(name, flops, movedBytes, arena.stagePeak()));
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
        return arena.take(types.operands(), shape);
    }

    /** Rows of the stream as operands: themselves, or converted into {@code room}, of which the front is taken. */
    Tensor operands(Tensor rows, Tensor room) {
        if (!types.differ()) {
            return rows;
        }
        Tensor converted = room.rows(0, rows.size(0));
        Convert.run(device, converted, rows, stream);
        return converted;
    }

    /** Room for {@link #operands} of so many rows; null where nothing is converted. */
    Tensor takeConverted(long rows, long channels) {
        return types.differ() ? take(rows, channels) : null;
    }

    /** Elements that {@link #takeConverted} takes per row. */
    long converted(long channels) {
        return types.differ() ? channels : 0;
    }

    /** What a tensor holds, once all queued work is done. */
    ByteBuffer read(Tensor tensor) {
        ByteBuffer bytes =
                ByteBuffer.allocateDirect(Math.toIntExact(tensor.bytes())).order(ByteOrder.nativeOrder());
        if (tensor.elements() > 0) {
            device.copyToHost(bytes, tensor.pointer(), stream);
        }
        stream.synchronize();
        return bytes;
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
        return tiling.rows(
                arena.mark(), elements * operands().bytes(), total, columns, device.multiprocessors());
    }
}
