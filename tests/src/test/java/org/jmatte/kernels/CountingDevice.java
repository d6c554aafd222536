package org.jmatte.kernels;

import java.nio.ByteBuffer;

/** A device with the properties of a card and nothing behind it: calls are checked and counted, and do nothing. */
public final class CountingDevice extends BaseDevice {
    private static final long FIRST_ADDRESS = 1L << 40;
    private static final long ALIGNMENT = 256;

    private final int architecture;
    private final int multiprocessors;
    private final Stream stream = new NoStream(this);
    private long next = FIRST_ADDRESS;

    public CountingDevice(int architecture, int multiprocessors) {
        this.architecture = architecture;
        this.multiprocessors = multiprocessors;
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
        return "counting sm_" + architecture;
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
        throw new UnsupportedOperationException("nothing takes time here");
    }

    @Override
    long allocateMemory(long bytes) {
        long pointer = next;
        next += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        return pointer;
    }

    @Override
    void releaseMemory(long pointer, long bytes) {}

    @Override
    ByteBuffer allocatePageLocked(int bytes) {
        return ByteBuffer.allocateDirect(bytes);
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
    void run(Launch launch, Stream on) {}

    @Override
    void waitForAll() {}

    @Override
    void letGo() {}

    private record NoStream(Device device) implements Stream {
        @Override
        public long handle() {
            return 0;
        }

        @Override
        public void synchronize() {}

        @Override
        public boolean isDone() {
            return true;
        }

        @Override
        public void record(Event event) {}

        @Override
        public void await(Event event) {}

        @Override
        public void close() {}
    }
}
