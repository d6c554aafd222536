package org.jmatte.gpu;

import java.util.function.Consumer;
import org.jmatte.Roofline;
import org.jmatte.kernels.Ceilings;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.DeviceBuffer;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.Event;
import org.jmatte.kernels.LaunchProfile;
import org.jmatte.kernels.Stream;
import org.jmatte.kernels.Tensor;

/** Measures what a card reaches: copies within its memory, and the units that multiply matrices of some type. */
final class GpuRoofline {
    private static final int PASSES = 7;
    /** More than the second-level cache of any card; less where the memory is full. */
    private static final long COPIED_BYTES = 256L << 20;

    private static final int BLOCKS_PER_MULTIPROCESSOR = 4;
    /** Of the arithmetic's loop: about a millisecond. */
    private static final int ITERATIONS = 4096;

    private GpuRoofline() {}

    static Roofline measure(Device device, ElementType operands) {
        return measure(device, operands, Math.min(COPIED_BYTES, device.freeBytes() / 4), ITERATIONS);
    }

    /**
     * @param bytes to be copied
     * @param iterations of the arithmetic's loop
     */
    static Roofline measure(Device device, ElementType operands, long bytes, int iterations) {
        return new Roofline(copy(device, bytes), arithmetic(device, operands, iterations));
    }

    private static double copy(Device device, long bytes) {
        try (DeviceBuffer from = device.allocate(bytes);
                DeviceBuffer to = device.allocate(bytes)) {
            device.fill(from.pointer(), (byte) 0, bytes, device.defaultStream());
            return 2 * bytes / best(device, stream -> device.copy(to.pointer(), from.pointer(), bytes, stream));
        }
    }

    private static double arithmetic(Device device, ElementType operands, int iterations) {
        long threads = (long) BLOCKS_PER_MULTIPROCESSOR * device.multiprocessors() * Ceilings.THREADS;
        try (DeviceBuffer memory = device.allocate(threads * Float.BYTES);
                LaunchProfile counted = LaunchProfile.counting(device)) {
            Tensor out = Tensor.wrap(memory.pointer(), ElementType.FP32, threads);
            double seconds = best(device, stream -> Ceilings.run(device, out, operands, iterations, stream));
            return counted.entries().get(0).launch().flops() / seconds;
        }
    }

    /** Seconds of the fastest pass: what the card reaches is what it does undisturbed. */
    private static double best(Device device, Consumer<Stream> work) {
        double best = Double.POSITIVE_INFINITY;
        try (Stream stream = device.createStream();
                Event start = device.createEvent();
                Event end = device.createEvent()) {
            for (int pass = 0; pass < PASSES; pass++) {
                stream.record(start);
                work.accept(stream);
                stream.record(end);
                best = Math.min(best, end.millisecondsSince(start) * 1e-3);
            }
        }
        return best;
    }
}
