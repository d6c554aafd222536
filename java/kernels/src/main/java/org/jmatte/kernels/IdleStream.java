package org.jmatte.kernels;

/** A stream of a device that computes nothing: there is nothing to wait for. */
final class IdleStream implements Stream {
    private final Device device;

    IdleStream(Device device) {
        this.device = device;
    }

    @Override
    public Device device() {
        return device;
    }

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
