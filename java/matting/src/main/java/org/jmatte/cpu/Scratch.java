package org.jmatte.cpu;

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
    Scratch take(CpuRun run) {
        base = run.arena().take(bytes * run.threads());
        return this;
    }

    /** The address of a worker's region. */
    long at(int slot, long offset) {
        return base + slot * bytes + offset;
    }
}
