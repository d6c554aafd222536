package org.jmatte.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jmatte.RunListener.Kernel;

/**
 * A profile in the trace event format, which Perfetto and chrome://tracing show: the host with its worker threads, the
 * device with stages and kernels, and the memory in use. Times are microseconds since the matte was asked for.
 *
 * @param traceEvents in no particular order
 */
record ChromeTrace(
        @JsonProperty("traceEvents") List<Event> traceEvents, @JsonProperty("displayTimeUnit") String displayTimeUnit) {
    private static final int HOST = 1;
    private static final int DEVICE = 2;
    private static final int CALLER = 1;
    /** The device's stream, or the first worker. */
    private static final int FIRST = 2;

    private static final double MICRO = 1e-3; // nanoseconds

    /**
     * One event.
     *
     * @param ph its kind: X for a span, C for a counter's value, M for a name
     * @param ts when it begins
     * @param dur of a span, else null
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Event(String name, String cat, String ph, double ts, Double dur, int pid, int tid, Map<String, ?> args) {}

    static ChromeTrace of(Profile profile) {
        List<Event> events = new ArrayList<>();
        events.add(naming("process_name", HOST, CALLER, "host"));
        events.add(naming("thread_name", HOST, CALLER, "caller"));
        Map<String, ?> what =
                Map.of("model", profile.model(), "dtype", profile.dtype(), "backend", Main.word(profile.backend()));
        events.add(span(profile, "matte", "run", profile.start(), profile.end(), CALLER, what));
        for (Recording.Stage stage : profile.stages()) {
            events.add(span(
                    profile, stage.stage().name(), "stage", stage.start(), stage.end(), CALLER, work(profile, stage)));
        }
        if (profile.ofKernels()) {
            kernels(profile, events);
        } else {
            workers(profile, events);
        }
        memory(profile, events);
        return new ChromeTrace(events, "ms");
    }

    private static void workers(Profile profile, List<Event> events) {
        TreeSet<Integer> threads = new TreeSet<>();
        for (Recording.Worker worker : profile.workers()) {
            threads.add(worker.thread());
            String stage = profile.stages().get(worker.stage()).stage().name();
            events.add(span(
                    profile,
                    stage,
                    "worker",
                    worker.start(),
                    worker.end(),
                    FIRST + worker.thread(),
                    Map.of("tasks", worker.tasks())));
        }
        threads.forEach(thread -> events.add(naming("thread_name", HOST, FIRST + thread, "worker " + thread)));
    }

    private static void kernels(Profile profile, List<Event> events) {
        events.add(naming(
                "process_name", DEVICE, FIRST, profile.emulated() ? "emulated device (the host's times)" : "device"));
        events.add(naming("thread_name", DEVICE, FIRST, "stream"));
        for (Kernel kernel : profile.kernels()) {
            Map<String, ?> work = Map.of("kernel", kernel.name(), "flops", kernel.flops(), "bytes", kernel.bytes());
            events.add(span(
                    profile,
                    "launch " + kernel.operator(),
                    "launch",
                    kernel.queued(),
                    kernel.launched(),
                    CALLER,
                    work));
            events.add(device(profile, kernel.operator(), "kernel", kernel.start(), kernel.end(), work));
        }
        for (Recording.Stage stage : profile.stages()) {
            if (!profile.kernels(stage).isEmpty()) {
                Profile.Span ran = profile.ran(stage);
                events.add(
                        device(profile, stage.stage().name(), "stage", ran.start(), ran.end(), work(profile, stage)));
            }
        }
    }

    private static void memory(Profile profile, List<Event> events) {
        int process = profile.ofKernels() ? DEVICE : HOST;
        for (Recording.Stage stage : profile.stages()) {
            events.add(memory(profile, profile.ran(stage).start(), stage.stage().arenaBytes(), process));
        }
        events.add(memory(profile, profile.end(), 0, process));
    }

    private static Event memory(Profile profile, long time, long activations, int process) {
        Map<String, ?> bytes = Map.of("weights", profile.plan().weightsBytes(), "activations", activations);
        return new Event("memory", "memory", "C", (time - profile.start()) * MICRO, null, process, CALLER, bytes);
    }

    private static Map<String, ?> work(Profile profile, Recording.Stage stage) {
        Profile.Operator work = profile.work(stage);
        return Map.of(
                "flops",
                work.flops(),
                "bytes",
                work.bytes(),
                "arena_bytes",
                stage.stage().arenaBytes());
    }

    private static Event device(
            Profile profile, String name, String category, long start, long end, Map<String, ?> arguments) {
        return span(profile, name, category, start, end, DEVICE, FIRST, arguments);
    }

    private static Event span(
            Profile profile, String name, String category, long start, long end, int thread, Map<String, ?> arguments) {
        return span(profile, name, category, start, end, HOST, thread, arguments);
    }

    private static Event span(
            Profile profile,
            String name,
            String category,
            long start,
            long end,
            int process,
            int thread,
            Map<String, ?> arguments) {
        double from = (start - profile.start()) * MICRO;
        return new Event(name, category, "X", from, (end - start) * MICRO, process, thread, arguments);
    }

    private static Event naming(String kind, int process, int thread, String name) {
        return new Event(kind, "__metadata", "M", 0, null, process, thread, Map.of("name", name));
    }
}
