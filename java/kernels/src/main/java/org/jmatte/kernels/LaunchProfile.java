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
    /** Of a millisecond. */
    private static final double NANOS = 1e6;

    private final Device device;
    /** The one whose launches are written down; null for all. */
    private final Stream only;
    /** Where times are taken, the profile's opening; else null. */
    private final Event opening;

    private final long opened;
    private final List<Timed> launches = new ArrayList<>();

    private LaunchProfile(Device device, Stream only, Event opening) {
        this.device = device;
        this.only = only;
        this.opening = opening;
        if (opening != null) {
            (only == null ? device.defaultStream() : only).record(opening);
            opening.synchronize();
        }
        opened = System.nanoTime();
        device.addHook(this);
    }

    /** Operators, kernels, grids, FLOPs and bytes. */
    public static LaunchProfile counting(Device device) {
        return new LaunchProfile(device, null, null);
    }

    /** The same and the times, for which every launch takes two events until the profile is closed. */
    public static LaunchProfile timing(Device device) {
        return new LaunchProfile(device, null, device.createEvent());
    }

    /** {@link #timing(Device)} of one stream's launches; waits for what is queued on it. */
    public static LaunchProfile timing(Device device, Stream stream) {
        return new LaunchProfile(device, stream, device.createEvent());
    }

    /**
     * One launch.
     *
     * @param queued when the host began to queue it, as {@link System#nanoTime}
     * @param launched when the host was done with that
     * @param started when the device began, on the same clock; 0 where no times were asked for
     * @param milliseconds how long the device took; NaN where that was not asked for
     */
    public record Entry(Launch launch, long queued, long launched, long started, double milliseconds) {}

    /** The launches so far; waits for them if they are timed. */
    public synchronized List<Entry> entries() {
        List<Entry> entries = new ArrayList<>();
        Event before = opening;
        double passed = 0; // summed up from one event to the next: a float has too few digits for a long run
        for (Timed timed : launches) {
            if (opening == null) {
                entries.add(new Entry(timed.launch, timed.queued, timed.launched, 0, Double.NaN));
                continue;
            }
            passed += timed.start.millisecondsSince(before);
            long started = opened + Math.round(passed * NANOS);
            double milliseconds = timed.end.millisecondsSince(timed.start);
            entries.add(new Entry(timed.launch, timed.queued, timed.launched, started, milliseconds));
            passed += milliseconds;
            before = timed.end;
        }
        return entries;
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
        if (only != null && stream != only) {
            run.run();
            return;
        }
        long queued = System.nanoTime();
        if (opening == null) {
            run.run();
            add(launch, null, null, queued);
            return;
        }
        Event start = device.createEvent();
        Event end = device.createEvent();
        try {
            stream.record(start);
            run.run();
            stream.record(end);
        } catch (RuntimeException e) {
            start.close();
            end.close();
            throw e;
        }
        add(launch, start, end, queued);
    }

    private synchronized void add(Launch launch, Event start, Event end, long queued) {
        launches.add(new Timed(launch, start, end, queued, System.nanoTime()));
    }

    /** Ends the profile; what was written down goes with it. */
    @Override
    public synchronized void close() {
        device.removeHook(this);
        if (opening != null) {
            opening.close();
            for (Timed timed : launches) {
                timed.start.close();
                timed.end.close();
            }
        }
        launches.clear();
    }

    /** The events are null where no time is taken. */
    private record Timed(Launch launch, Event start, Event end, long queued, long launched) {}
}
