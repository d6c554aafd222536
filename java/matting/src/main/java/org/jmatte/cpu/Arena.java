package org.jmatte.cpu;

import org.bytedeco.javacpp.Pointer;
import org.jmatte.bindings.cpu.CpuKernels;

/**
 * All activations of one run: a stack of regions in one block of native memory. The same sequence of calls on an arena
 * without memory tells beforehand how large that block must be.
 */
final class Arena implements AutoCloseable {
    private static final long ALIGNMENT = 64;

    private final Pointer block;
    private final long start;
    private final long capacity;
    private long used;
    private long peak;

    private Arena(Pointer block, long start, long capacity) {
        this.block = block;
        this.start = start;
        this.capacity = capacity;
    }

    /** Without memory: its addresses must not be used. */
    static Arena planning() {
        return new Arena(null, 0, Long.MAX_VALUE);
    }

    /** @throws OutOfMemoryError if the system does not give that much */
    static Arena of(long bytes) {
        Pointer block = Pointer.malloc(bytes + ALIGNMENT);
        if (block == null || block.isNull()) {
            throw new OutOfMemoryError("no " + bytes + " bytes of native memory for the activations; "
                    + "give a memory budget, fewer tokens or a smaller photo");
        }
        CpuKernels.use_huge_pages(block.address(), bytes + ALIGNMENT);
        return new Arena(block, align(block.address()), bytes);
    }

    static long align(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** The address of {@code bytes} more bytes, 64-byte aligned and not initialised. */
    long take(long bytes) {
        long address = start + used;
        used += align(bytes);
        if (used > capacity) {
            throw new IllegalStateException(
                    "the arena was planned with " + capacity + " bytes, " + used + " are needed");
        }
        peak = Math.max(peak, used);
        return address;
    }

    /** A mark that {@link #release} returns to. */
    long mark() {
        return used;
    }

    void release(long mark) {
        used = mark;
    }

    /** Most bytes ever taken at once. */
    long peak() {
        return peak;
    }

    @Override
    public void close() {
        if (block != null) {
            Pointer.free(block);
        }
    }
}
