package org.jmatte.train.data;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Draws consecutive samples of a source ahead of their use, in threads of its own. */
public final class SampleQueue implements AutoCloseable {
    private final SampleSource source;
    private final ExecutorService workers;
    private final Deque<Future<Sample>> ahead = new ArrayDeque<>();
    private long next;

    /**
     * @param first the index of the first sample
     * @param depth samples to keep ready
     * @param threads that draw them
     */
    public SampleQueue(SampleSource source, long first, int depth, int threads) {
        this.source = source;
        this.next = first;
        workers = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "samples");
            thread.setDaemon(true);
            return thread;
        });
        for (int i = 0; i < depth; i++) {
            draw();
        }
    }

    private void draw() {
        long index = next++;
        ahead.add(workers.submit(() -> source.sample(index)));
    }

    /**
     * The next samples in the order of their indices.
     *
     * @throws InterruptedException if this thread is interrupted while it waits
     */
    public List<Sample> take(int count) throws InterruptedException {
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            draw();
            try {
                samples.add(ahead.remove().get());
            } catch (ExecutionException e) {
                if (e.getCause() instanceof RuntimeException failure) {
                    throw failure;
                }
                throw new IllegalStateException(e.getCause());
            }
        }
        return samples;
    }

    @Override
    public void close() {
        workers.shutdownNow();
    }
}
