package org.jmatte.vendor;

import org.jmatte.kernels.ElementType;

/** The one call of cuDNN that is used. */
interface Cudnn extends AutoCloseable {
    /** Queues later calls on a stream. */
    void stream(long handle);

    /**
     * A map [H, W, channels] in device memory.
     *
     * @param pitch elements from one position to the next
     */
    record Map(long address, int height, int width, int channels, int pitch) {}

    /**
     * out = 3x3 cross-correlation of in with zero padding 1.
     *
     * @param weight address of [Cout, 3, 3, Cin]
     */
    void convolution(ElementType type, Map out, Map in, long weight, int stride);

    @Override
    void close();
}
