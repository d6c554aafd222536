package org.jmatte.gpu;

import org.jmatte.kernels.Arena;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.DeviceBuffer;
import org.jmatte.kernels.Event;
import org.jmatte.kernels.Stream;

/** What a run has to itself on a device: a queue of work, memory, and a way for its images. */
final class Lane {
    private final Device device;
    private final Stream stream;
    private final Transfers transfers;
    private final Graphs graphs;
    private final Event begin;
    private final Event encoded;
    private final Event end;
    private DeviceBuffer memory;

    Lane(Device device) {
        this.device = device;
        stream = device.createStream();
        transfers = new Transfers(device, stream);
        graphs = new Graphs(device, stream);
        begin = device.createEvent();
        encoded = device.createEvent();
        end = device.createEvent();
    }

    Device device() {
        return device;
    }

    Stream stream() {
        return stream;
    }

    Transfers transfers() {
        return transfers;
    }

    /** Work on the lane's memory. */
    Graphs graphs() {
        return graphs;
    }

    /** For the time when a run begins. */
    Event begin() {
        return begin;
    }

    /** For the time when its features are complete. */
    Event encoded() {
        return encoded;
    }

    /** For the time when its alpha is complete. */
    Event end() {
        return end;
    }

    /** Bytes of memory that it has. */
    long bytes() {
        return memory == null ? 0 : memory.bytes();
    }

    /** Allocates only if what is there does not suffice. */
    void reserve(long bytes) {
        if (bytes() < bytes) {
            free();
            memory = device.allocate(bytes);
        }
    }

    /** Gives the memory back. */
    void free() {
        graphs.clear();
        if (memory != null) {
            memory.close();
            memory = null;
        }
    }

    /** The whole memory, for a new run. */
    Arena arena() {
        return Arena.of(memory);
    }
}
