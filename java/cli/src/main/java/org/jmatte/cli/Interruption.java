package org.jmatte.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jmatte.Cancellation;

/**
 * Lets Ctrl-C and {@code kill} stop the work between {@code new Interruption()} and {@link #close()} in good order:
 * the computation is cancelled, and the process waits for files being written, so that none stays half done.
 */
public final class Interruption implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 60;

    private final Cancellation cancellation = new Cancellation();
    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread hook = new Thread(this::interrupt, "interruption");
    private final Runnable tell;

    /** @param tell says that the run was interrupted: at once, for the process ends as soon as the work has stopped */
    public Interruption(Runnable tell) {
        this.tell = tell;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Is cancelled by the interruption. */
    public Cancellation cancellation() {
        return cancellation;
    }

    @Override
    public void close() {
        done.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // the process is ending: the hook runs, and no longer waits
        }
    }

    private void interrupt() {
        cancellation.cancel();
        tell.run();
        try {
            done.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
