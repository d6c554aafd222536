package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import org.junit.jupiter.api.Test;

/** JCuda's objects and the addresses in them, which need no driver. */
class CudaHandlesTest {
    @Test
    void addressesGoBothWays() {
        Tensor tensor = CudaDevice.wrap(Cuda.address(0x7f0000001000L), ElementType.FP16, 3, 5);
        assertEquals(0x7f0000001000L, tensor.pointer());
        assertEquals("[3, 5] fp16", tensor.toString());
        CUdeviceptr within = Cuda.address(0x7f0000001000L).withByteOffset(30);
        assertEquals(
                0x7f000000101eL, CudaDevice.wrap(within, ElementType.FP16, 1).pointer());
    }

    @Test
    void streamsGoBothWays() {
        CUstream stream = Cuda.stream(0x7f0000002000L);
        assertTrue(stream.toString().contains("0x7f0000002000"), stream.toString());
        assertEquals(0x7f0000002000L, CudaStream.wrap(null, stream).handle());
        assertEquals(0, CudaStream.wrap(null, 0).handle());
    }
}
