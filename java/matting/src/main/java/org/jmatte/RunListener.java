package org.jmatte;

/**
 * Hears what a run does and how long it takes, for profiles: {@link MatteRequest#withRunListener}. Called on the thread
 * that asked for the matte. Times are those of {@link System#nanoTime}.
 */
public interface RunListener {
    /**
     * The run begins; if it begins once more, since memory or numbers did not suffice, what was heard before is void.
     *
     * @param plan what it should need, with the settings that it really has
     */
    void begin(Plan plan);

    /**
     * A stage of the network is over; on a card, it is queued.
     *
     * @param stage its work as counted in this run, for the processor; on a card the kernels have it, and these are 0
     */
    void stage(Plan.Stage stage, long start, long end);

    /**
     * A worker thread had part in a stage that is not over yet.
     *
     * @param thread from 0
     * @param tasks how many of the stage's tasks it did
     */
    void worker(int thread, long tasks, long start, long end);

    /** A kernel has run, in the order of their launches; all are told of after the last stage. */
    void kernel(Kernel kernel);

    /**
     * One kernel launch.
     *
     * @param operator the kernel's file
     * @param name the entry point
     * @param flops useful floating-point operations
     * @param bytes bytes to be read and written at least
     * @param queued when the host began to queue it
     * @param launched when the host was done with that
     * @param start when the device began, on the host's clock
     * @param end when the device was done
     */
    record Kernel(
            String operator, String name, long flops, long bytes, long queued, long launched, long start, long end) {}
}
