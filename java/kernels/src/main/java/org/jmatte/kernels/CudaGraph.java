package org.jmatte.kernels;

import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/** A {@code CUgraphExec}. */
final class CudaGraph implements Graph {
    /** Other threads may go on allocating and waiting meanwhile. */
    private static final int THREAD_LOCAL = 1;

    private final CudaDevice device;
    private final CUgraphExec graph;
    private final Lease lease;

    private CudaGraph(CudaDevice device, CUgraphExec graph) {
        this.device = device;
        this.graph = graph;
        lease = device.lease(() -> device.driver(() -> JCudaDriver.cuGraphExecDestroy(graph)));
    }

    static CudaGraph capture(CudaDevice device, CUstream stream, Runnable work) {
        CUgraph captured = new CUgraph();
        device.check(
                device.driver(() -> JCudaDriver.cuStreamBeginCapture(stream, THREAD_LOCAL)),
                "beginning to capture a stream");
        try {
            work.run();
        } catch (Throwable t) {
            if (device.driver(() -> JCudaDriver.cuStreamEndCapture(stream, captured)) == CUresult.CUDA_SUCCESS) {
                device.driver(() -> JCudaDriver.cuGraphDestroy(captured));
            }
            throw t;
        }
        int end = device.driver(() -> JCudaDriver.cuStreamEndCapture(stream, captured));
        device.check(end, "capturing a stream, where nothing may wait, be allocated or loaded");
        CUgraphExec graph = new CUgraphExec();
        int made = device.driver(() -> JCudaDriver.cuGraphInstantiate(graph, captured, 0));
        device.driver(() -> JCudaDriver.cuGraphDestroy(captured));
        device.check(made, "making a graph of captured work");
        return new CudaGraph(device, graph);
    }

    @Override
    public void launch(Stream stream) {
        device.ensureUsable();
        if (!lease.isLive()) {
            throw new IllegalStateException("this graph was closed already");
        }
        device.check(device.driver(() -> JCudaDriver.cuGraphLaunch(graph, device.own(stream))), "launching a graph");
    }

    @Override
    public void close() {
        lease.end();
    }
}
