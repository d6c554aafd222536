package org.jmatte.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jmatte.Backend;
import org.jmatte.InvalidInputException;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.Matting;
import org.jmatte.Plan;
import org.jmatte.Roofline;
import org.jmatte.RunListener.Kernel;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;

/**
 * One matte, and where its time and memory went. Times are {@link System#nanoTime}; on a card, stages are those of the
 * host, which only queues them.
 *
 * @param model the network's name
 * @param dtype of the operands
 * @param start when the matte was asked for
 * @param end when it was there
 * @param plan what it should need
 * @param stages of the network, one after the other
 * @param workers parts of the processor's threads in the stages; empty on a card
 * @param kernels what a card or the emulator ran, one after the other; empty on the processor
 * @param roofline what the machine reaches; empty for the emulator
 */
record Profile(
        String model,
        String dtype,
        Backend backend,
        Matte matte,
        long start,
        long end,
        Plan plan,
        List<Recording.Stage> stages,
        List<Recording.Worker> workers,
        List<Kernel> kernels,
        Optional<Roofline> roofline) {
    private static final double NANO = 1e-9;

    /**
     * What one kind of work took in all: on the processor a sub-layer of the network, elsewhere a kernel.
     *
     * @param seconds on the device, or of the stages
     * @param flops floating-point operations, counted by the operator itself
     * @param bytes that it must read and write, likewise
     */
    record Operator(String name, int calls, double seconds, long flops, long bytes) {
        private Operator and(Operator other) {
            return new Operator(
                    name, calls + other.calls, seconds + other.seconds, flops + other.flops, bytes + other.bytes);
        }

        double flopsPerSecond() {
            return flops / seconds;
        }

        double bytesPerSecond() {
            return bytes / seconds;
        }

        /** The least time for its work, per the time it took. */
        double shareOf(Roofline roofline) {
            return roofline.seconds(flops, bytes) / seconds;
        }
    }

    /**
     * Profiles a matte.
     *
     * @param dtype of the operands
     * @throws InvalidInputException if the trimap leaves nothing to compute
     */
    static Profile of(Matting matting, Photo photo, Trimap trimap, MatteRequest request, String dtype) {
        Recording recording = new Recording();
        long start = System.nanoTime();
        Matte matte = matting.matte(photo, trimap, request.withRunListener(recording));
        long end = System.nanoTime();
        if (recording.plan() == null) {
            throw new InvalidInputException(
                    "trimap: every pixel is known, so there is nothing to compute and to profile; choose another one");
        }
        return new Profile(
                matting.architecture().name(),
                dtype,
                matting.backend(),
                matte,
                start,
                end,
                recording.plan(),
                recording.stages(),
                recording.workers(),
                recording.kernels(),
                matting.roofline());
    }

    double seconds() {
        return (end - start) * NANO;
    }

    /** Whether operators are kernels. */
    boolean ofKernels() {
        return !kernels.isEmpty();
    }

    boolean emulated() {
        return backend == Backend.EMULATED;
    }

    /** Seconds since the matte was asked for. */
    double since(long time) {
        return (time - start) * NANO;
    }

    /** The operators, that which took longest first. */
    List<Operator> operators() {
        Map<String, Operator> byName = new LinkedHashMap<>();
        List<Operator> calls = ofKernels()
                ? kernels.stream().map(Profile::call).toList()
                : stages.stream().map(Profile::call).toList();
        calls.forEach(call -> byName.merge(call.name(), call, Operator::and));
        List<Operator> operators = new ArrayList<>(byName.values());
        operators.sort((a, b) -> Double.compare(b.seconds(), a.seconds()));
        return operators;
    }

    private static Operator call(Kernel kernel) {
        double seconds = (kernel.end() - kernel.start()) * NANO;
        return new Operator(kernel.operator(), 1, seconds, kernel.flops(), kernel.bytes());
    }

    private static Operator call(Recording.Stage stage) {
        Plan.Stage work = stage.stage();
        double seconds = (stage.end() - stage.start()) * NANO;
        return new Operator(operator(work.name()), 1, seconds, work.flops(), work.movedBytes());
    }

    /** A stage's name without the number of its block, segment or pyramid. */
    static String operator(String stage) {
        return stage.replaceFirst("^(block|segment) \\d+ ", "").replaceFirst(" \\d+$", "");
    }

    /** The kernels that a stage queued. */
    List<Kernel> kernels(Recording.Stage stage) {
        return kernels.stream()
                .filter(kernel -> kernel.queued() >= stage.start() && kernel.launched() <= stage.end())
                .toList();
    }

    /** From when to when something ran. */
    record Span(long start, long end) {}

    /** When a stage ran: on a card from its first kernel to its last, which the host queued before. */
    Span ran(Recording.Stage stage) {
        List<Kernel> own = kernels(stage);
        return own.isEmpty()
                ? new Span(stage.start(), stage.end())
                : new Span(own.get(0).start(), own.get(own.size() - 1).end());
    }

    /** What a stage did: the processor's own count, or that of its kernels. */
    Operator work(Recording.Stage stage) {
        Operator none = new Operator(stage.stage().name(), 0, 0, 0, 0);
        return ofKernels()
                ? kernels(stage).stream().map(Profile::call).reduce(none, Operator::and)
                : none.and(call(stage));
    }

    /** Seconds of the matte in which no operator ran: planning, image layout, copies and waiting. */
    double outside() {
        return seconds() - operators().stream().mapToDouble(Operator::seconds).sum();
    }
}
