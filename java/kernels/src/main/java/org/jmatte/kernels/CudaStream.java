package org.jmatte.kernels;

import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import jcuda.runtime.cudaStream_t;

/** A {@code CUstream}. */
final class CudaStream implements Stream {
    private static final int NON_BLOCKING = 1;

    private final CudaDevice device;
    final CUstream stream;
    private final long handle;
    private final Lease lease;

    private CudaStream(CudaDevice device, CUstream stream, long handle, Lease lease) {
        this.device = device;
        this.stream = stream;
        this.handle = handle;
        this.lease = lease;
    }

    static CudaStream wrap(CudaDevice device, long handle) {
        return new CudaStream(device, Cuda.stream(handle), handle, null);
    }

    static CudaStream wrap(CudaDevice device, CUstream stream) {
        return new CudaStream(device, stream, new Reader(stream).handle(), null);
    }

    /** JCuda shows a handle to subclasses alone, and copies one from here. */
    private static final class Reader extends cudaStream_t {
        Reader(CUstream stream) {
            super(stream);
        }

        long handle() {
            return getNativePointer();
        }
    }

    static CudaStream create(CudaDevice device) {
        OwnStream stream = new OwnStream();
        device.check(device.driver(() -> JCudaDriver.cuStreamCreate(stream, NON_BLOCKING)), "creating a stream");
        Lease lease = device.lease(() -> device.driver(() -> JCudaDriver.cuStreamDestroy(stream)));
        return new CudaStream(device, stream, stream.handle(), lease);
    }

    private static final class OwnStream extends CUstream {
        long handle() {
            return getNativePointer();
        }
    }

    @Override
    public long handle() {
        return handle;
    }

    @Override
    public Device device() {
        return device;
    }

    private void ensureUsable() {
        device.ensureUsable();
        if (lease != null && !lease.isLive()) {
            throw new IllegalStateException("this stream was closed already");
        }
    }

    @Override
    public void synchronize() {
        ensureUsable();
        device.check(device.driver(() -> JCudaDriver.cuStreamSynchronize(stream)), "waiting for a stream");
    }

    @Override
    public boolean isDone() {
        ensureUsable();
        int result = device.driver(() -> JCudaDriver.cuStreamQuery(stream));
        if (result == CUresult.CUDA_ERROR_NOT_READY) {
            return false;
        }
        device.check(result, "asking whether a stream is done");
        return true;
    }

    @Override
    public void record(Event event) {
        ensureUsable();
        CudaEvent own = device.own(event);
        device.check(device.driver(() -> JCudaDriver.cuEventRecord(own.event, stream)), "recording an event");
    }

    @Override
    public void await(Event event) {
        ensureUsable();
        CudaEvent own = device.own(event);
        device.check(
                device.driver(() -> JCudaDriver.cuStreamWaitEvent(stream, own.event, 0)),
                "letting a stream wait for an event");
    }

    @Override
    public void close() {
        if (lease != null) {
            lease.end();
        }
    }
}
