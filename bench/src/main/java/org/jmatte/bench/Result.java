package org.jmatte.bench;

import java.util.List;
import java.util.stream.Collectors;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.Launch;

/**
 * What was measured of one call.
 *
 * @param photo height and width of the photo, {@code 1024x1024}
 * @param kernels the entry points that it launches
 * @param microseconds the median
 * @param low a tenth of the runs took less
 * @param high a tenth of the runs took more
 * @param bytes that its kernels must read and write at least once, each by itself
 * @param flops useful ones
 * @param copyMicroseconds of a device copy that moves as many bytes
 * @param ceilingFlops FLOP/s of the units that it computes with
 * @param vendorMicroseconds of the vendor's library for the same product or convolution without its epilogue, or null
 */
record Result(
        String photo,
        String stage,
        String name,
        String shape,
        String operator,
        String kernels,
        double microseconds,
        double low,
        double high,
        long bytes,
        long flops,
        double copyMicroseconds,
        double ceilingFlops,
        Double vendorMicroseconds) {
    /** A call with what it launches and the ascending times of its runs. */
    static Result of(
            Photo photo,
            KernelCall call,
            List<Launch> launches,
            double[] times,
            MeasuredCeilings ceilings,
            ElementType type,
            Double vendorMicroseconds) {
        String operator = launches.get(0).operator();
        long bytes = launches.stream().mapToLong(Launch::bytes).sum();
        return new Result(
                photo.toString(),
                call.stage(),
                call.name(),
                call.shape(),
                operator,
                launches.stream().map(Launch::kernel).distinct().collect(Collectors.joining(", ")),
                EventTimer.quantile(times, 0.5),
                EventTimer.quantile(times, 0.1),
                EventTimer.quantile(times, 0.9),
                bytes,
                launches.stream().mapToLong(Launch::flops).sum(),
                ceilings.copyMicroseconds(bytes),
                ceilings.flops(operator, type),
                vendorMicroseconds);
    }

    double bytesPerSecond() {
        return bytes / (1e-6 * microseconds);
    }

    double flopsPerSecond() {
        return flops / (1e-6 * microseconds);
    }

    double shareOfCopy() {
        return copyMicroseconds / microseconds;
    }

    double shareOfCeiling() {
        return flopsPerSecond() / ceilingFlops;
    }
}
