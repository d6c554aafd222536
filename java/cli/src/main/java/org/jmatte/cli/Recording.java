package org.jmatte.cli;

import java.util.ArrayList;
import java.util.List;
import org.jmatte.Plan;
import org.jmatte.RunListener;

/** Writes down what a run tells. */
final class Recording implements RunListener {
    private Plan plan;
    private final List<Stage> stages = new ArrayList<>();
    private final List<Worker> workers = new ArrayList<>();
    private final List<Kernel> kernels = new ArrayList<>();

    /** A stage of the network, from {@code start} to {@code end}. */
    record Stage(Plan.Stage stage, long start, long end) {}

    /** A worker thread's part in the stage of that number. */
    record Worker(int stage, int thread, long tasks, long start, long end) {}

    @Override
    public void begin(Plan settings) {
        plan = settings;
        stages.clear();
        workers.clear();
        kernels.clear();
    }

    @Override
    public void stage(Plan.Stage stage, long start, long end) {
        stages.add(new Stage(stage, start, end));
    }

    @Override
    public void worker(int thread, long tasks, long start, long end) {
        workers.add(new Worker(stages.size(), thread, tasks, start, end));
    }

    @Override
    public void kernel(Kernel kernel) {
        kernels.add(kernel);
    }

    /** Null if nothing had to be computed. */
    Plan plan() {
        return plan;
    }

    List<Stage> stages() {
        return List.copyOf(stages);
    }

    List<Worker> workers() {
        return List.copyOf(workers);
    }

    List<Kernel> kernels() {
        return List.copyOf(kernels);
    }
}
