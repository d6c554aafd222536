package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * What is tested on the emulator, repeated on a card: a class of {@link DeviceTest} methods runs there by being extended
 * here. Run alone by {@code ./mvnw verify -Dgroups=gpu}.
 */
@RequiresCard
class CardTest {
    @Test
    void canRunTheKernels() {
        assertTrue(TestDevices.card().architecture() >= CardProblems.OLDEST_ARCHITECTURE);
    }

    @Nested
    class OnCardDeviceContractTest extends DeviceContractTest {}

    @Nested
    class OnCardArgumentsTest extends ArgumentsTest {}

    @Nested
    class OnCardLayerNormTest extends LayerNormTest {}

    @Nested
    class OnCardGemmTest extends GemmTest {}

    @Nested
    class OnCardTokenRoutingTest extends TokenRoutingTest {}

    @Nested
    class OnCardEmbedPatchesTest extends EmbedPatchesTest {}

    @Nested
    class OnCardConv3x3Test extends Conv3x3Test {}

    @Nested
    class OnCardDetailCaptureTest extends DetailCaptureTest {}

    @Nested
    class OnCardCeilingsTest extends CeilingsTest {}

    @Nested
    class OnCardLaunchProfileTest extends LaunchProfileTest {}

    @Nested
    class OnCardConv2x2Test extends Conv2x2Test {}

    @Nested
    class OnCardConvertTest extends ConvertTest {}

    @Nested
    class OnCardDepthwiseConvTest extends DepthwiseConvTest {}

    @Nested
    class OnCardImagePlanesTest extends ImagePlanesTest {}

    @Nested
    class OnCardLargeTensorsTest extends LargeTensorsTest {}

    @Nested
    class OnCardLtrmTest extends LtrmTest {}

    @Nested
    class OnCardMergeTokensTest extends MergeTokensTest {}

    @Nested
    class OnCardPoolingTest extends PoolingTest {}

    @Nested
    class OnCardResampleTest extends ResampleTest {}

    @Nested
    class OnCardSparseAttentionTest extends SparseAttentionTest {}

    @Nested
    class OnCardVectorLayersTest extends VectorLayersTest {}

    @Nested
    class OnCardWindowAttentionTest extends WindowAttentionTest {}

    /** What only a card has: contexts, other people's streams and memory, errors of its own. */
    @Nested
    class ContextTest {
        @Test
        void joinsAContextOfSomeoneElse() {
            assertEquals(0, JCudaDriver.cuInit(0));
            CUdevice card = new CUdevice();
            assertEquals(0, JCudaDriver.cuDeviceGet(card, 0));
            CUcontext context = new CUcontext();
            assertEquals(0, JCudaDriver.cuCtxCreate(context, 0, card));
            try {
                CUdeviceptr memory = new CUdeviceptr();
                assertEquals(0, JCudaDriver.cuMemAlloc(memory, 1000));
                CUstream stream = new CUstream();
                assertEquals(0, JCudaDriver.cuStreamCreate(stream, 1));
                byte[] values = DeviceContractTest.random(1000);
                try (Device device = CudaDevice.ofCurrentContext()) {
                    Stream theirs = Stream.wrap(
                            device, ((CudaDevice) device).wrap(stream).handle());
                    assertEquals(theirs.handle(), handle(stream.toString()));
                    long pointer = CudaDevice.wrap(memory, ElementType.U8, 1000).pointer();
                    device.copyToDevice(pointer, ByteBuffer.wrap(values), theirs);
                    theirs.synchronize();
                    assertArrayEquals(values, DeviceContractTest.read(device, pointer, 1000));

                    // This device's own context takes turns with theirs on one thread.
                    try (DeviceBuffer own = TestDevices.card().allocate(1000)) {
                        assertTrue(own.pointer() != 0);
                        CUcontext current = new CUcontext();
                        JCudaDriver.cuCtxGetCurrent(current);
                        assertEquals(context, current, "their context is current again");
                    }
                }
                assertEquals(0, JCudaDriver.cuMemFree(memory), "their memory is still theirs");
                assertEquals(0, JCudaDriver.cuStreamDestroy(stream));
            } finally {
                JCudaDriver.cuCtxDestroy(context);
            }
        }

        /** As README.md shows it. */
        @Test
        void kernelsRunInAContextOfSomeoneElse() {
            int rows = 989;
            int channels = 384;
            assertEquals(0, JCudaDriver.cuInit(0));
            CUdevice card = new CUdevice();
            assertEquals(0, JCudaDriver.cuDeviceGet(card, 0));
            CUcontext context = new CUcontext();
            assertEquals(0, JCudaDriver.cuCtxCreate(context, 0, card));
            try {
                float[] values = new float[rows * channels];
                float[] expected = new float[rows * channels];
                for (int r = 0; r < rows; r++) {
                    for (int c = 0; c < channels; c++) {
                        values[r * channels + c] = c % 2 == 0 ? r + 1 : r - 1; // mean r, variance 1
                        expected[r * channels + c] = c % 2 == 0 ? 3 : -1;
                    }
                }
                float[] weights = new float[channels];
                Arrays.fill(weights, 2);
                float[] biases = new float[channels];
                Arrays.fill(biases, 1);
                CUdeviceptr x = memory(values);
                CUdeviceptr weight = memory(weights);
                CUdeviceptr bias = memory(biases);
                CUdeviceptr out = memory(new float[rows * channels]);
                CUstream stream = new CUstream();
                assertEquals(0, JCudaDriver.cuStreamCreate(stream, 1));
                try (CudaDevice device = CudaDevice.ofCurrentContext()) {
                    LayerNorm.run(
                            device,
                            CudaDevice.wrap(out, ElementType.FP32, rows, channels),
                            CudaDevice.wrap(x, ElementType.FP32, rows, channels),
                            CudaDevice.wrap(weight, ElementType.FP32, channels),
                            CudaDevice.wrap(bias, ElementType.FP32, channels),
                            0,
                            device.wrap(stream));
                    assertEquals(0, JCudaDriver.cuStreamSynchronize(stream));
                }
                assertEquals(0, JCudaDriver.cuMemcpyDtoH(Pointer.to(values), out, 4L * values.length));
                assertArrayEquals(expected, values, 1e-3f);
            } finally {
                JCudaDriver.cuCtxDestroy(context);
            }
        }

        private CUdeviceptr memory(float[] values) {
            CUdeviceptr memory = new CUdeviceptr();
            assertEquals(0, JCudaDriver.cuMemAlloc(memory, 4L * values.length));
            assertEquals(0, JCudaDriver.cuMemcpyHtoD(memory, Pointer.to(values), 4L * values.length));
            return memory;
        }

        /** As JCuda's text has it. */
        private long handle(String text) {
            return Long.parseLong(text.replaceAll(".*nativePointer=0x([0-9a-f]+).*", "$1"), 16);
        }

        @Test
        void errorsAreTheSameWithJCudasExceptions() {
            Device device = TestDevices.card();
            long tooMuch = 1L << 50;
            JCudaDriver.setExceptionsEnabled(true);
            try {
                assertThrows(OutOfDeviceMemoryException.class, () -> device.allocate(tooMuch));
            } finally {
                JCudaDriver.setExceptionsEnabled(false);
            }
            assertThrows(OutOfDeviceMemoryException.class, () -> device.allocate(tooMuch));
        }

        @Test
        void cardsThatAreNotThereAreRefused() {
            String message =
                    assertThrows(DeviceException.class, () -> Devices.open(99)).getMessage();
            assertTrue(message.startsWith("card 99: expected 0 to "), message);
        }

        @Test
        void copiesBesideWork() {
            Device device = TestDevices.card();
            try (Stream stream = device.createStream();
                    DeviceBuffer buffer = device.allocate(64 << 20);
                    HostBuffer host = device.allocateHost(64 << 20)) {
                device.fill(buffer.pointer(), (byte) 3, buffer.bytes(), stream);
                device.copyToHost(host.buffer(), buffer.pointer(), stream);
                stream.synchronize();
                assertEquals(3, host.buffer().get(host.bytes() - 1));
                assertSame(device, stream.device());
            }
        }
    }
}
