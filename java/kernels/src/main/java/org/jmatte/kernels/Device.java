package org.jmatte.kernels;

import java.nio.ByteBuffer;

/**
 * Where kernels run: memory, copies, streams and launches by name. A {@link CudaDevice} is a card, an
 * {@link EmulatedDevice} runs the same kernels on the host; nothing above this interface knows which one it has. Opened
 * by {@link Devices}.
 *
 * <p>All methods may be called from any thread. Work is queued on a stream and the call returns; errors of queued work
 * come with a later call, at the latest with {@link Stream#synchronize}.
 */
public interface Device extends AutoCloseable {
    /** The compute capability as two digits: 75, 80, 86, 89, 90, 100, 120. */
    int architecture();

    int multiprocessors();

    String name();

    /** Device memory that is free now, over all processes. */
    long freeBytes();

    long totalBytes();

    /**
     * Device memory; the call may wait for the device.
     *
     * @throws OutOfDeviceMemoryException if it does not fit
     */
    DeviceBuffer allocate(long bytes);

    /** Page-locked memory of the host, for fast copies beside other work. */
    HostBuffer allocateHost(int bytes);

    Stream defaultStream();

    /** A stream of its own, which does not wait for the default stream. */
    Stream createStream();

    /** A stream that someone else made, as {@link Stream#wrap}. */
    Stream wrapStream(long handle);

    Event createEvent();

    /**
     * Copies the remaining bytes of a buffer to the device. Those of a {@link HostBuffer} are read later, when the stream
     * gets there; a heap buffer's are read before the call returns; any other direct buffer must be left alone until the
     * stream has passed.
     */
    void copyToDevice(long to, ByteBuffer from, Stream stream);

    /**
     * Fills the remaining bytes of a buffer from the device. A direct buffer may be read once the stream has passed; for a
     * heap buffer the call waits.
     */
    void copyToHost(ByteBuffer to, long from, Stream stream);

    /** Copies within the device; the ranges must not overlap. */
    void copy(long to, long from, long bytes, Stream stream);

    void fill(long pointer, byte value, long bytes, Stream stream);

    /**
     * Queues a kernel.
     *
     * @throws InvalidArgumentException if there is no such kernel, or the parameters have another size than its struct
     * @throws DeviceException if the device refuses, or failed before
     */
    void launch(Launch launch, Stream stream);

    /**
     * Captures what is queued on a stream meanwhile, instead of doing it. As a graph it takes the host one call, which
     * pays where kernels are shorter than the microseconds that each launch takes.
     *
     * @param stream not the default stream
     * @param work queues launches of kernels that ran before, fills, and copies within the device, on that stream alone;
     *     it must neither wait nor allocate
     * @throws UnsupportedOperationException unless {@link #hasGraphs}
     * @throws DeviceException if the work does what cannot be captured
     */
    Graph capture(Stream stream, Runnable work);

    /**
     * Whether work can be captured and replayed now. Not on the emulated device, whose launches are over when they return;
     * and not while there are hooks, which a graph would pass by.
     */
    boolean hasGraphs();

    /** Puts a hook around every launch from now on, inside those that are there already. */
    void addHook(LaunchHook hook);

    /** Ends that; launches under way on other threads may still go through it. */
    void removeHook(LaunchHook hook);

    /**
     * From now on a vendor's library computes the launches that are plain products and convolutions, as far as it has them.
     *
     * @param library closed by whoever opened it, after it was replaced here; null for our own kernels alone
     */
    void useLibrary(VendorLibrary library);

    /** Waits for all work on all streams of this device. */
    void synchronize();

    /**
     * Waits for the device's work and lets go of it; buffers, streams and events of it are closed with it.
     *
     * @throws DeviceException if work that was still under way failed; everything is let go of all the same
     */
    @Override
    void close();
}
