package org.jmatte.kernels;

/**
 * A stack of tensors in one piece of device memory. The same sequence of calls on a {@link PlanningDevice} tells
 * beforehand how large that piece must be; so memory is planned, and allocated once.
 *
 * <p>Not thread-safe. Memory that was released may be taken again for work on the same stream, which runs in order.
 */
public final class Arena {
    /** What every tensor starts at a multiple of. */
    public static final long ALIGNMENT = 256;

    private final long start;
    private final long capacity;
    private long used;
    private long peak;
    private long stagePeak;

    private Arena(long start, long capacity) {
        this.start = start;
        this.capacity = capacity;
    }

    /** In memory that the caller owns. */
    public static Arena of(DeviceBuffer memory) {
        return new Arena(memory.pointer(), memory.bytes());
    }

    /** Without memory and without end: for walks on a {@link PlanningDevice}. */
    public static Arena planning() {
        return new Arena(PlanningDevice.range(), Long.MAX_VALUE);
    }

    /**
     * Takes memory for a tensor, not initialised.
     *
     * @throws IllegalStateException if more is taken than was planned
     */
    public Tensor take(ElementType type, long... shape) {
        Tensor tensor = Tensor.wrap(start + used, type, shape);
        used += (tensor.bytes() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (used > capacity) {
            throw new IllegalStateException(
                    "the arena was planned with " + capacity + " bytes, " + used + " are needed");
        }
        peak = Math.max(peak, used);
        stagePeak = Math.max(stagePeak, used);
        return tensor;
    }

    /** A mark that {@link #release} returns to. */
    public long mark() {
        return used;
    }

    /** Gives back all that was taken since the mark. */
    public void release(long mark) {
        used = mark;
    }

    /** Most bytes ever taken at once. */
    public long peak() {
        return peak;
    }

    /** Counts bytes that replayed work takes at once. */
    public void notePeak(long bytes) {
        peak = Math.max(peak, bytes);
    }

    /** Lets {@link #stagePeak} count from what is taken now. */
    public void beginStage() {
        stagePeak = used;
    }

    /** Most bytes taken at once since {@link #beginStage}. */
    public long stagePeak() {
        return stagePeak;
    }
}
