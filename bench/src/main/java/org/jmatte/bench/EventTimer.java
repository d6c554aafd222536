package org.jmatte.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.DeviceBuffer;
import org.jmatte.kernels.Event;
import org.jmatte.kernels.Stream;

/**
 * Times calls by events on a stream, each with a cold second-level cache: before it, a buffer is written that is larger
 * than the cache. That also takes longer than the host needs to queue the call, so the events have the call alone between
 * them.
 */
final class EventTimer implements AutoCloseable {
    /** More than the second-level cache of any card: those of 2025 have up to 126 MB. */
    static final long FLUSHED_BYTES = 256L << 20;

    private static final int WARM_UP_RUNS = 3;

    private final Device device;
    private final int runs;
    private final DeviceBuffer flushed;
    private final Stream stream;
    private final List<Event> events = new ArrayList<>();

    EventTimer(Device device, int runs, long flushedBytes) {
        this.device = device;
        this.runs = runs;
        flushed = device.allocate(flushedBytes);
        stream = device.createStream();
        for (int i = 0; i < 2 * runs; i++) {
            events.add(device.createEvent());
        }
    }

    /** What is timed runs here. */
    Stream stream() {
        return stream;
    }

    /** Microseconds of the runs, ascending. */
    double[] microseconds(Consumer<Stream> call) {
        for (int i = 0; i < WARM_UP_RUNS; i++) {
            call.accept(stream);
        }
        for (int i = 0; i < runs; i++) {
            device.fill(flushed.pointer(), (byte) i, flushed.bytes(), stream);
            stream.record(events.get(2 * i));
            call.accept(stream);
            stream.record(events.get(2 * i + 1));
        }
        stream.synchronize();
        double[] times = new double[runs];
        for (int i = 0; i < runs; i++) {
            times[i] = 1e3 * events.get(2 * i + 1).millisecondsSince(events.get(2 * i));
        }
        Arrays.sort(times);
        return times;
    }

    /** The value that a share of the ascending times does not exceed: 0.5 is the median. */
    static double quantile(double[] times, double share) {
        double at = share * (times.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, times.length - 1);
        return times[below] + (at - below) * (times[above] - times[below]);
    }

    @Override
    public void close() {
        events.forEach(Event::close);
        stream.close();
        flushed.close();
    }
}
