package org.jmatte;

import java.util.concurrent.CancellationException;

/** Stops a running matte from another thread, within a fraction of a stage. */
public final class Cancellation {
    private volatile boolean cancelled;

    public void cancel() {
        cancelled = true;
    }

    public boolean isCancelled() {
        return cancelled;
    }

    /** @throws CancellationException if {@link #cancel()} was called */
    public void check() {
        if (cancelled) {
            throw new CancellationException("the matte was cancelled");
        }
    }
}
