package org.jmatte.kernels;

/** A mark in the queue of a {@link Stream}, with the time it was passed. */
public interface Event extends AutoCloseable {
    /** The {@code CUevent}. */
    long handle();

    /** Whether the work before the mark is done; true where it was never recorded. */
    boolean isDone();

    /** Waits until the work before the mark is done. */
    void synchronize();

    /** Time from {@code start}'s mark to this one, in milliseconds; waits for both. */
    float millisecondsSince(Event start);

    @Override
    void close();
}
