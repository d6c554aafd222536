package org.jmatte.bench;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jmatte.kernels.Ceilings;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.LaunchProfile;
import org.jmatte.kernels.Stream;
import org.jmatte.kernels.Tensor;

/**
 * What the card reaches in the same minutes as the kernels: copies of as many bytes as a call moves, and arithmetic in
 * registers. Measured once each.
 */
final class MeasuredCeilings {
    /** Operators whose products run on the matrix units, if not in fp32; all others compute with the FMA units. */
    private static final Set<String> ON_MATRIX_UNITS =
            Set.of("gemm", "conv3x3", "conv2x2", "detail_capture", "window_attention", "sparse_attention");

    private static final int BLOCKS_PER_MULTIPROCESSOR = 4;

    private final Device device;
    private final EventTimer timer;
    private final int iterations;
    private final Map<Long, Double> copies = new HashMap<>();
    private final Map<ElementType, Double> arithmetic = new HashMap<>();

    /** @param iterations of the arithmetic's loop: on a card enough for about a millisecond */
    MeasuredCeilings(Device device, EventTimer timer, int iterations) {
        this.device = device;
        this.timer = timer;
        this.iterations = iterations;
    }

    /** Microseconds of a copy within the device that reads half of so many bytes and writes the other half. */
    double copyMicroseconds(long bytes) {
        return copies.computeIfAbsent(Math.max(1, bytes / 2), half -> {
            try (Inputs in = new Inputs(device)) {
                Tensor from = in.random(ElementType.U8, half);
                Tensor to = in.empty(ElementType.U8, half);
                return median(s -> device.copy(to.pointer(), from.pointer(), half, s));
            }
        });
    }

    /** FLOP/s of the units that an operator computes with, for operands of some type. */
    double flops(String operator, ElementType type) {
        ElementType units = ON_MATRIX_UNITS.contains(operator) ? type : ElementType.FP32;
        return arithmetic.computeIfAbsent(units, this::measureFlops);
    }

    private double measureFlops(ElementType type) {
        try (Inputs in = new Inputs(device);
                LaunchProfile profile = LaunchProfile.counting(device)) {
            long threads = (long) BLOCKS_PER_MULTIPROCESSOR * device.multiprocessors() * Ceilings.THREADS;
            Tensor out = in.empty(ElementType.FP32, threads);
            Ceilings.run(device, out, type, iterations, device.defaultStream());
            long flops = profile.flops();
            return flops / (1e-6 * median(s -> Ceilings.run(device, out, type, iterations, s)));
        }
    }

    private double median(Consumer<Stream> call) {
        return EventTimer.quantile(timer.microseconds(call), 0.5);
    }
}
