package org.jmatte.gpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jmatte.kernels.Arena;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.DeviceException;
import org.jmatte.kernels.Graph;
import org.jmatte.kernels.PlanningDevice;
import org.jmatte.kernels.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Work of a lane that comes again and again: done as it is at first, which loads its kernels, captured the second time, and
 * replayed from then on.
 */
final class Graphs {
    private static final Logger LOG = LoggerFactory.getLogger(Graphs.class);

    /** Sizes that a batch goes back and forth between. */
    private static final int MOST = 4;

    /** What a launch takes the host. */
    private static final double LAUNCH_SECONDS = 5e-6;
    /** Of a multiprocessor, on middling cards: bytes to and from memory, and operations of matrix units. */
    private static final double BYTES_PER_SECOND = 10e9;

    private static final double FLOPS_PER_SECOND = 1e12;

    private final Device device;
    private final Stream stream;
    /** The least recently made first. */
    private final Map<List<?>, Captured> known = new LinkedHashMap<>();

    Graphs(Device device, Stream stream) {
        this.device = device;
        this.stream = stream;
    }

    /**
     * Work that was done before.
     *
     * @param graph null if it was not captured yet
     * @param peak bytes of the arena that it takes
     */
    private record Captured(Graph graph, long peak) {}

    /**
     * Whether the host would take longer to launch what a plan counted than a card to do it. MEMatte S's encoder comes to
     * 1 ms of launches; 68 multiprocessors do it in about 0.8 ms at 512x512, and in 17 ms at 2160x3840.
     */
    static boolean pay(PlanningDevice plan) {
        double least = Math.max(plan.movedBytes() / BYTES_PER_SECOND, plan.flops() / FLOPS_PER_SECOND);
        return plan.launches() * LAUNCH_SECONDS > least / plan.multiprocessors();
    }

    /**
     * Queues work.
     *
     * @param key equal for work that is the same, on the same memory
     * @param arena that the work takes memory from, and gives all of it back
     */
    void run(List<?> key, Arena arena, Runnable work) {
        if (!device.hasGraphs()) { // any more: somebody listens to launches, which a graph would pass by
            work.run();
            return;
        }
        Captured before = known.get(key);
        if (before == null) {
            work.run();
            remember(key, new Captured(null, arena.peak()));
            return;
        }
        Graph graph = before.graph == null ? capture(key, arena, work) : before.graph;
        if (graph == null) {
            work.run();
        } else {
            graph.launch(stream);
            arena.notePeak(before.peak);
        }
    }

    /** The work as a graph, or null if it cannot be captured. */
    private Graph capture(List<?> key, Arena arena, Runnable work) {
        long mark = arena.mark();
        try {
            Graph graph = device.capture(stream, work);
            remember(key, new Captured(graph, arena.peak()));
            return graph;
        } catch (DeviceException | UnsupportedOperationException e) { // the latter if somebody listens just now
            LOG.warn("launched one by one, since no graph could be made: {}", e.getMessage());
            arena.release(mark);
            return null;
        }
    }

    private void remember(List<?> key, Captured work) {
        known.put(key, work);
        if (known.size() > MOST) {
            List<?> oldest = known.keySet().iterator().next();
            close(known.remove(oldest));
        }
    }

    /** Forgets all, for the memory is another from now on. */
    void clear() {
        new ArrayList<>(known.values()).forEach(Graphs::close);
        known.clear();
    }

    private static void close(Captured work) {
        if (work.graph != null) {
            work.graph.close();
        }
    }
}
