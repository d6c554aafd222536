package org.jmatte.cli;

import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Works through jobs in order. A job that fails does not stop the others.
 *
 * @param <J> job
 * @param <I> what reading a job gives
 * @param <R> what computing gives
 * @param read of a job
 * @param compute from what was read
 * @param write of what was computed
 * @param failed is told of each job that could not be done, and why; called by several threads
 */
record Pipeline<J, I, R>(
        Function<J, I> read, Compute<I, R> compute, Consumer<R> write, BiConsumer<J, Throwable> failed) {

    /**
     * The middle step.
     *
     * @param <I> what reading a job gives
     * @param <R> what computing gives
     */
    @FunctionalInterface
    interface Compute<I, R> {
        /** Computes from what job {@code index}, counted from 0, gave. */
        R apply(int index, I input);
    }

    /**
     * Runs the jobs, one after the other or as a pipeline.
     *
     * @throws CancellationException if computing was cancelled
     */
    void run(List<J> jobs, boolean sequentially) {
        if (sequentially) {
            runSequentially(jobs);
        } else {
            run(jobs);
        }
    }

    /**
     * Runs the jobs on the calling thread, one after the other, so that nothing of two jobs is in memory at once.
     *
     * @throws CancellationException if computing was cancelled
     */
    void runSequentially(List<J> jobs) {
        for (int i = 0; i < jobs.size(); i++) {
            J job = jobs.get(i);
            try {
                write.accept(compute.apply(i, read.apply(job)));
            } catch (RuntimeException | OutOfMemoryError e) {
                fail(job, e);
            }
        }
    }

    /**
     * Runs the jobs: while one is computed on the calling thread, the next is read and the previous one is written, each
     * on a thread of its own.
     *
     * @throws CancellationException if computing was cancelled; what is being written then is finished first
     */
    void run(List<J> jobs) {
        ExecutorService reader = Executors.newSingleThreadExecutor(task -> new Thread(task, "reader"));
        ExecutorService writer = Executors.newSingleThreadExecutor(task -> new Thread(task, "writer"));
        Future<?> written = CompletableFuture.completedFuture(null);
        try {
            Future<I> ahead = jobs.isEmpty() ? null : reader.submit(() -> read.apply(jobs.get(0)));
            for (int i = 0; i < jobs.size(); i++) {
                J job = jobs.get(i);
                Future<I> input = ahead;
                if (i + 1 < jobs.size()) {
                    J following = jobs.get(i + 1);
                    ahead = reader.submit(() -> read.apply(following));
                }
                try {
                    R result = compute.apply(i, await(input));
                    input = null; // its memory may go while the previous job is still being written
                    await(written);
                    written = writer.submit(() -> write(job, result));
                } catch (RuntimeException | OutOfMemoryError e) {
                    fail(job, e);
                }
            }
        } finally {
            reader.shutdown();
            writer.shutdown();
            await(written);
        }
    }

    private void write(J job, R result) {
        try {
            write.accept(result);
        } catch (RuntimeException | OutOfMemoryError e) {
            fail(job, e);
        }
    }

    private void fail(J job, Throwable e) {
        if (e instanceof CancellationException cancelled) {
            throw cancelled;
        }
        failed.accept(job, e);
    }

    /** A task's outcome; what it threw is thrown here. */
    private static <T> T await(Future<T> task) {
        try {
            return task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException exception) {
                throw exception;
            }
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw new IllegalStateException(e.getCause());
        }
    }
}
