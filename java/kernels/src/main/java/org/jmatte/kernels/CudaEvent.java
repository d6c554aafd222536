package org.jmatte.kernels;

import jcuda.driver.CUevent;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** A {@code CUevent}. */
final class CudaEvent implements Event {
    final CudaDevice device;
    final CUevent event;
    private final long handle;
    private final Lease lease;

    private CudaEvent(CudaDevice device, OwnEvent event, Lease lease) {
        this.device = device;
        this.event = event;
        this.handle = event.handle();
        this.lease = lease;
    }

    static CudaEvent create(CudaDevice device) {
        OwnEvent event = new OwnEvent();
        device.check(device.driver(() -> JCudaDriver.cuEventCreate(event, 0)), "creating an event");
        return new CudaEvent(device, event, device.lease(() -> device.driver(() -> JCudaDriver.cuEventDestroy(event))));
    }

    private static final class OwnEvent extends CUevent {
        long handle() {
            return getNativePointer();
        }
    }

    @Override
    public long handle() {
        return handle;
    }

    void ensureUsable() {
        device.ensureUsable();
        if (!lease.isLive()) {
            throw new IllegalStateException("this event was closed already");
        }
    }

    @Override
    public boolean isDone() {
        ensureUsable();
        int result = device.driver(() -> JCudaDriver.cuEventQuery(event));
        if (result == CUresult.CUDA_ERROR_NOT_READY) {
            return false;
        }
        device.check(result, "asking whether an event has passed");
        return true;
    }

    @Override
    public void synchronize() {
        ensureUsable();
        device.check(device.driver(() -> JCudaDriver.cuEventSynchronize(event)), "waiting for an event");
    }

    @Override
    public float millisecondsSince(Event start) {
        CudaEvent from = device.own(start);
        from.synchronize();
        synchronize();
        float[] milliseconds = new float[1];
        device.check(
                device.driver(() -> JCudaDriver.cuEventElapsedTime(milliseconds, from.event, event)),
                "taking the time between two events, each recorded before");
        return milliseconds[0];
    }

    @Override
    public void close() {
        lease.end();
    }
}
