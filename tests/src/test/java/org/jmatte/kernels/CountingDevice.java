package org.jmatte.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A card that computes nothing and counts what is made on it: for tests of what goes on around the kernels. Whatever is
 * copied from it is zero.
 */
public final class CountingDevice extends BaseDevice {
    private static final long TOTAL = 1L << 32;

    private final PlanningDevice planning = new PlanningDevice(80, 100);
    private final AtomicLong made = new AtomicLong();
    private final AtomicLong used = new AtomicLong();
    private final AtomicLong next = new AtomicLong(Arena.ALIGNMENT);

    /** Buffers, streams and events made so far. */
    public long made() {
        return made.get();
    }

    private <T> T made(T one) {
        made.incrementAndGet();
        return one;
    }

    @Override
    public int architecture() {
        return planning.architecture();
    }

    @Override
    public int multiprocessors() {
        return planning.multiprocessors();
    }

    @Override
    public String name() {
        return "counting device";
    }

    @Override
    public long freeBytes() {
        return TOTAL - used.get();
    }

    @Override
    public long totalBytes() {
        return TOTAL;
    }

    @Override
    long allocateMemory(long bytes) {
        used.addAndGet(bytes);
        return made(next.getAndAdd((bytes + Arena.ALIGNMENT - 1) / Arena.ALIGNMENT * Arena.ALIGNMENT));
    }

    @Override
    void releaseMemory(long pointer, long bytes) {
        used.addAndGet(-bytes);
    }

    @Override
    ByteBuffer allocatePageLocked(int bytes) {
        return made(ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder()));
    }

    @Override
    void releasePageLocked(ByteBuffer buffer) {}

    @Override
    void upload(long to, ByteBuffer from, Stream stream) {}

    @Override
    void download(ByteBuffer to, long from, Stream stream) {
        for (int i = to.position(); i < to.limit(); i++) {
            to.put(i, (byte) 0);
        }
    }

    @Override
    void copyWithin(long to, long from, long bytes, Stream stream) {}

    @Override
    void set(long pointer, byte value, long bytes, Stream stream) {}

    @Override
    void run(Launch launch, Stream stream) {}

    @Override
    void waitForAll() {}

    @Override
    void letGo() {}

    @Override
    public Stream defaultStream() {
        return new IdleStream(this);
    }

    @Override
    public Stream createStream() {
        return made(new IdleStream(this));
    }

    @Override
    public Stream wrapStream(long handle) {
        return new IdleStream(this);
    }

    @Override
    public Event createEvent() {
        return made(planning.createEvent());
    }
}
