package org.jmatte.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A device that runs nothing and counts what is asked of it. What walks over it checks its arguments as on a card and
 * says what it would take, with neither data nor a card. Its addresses lead nowhere.
 */
public final class PlanningDevice extends BaseDevice {
    /** Ranges of addresses, so far apart that nothing planned overlaps; used again after very many. */
    private static final int RANGE_BITS = 44;

    private static final long RANGES = 1 << 16;
    private static final AtomicLong NEXT_RANGE = new AtomicLong();

    private static final String NAME = "planning device";

    private final int architecture;
    private final int multiprocessors;
    private final Stream stream = new IdleStream(this);
    private long next = range();
    private long launches;
    private long flops;
    private long movedBytes;

    /**
     * @param architecture of the card that is planned for, such as 75
     * @param multiprocessors that card's
     */
    public PlanningDevice(int architecture, int multiprocessors) {
        this.architecture = architecture;
        this.multiprocessors = multiprocessors;
    }

    /** The start of addresses that nobody else uses. */
    static long range() {
        return 1 + NEXT_RANGE.getAndIncrement() % RANGES << RANGE_BITS;
    }

    /** How many kernels were launched. */
    public long launches() {
        return launches;
    }

    /** Floating-point operations of all launches. */
    public long flops() {
        return flops;
    }

    /** Bytes that the launches must read and write at least once. */
    public long movedBytes() {
        return movedBytes;
    }

    @Override
    public int architecture() {
        return architecture;
    }

    @Override
    public int multiprocessors() {
        return multiprocessors;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public long freeBytes() {
        return Long.MAX_VALUE;
    }

    @Override
    public long totalBytes() {
        return Long.MAX_VALUE;
    }

    @Override
    long allocateMemory(long bytes) {
        long pointer = next;
        next += (bytes + Arena.ALIGNMENT - 1) / Arena.ALIGNMENT * Arena.ALIGNMENT;
        return pointer;
    }

    @Override
    void releaseMemory(long pointer, long bytes) {}

    @Override
    ByteBuffer allocatePageLocked(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    void releasePageLocked(ByteBuffer buffer) {}

    @Override
    void upload(long to, ByteBuffer from, Stream on) {}

    @Override
    void download(ByteBuffer to, long from, Stream on) {}

    @Override
    void copyWithin(long to, long from, long bytes, Stream on) {}

    @Override
    void set(long pointer, byte value, long bytes, Stream on) {}

    @Override
    void run(Launch launch, Stream on) {
        if (!launch.isEmpty()) {
            launches++;
            flops += launch.flops();
            movedBytes += launch.bytes();
        }
    }

    @Override
    void waitForAll() {}

    @Override
    void letGo() {}

    @Override
    public Stream defaultStream() {
        return stream;
    }

    @Override
    public Stream createStream() {
        return stream;
    }

    @Override
    public Stream wrapStream(long handle) {
        return stream;
    }

    @Override
    public Event createEvent() {
        return new Mark();
    }

    private static final class Mark implements Event {
        @Override
        public long handle() {
            return 0;
        }

        @Override
        public boolean isDone() {
            return true;
        }

        @Override
        public void synchronize() {}

        @Override
        public float millisecondsSince(Event start) {
            return 0;
        }

        @Override
        public void close() {}
    }
}
