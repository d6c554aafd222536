package org.jmatte.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Works through jobs, begun in order. A job that fails does not stop the others.
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
        Function<J, I> read, Function<I, R> compute, Consumer<R> write, BiConsumer<J, Throwable> failed) {

    /** How many jobs are read, computed and written at a time; as many as that together are in memory. */
    enum Overlap {
        /** One job after the other on the calling thread, so that nothing of two is in memory at once. */
        NONE(0, 0, 0),
        /** One each, in order. */
        STEPS(1, 1, 1),
        /**
         * A card computes faster than one processor reads and writes pictures: half of them do either. Of three that are
         * computed two are on the card, and one waits at its door or has the foreground's colours estimated.
         */
        CARD(files(), 3, files());

        private final int readers;
        private final int computers;
        private final int writers;

        Overlap(int readers, int computers, int writers) {
            this.readers = readers;
            this.computers = computers;
            this.writers = writers;
        }

        /** For pictures are large: more would take more memory than they save time. */
        private static int files() {
            return Math.max(1, Math.min(Runtime.getRuntime().availableProcessors() / 2, 4));
        }
    }

    /**
     * Runs the jobs.
     *
     * @throws CancellationException if computing was cancelled; what is being written then is finished first
     */
    void run(List<J> jobs, Overlap overlap) {
        if (overlap == Overlap.NONE) {
            runSequentially(jobs);
        } else {
            new Overlapped(overlap).run(jobs);
        }
    }

    private void runSequentially(List<J> jobs) {
        for (J job : jobs) {
            try {
                write.accept(compute.apply(read.apply(job)));
            } catch (CancellationException e) {
                throw e;
            } catch (RuntimeException | OutOfMemoryError e) {
                failed.accept(job, e);
            }
        }
    }

    /** A run on several threads. */
    private final class Overlapped {
        private final ExecutorService readers;
        private final ExecutorService computers;
        private final ExecutorService writers;
        /** Jobs that may be begun. */
        private final Semaphore room;
        /** What ends the run early. */
        private final AtomicReference<Throwable> end = new AtomicReference<>();

        Overlapped(Overlap overlap) {
            readers = threads(overlap.readers, "reader");
            computers = threads(overlap.computers, "computer");
            writers = threads(overlap.writers, "writer");
            room = new Semaphore(overlap.readers + overlap.computers + overlap.writers);
        }

        private static ExecutorService threads(int count, String name) {
            return Executors.newFixedThreadPool(count, task -> new Thread(task, name));
        }

        void run(List<J> jobs) {
            List<CompletableFuture<?>> begun = new ArrayList<>();
            try {
                for (J job : jobs) {
                    room.acquire();
                    if (end.get() != null) {
                        break;
                    }
                    begun.removeIf(CompletableFuture::isDone);
                    begun.add(begin(job));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                end.compareAndSet(null, new CancellationException("interrupted"));
            }
            try {
                CompletableFuture.allOf(begun.toArray(CompletableFuture[]::new)).join();
            } finally {
                List.of(readers, computers, writers).forEach(ExecutorService::shutdown);
            }
            if (end.get() instanceof RuntimeException cancelled) {
                throw cancelled;
            }
            if (end.get() instanceof Error error) {
                throw error;
            }
        }

        private CompletableFuture<?> begin(J job) {
            return CompletableFuture.supplyAsync(() -> unlessEnded(read, job), readers)
                    .thenApplyAsync(input -> unlessEnded(compute, input), computers)
                    .thenAcceptAsync(write, writers)
                    .exceptionally(e -> {
                        fail(job, e instanceof CompletionException wrapped ? wrapped.getCause() : e);
                        return null;
                    })
                    .whenComplete((nothing, e) -> room.release());
        }

        private <A, B> B unlessEnded(Function<A, B> step, A input) {
            if (end.get() != null) {
                throw new CancellationException("ended early");
            }
            try {
                return step.apply(input);
            } catch (CancellationException e) {
                end.compareAndSet(null, e);
                throw e;
            }
        }

        private void fail(J job, Throwable e) {
            if (e instanceof CancellationException || e instanceof Error && !(e instanceof OutOfMemoryError)) {
                end.compareAndSet(null, e);
            } else {
                failed.accept(job, e);
            }
        }
    }
}
