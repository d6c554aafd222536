package org.jmatte.kernels;

/** A queue of work: copies and launches on one stream run in order, on several streams beside each other. */
public interface Stream extends AutoCloseable {
    /**
     * A stream that someone else made and will destroy (a {@code CUstream}); 0 is the default stream.
     *
     * @param device the device whose context the stream belongs to
     */
    static Stream wrap(Device device, long handle) {
        return device.wrapStream(handle);
    }

    /** The {@code CUstream}. */
    long handle();

    Device device();

    /**
     * Waits until all work on this stream is done.
     *
     * @throws DeviceException if a launch or copy failed meanwhile
     */
    void synchronize();

    /** Whether all work on this stream is done. */
    boolean isDone();

    /** Marks this point of the queue; an earlier mark of the event is forgotten. */
    void record(Event event);

    /** Lets later work on this stream wait for the event, without making the caller wait. */
    void await(Event event);

    /** Destroys the stream once its work is done; nothing for the default stream and wrapped ones. */
    @Override
    void close();
}
