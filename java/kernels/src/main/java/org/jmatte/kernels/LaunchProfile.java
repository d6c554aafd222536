package org.jmatte.kernels;

import java.util.ArrayList;
import java.util.List;

/**
 * Writes down a device's launches from its opening to its closing, in their order, and on request how long each kernel
 * took. Times are those between two events around the launch, so they are a kernel's own where nothing runs beside its
 * stream and the host keeps ahead of the device.
 *
 * <pre>{@code
 * try (LaunchProfile profile = LaunchProfile.timing(device)) {
 *     LayerNorm.run(device, out, x, weight, bias, 1e-6f, stream);
 *     for (LaunchProfile.Entry entry : profile.entries()) {
 *         System.out.println(entry.launch().kernel() + ": " + entry.milliseconds() + " ms");
 *     }
 * }
 * }</pre>
 */
public final class LaunchProfile implements LaunchHook, AutoCloseable {
    private final Device device;
    private final boolean timing;
    private final List<Timed> launches = new ArrayList<>();

    private LaunchProfile(Device device, boolean timing) {
        this.device = device;
        this.timing = timing;
        device.addHook(this);
    }

    /** Operators, kernels, grids, FLOPs and bytes. */
    public static LaunchProfile counting(Device device) {
        return new LaunchProfile(device, false);
    }

    /** The same and the times, for which every launch takes two events until the profile is closed. */
    public static LaunchProfile timing(Device device) {
        return new LaunchProfile(device, true);
    }

    /**
     * One launch.
     *
     * @param milliseconds how long it took; NaN where that was not asked for
     */
    public record Entry(Launch launch, double milliseconds) {}

    /** The launches so far; waits for them if they are timed. */
    public synchronized List<Entry> entries() {
        return launches.stream().map(Timed::entry).toList();
    }

    /** Floating-point operations of all launches so far. */
    public synchronized long flops() {
        return launches.stream().mapToLong(timed -> timed.launch.flops()).sum();
    }

    /** Bytes that the launches so far must read and write at least once, each by itself. */
    public synchronized long bytes() {
        return launches.stream().mapToLong(timed -> timed.launch.bytes()).sum();
    }

    @Override
    public void launch(Launch launch, Stream stream, Runnable run) {
        if (!timing) {
            run.run();
            add(new Timed(launch, null, null));
            return;
        }
        Timed timed = new Timed(launch, device.createEvent(), device.createEvent());
        try {
            stream.record(timed.start);
            run.run();
            stream.record(timed.end);
        } catch (RuntimeException e) {
            timed.close();
            throw e;
        }
        add(timed);
    }

    private synchronized void add(Timed timed) {
        launches.add(timed);
    }

    /** Ends the profile; what was written down goes with it. */
    @Override
    public synchronized void close() {
        device.removeHook(this);
        launches.forEach(Timed::close);
        launches.clear();
    }

    /** The events are null where no time is taken. */
    private record Timed(Launch launch, Event start, Event end) {
        Entry entry() {
            return new Entry(launch, start == null ? Double.NaN : end.millisecondsSince(start));
        }

        void close() {
            if (start != null) {
                start.close();
                end.close();
            }
        }
    }
}
