package org.jmatte.cpu;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jmatte.bindings.cpu.CpuKernels;

/**
 * The worker threads of the process, shared by all callers. A job is cut into tasks whose number and shape do not
 * depend on the threads, and each task runs on one thread from beginning to end: so results do not either.
 */
final class WorkerPool {
    /** Part of a job. */
    @FunctionalInterface
    interface Task {
        /**
         * @param index which part, from 0
         * @param slot which of the job's threads runs it, from 0: names the scratch memory to use
         */
        void run(long index, int slot);
    }

    static final WorkerPool SHARED = new WorkerPool();

    private final ThreadPoolExecutor executor;

    private WorkerPool() {
        int processors = Runtime.getRuntime().availableProcessors();
        executor = new ThreadPoolExecutor(
                processors, processors, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), body -> {
                    Runnable oneThreaded = () -> {
                        CpuKernels.use_one_thread();
                        body.run();
                    };
                    Thread thread = new Thread(oneThreaded, "jmatte-worker");
                    thread.setDaemon(true);
                    return thread;
                });
        executor.allowCoreThreadTimeOut(true);
    }

    /** Threads for a request of {@code threads}, where 0 means one per processor. */
    static int threads(int threads) {
        return threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
    }

    /** Runs the tasks 0 to {@code tasks} - 1 on at most {@code threads} threads; rethrows the first failure. */
    void forEach(long tasks, int threads, Task task) {
        grow(threads);
        int runners = (int) Math.min(tasks, threads);
        AtomicLong next = new AtomicLong();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(runners);
        for (int r = 0; r < runners; r++) {
            int slot = r;
            Runnable runner = () -> {
                try {
                    for (long i; failure.get() == null && (i = next.getAndIncrement()) < tasks; ) {
                        task.run(i, slot);
                    }
                } catch (Throwable t) {
                    failure.compareAndSet(null, t);
                } finally {
                    done.countDown();
                }
            };
            try {
                executor.execute(runner);
            } catch (Throwable t) { // no more threads: those that run already must be waited for
                failure.compareAndSet(null, t);
                done.countDown();
            }
        }
        await(done);
        rethrow(failure.get());
    }

    /** Calls on a worker: oneDNN adapts what it creates to the number of threads of the creating thread. */
    <T> T call(Supplier<T> supplier) {
        AtomicReference<T> result = new AtomicReference<>();
        forEach(1, 1, (index, slot) -> result.set(supplier.get()));
        return result.get();
    }

    private synchronized void grow(int threads) {
        if (threads > executor.getMaximumPoolSize()) {
            executor.setMaximumPoolSize(threads);
            executor.setCorePoolSize(threads);
        }
    }

    /** The tasks use the caller's memory: even an interrupted caller must not leave before they are done. */
    private static void await(CountDownLatch done) {
        boolean interrupted = false;
        while (true) {
            try {
                done.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void rethrow(Throwable failure) {
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
    }
}
