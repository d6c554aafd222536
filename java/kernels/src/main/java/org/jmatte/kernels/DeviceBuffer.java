package org.jmatte.kernels;

/** Device memory from {@link Device#allocate}, aligned to 256 bytes and not cleared; {@link #close} gives it back. */
public final class DeviceBuffer implements AutoCloseable {
    private final long pointer;
    private final long bytes;
    private final Lease lease;

    DeviceBuffer(long pointer, long bytes, Lease lease) {
        this.pointer = pointer;
        this.bytes = bytes;
        this.lease = lease;
    }

    public long pointer() {
        return pointer;
    }

    public long bytes() {
        return bytes;
    }

    /** The front of this memory as a tensor. */
    public Tensor tensor(ElementType type, long... shape) {
        return tensorAt(0, type, shape);
    }

    /** The memory from {@code offset} bytes on as a tensor. */
    public Tensor tensorAt(long offset, ElementType type, long... shape) {
        if (!lease.isLive()) {
            throw new IllegalStateException("this device memory (" + bytes + " bytes) was given back already");
        }
        Tensor tensor = Tensor.wrap(pointer + offset, type, shape);
        if (offset < 0 || tensor.bytes() > bytes - offset) {
            throw new InvalidArgumentException("device buffer: shape: expected at most " + bytes + " bytes, got "
                    + tensor + (offset == 0 ? "" : " at offset " + offset) + ", " + tensor.bytes() + " bytes");
        }
        return tensor;
    }

    /** Waits for work that may use the memory, and gives it back; a second call does nothing. */
    @Override
    public void close() {
        lease.end();
    }
}
