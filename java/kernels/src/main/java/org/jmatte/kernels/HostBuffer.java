package org.jmatte.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Page-locked memory of the host from {@link Device#allocateHost}: copies between it and the device run beside other
 * work. Copies from and to it must be over when it is closed, and its contents must not be touched afterwards.
 */
public final class HostBuffer implements AutoCloseable {
    private final ByteBuffer buffer;
    private final Lease lease;

    HostBuffer(ByteBuffer buffer, Lease lease) {
        this.buffer = buffer;
        this.lease = lease;
    }

    /** A view of the whole, in the machine's byte order. */
    public ByteBuffer buffer() {
        if (!lease.isLive()) {
            throw new IllegalStateException(
                    "this page-locked memory (" + buffer.capacity() + " bytes) was given back already");
        }
        return buffer.duplicate().clear().order(ByteOrder.nativeOrder());
    }

    public int bytes() {
        return buffer.capacity();
    }

    /** Gives the memory back; a second call does nothing. */
    @Override
    public void close() {
        lease.end();
    }
}
