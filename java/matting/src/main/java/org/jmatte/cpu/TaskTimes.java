package org.jmatte.cpu;

import org.jmatte.RunListener;

/** Tasks of a job, and from when to when each of the job's threads was busy with them. */
final class TaskTimes implements WorkerPool.Task {
    private final WorkerPool.Task task;
    private final Busy[] threads;

    /** Written by one thread, read when the job is done. */
    private static final class Busy {
        private long tasks;
        private long start;
        private long end;
    }

    TaskTimes(WorkerPool.Task task, int threads) {
        this.task = task;
        this.threads = new Busy[threads];
    }

    @Override
    public void run(long index, int slot) {
        if (threads[slot] == null) {
            threads[slot] = new Busy();
            threads[slot].start = System.nanoTime();
        }
        task.run(index, slot);
        threads[slot].tasks++;
        threads[slot].end = System.nanoTime();
    }

    /** Once the job is done. */
    void tell(RunListener listener) {
        for (int slot = 0; slot < threads.length; slot++) {
            Busy thread = threads[slot];
            if (thread != null) {
                listener.worker(slot, thread.tasks, thread.start, thread.end);
            }
        }
    }
}
