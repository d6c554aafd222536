package org.jmatte.cpu;

import java.util.List;

/** Scratch memory that every worker of a job has for itself: regions are reserved first, then taken for all at once. */
final class Scratch {
    private long bytes;
    private long base;

    /** Reserves a region per worker; returns its offset. */
    long reserve(long size) {
        long offset = bytes;
        bytes += Arena.align(size);
        return offset;
    }

    /** One region per worker, large enough for any of these products, which run one after the other. */
    long reserveFor(Rows... products) {
        long most = 0;
        for (Rows product : products) {
            most = Math.max(most, product.scratchBytes());
        }
        return reserve(most);
    }

    /** Takes the reserved regions for every worker from the arena. */
    void take(CpuRun run) {
        takeShared(run, List.of(this));
    }

    /** Takes the same memory for several jobs that run one after the other. */
    static void takeShared(CpuRun run, List<Scratch> scratches) {
        long most = scratches.stream().mapToLong(scratch -> scratch.bytes).max().orElse(0);
        long base = run.arena().take(most * run.threads());
        scratches.forEach(scratch -> scratch.base = base);
    }

    /** The address of a worker's region. */
    long at(int slot, long offset) {
        return base + slot * bytes + offset;
    }
}
