package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jmatte.bindings.emulator.Emulator;
import org.junit.jupiter.api.Test;

/** What only an emulated device has: a chosen architecture and memory, injected faults, findings. */
class EmulatedDeviceTest {
    private static final int CHANNELS = 64;

    /** Norms {@code rows} rows; the tensors hold {@code there} of them. */
    private static void layerNorm(Device device, int rows, int there) {
        try (DeviceBuffer x = device.allocate(4L * there * CHANNELS);
                DeviceBuffer out = device.allocate(4L * there * CHANNELS);
                DeviceBuffer weight = device.allocate(4 * CHANNELS)) {
            for (DeviceBuffer buffer : new DeviceBuffer[] {x, weight}) {
                device.fill(buffer.pointer(), (byte) 0, buffer.bytes(), device.defaultStream());
            }
            Tensor weights = weight.tensor(ElementType.FP32, CHANNELS);
            LayerNorm.run(
                    device,
                    Tensor.wrap(out.pointer(), ElementType.FP32, rows, CHANNELS),
                    Tensor.wrap(x.pointer(), ElementType.FP32, rows, CHANNELS),
                    weights,
                    weights,
                    1e-6f,
                    device.defaultStream());
            ByteBuffer got = ByteBuffer.allocate((int) out.bytes()).order(ByteOrder.nativeOrder());
            device.copyToHost(got, out.pointer(), device.defaultStream());
            for (int i = 0; i < there * CHANNELS; i++) {
                assertEquals(0f, got.getFloat(4 * i));
            }
        }
    }

    @Test
    void architectures() {
        try (Device device = TestDevices.emulated(75, false)) {
            assertEquals(75, device.architecture());
            assertEquals("emulated sm_75", device.name());
        }
        try (Device device = TestDevices.emulated(80, true)) {
            assertEquals(80, device.architecture());
            assertEquals("emulated sm_80, checking", device.name());
        }
        assertEquals(
                "emulator: architecture: expected 75 or 80, got 86",
                assertThrows(InvalidArgumentException.class, () -> EmulatorOptions.sm(86))
                        .getMessage());
        assertThrows(
                InvalidArgumentException.class, () -> EmulatorOptions.sm(80).withMemory(-1));
        assertThrows(InvalidArgumentException.class, () -> Devices.emulated(null));
    }

    @Test
    void optionsAddUp() {
        EmulatorOptions options = EmulatorOptions.sm(80)
                .withChecking(true)
                .withScheduleSeed(7)
                .withMemory(1000)
                .withFailingAllocation(3)
                .withFailingLaunch(4);
        assertEquals(new EmulatorOptions(80, true, 7, 1000, 3, 4), options);
    }

    @Test
    void memoryIsLimited() {
        try (Device device = Devices.emulated(EmulatorOptions.sm(75).withMemory(3 << 20))) {
            assertEquals(3 << 20, device.totalBytes());
            try (DeviceBuffer first = device.allocate(2 << 20)) {
                assertEquals(1 << 20, device.freeBytes());
                OutOfDeviceMemoryException e =
                        assertThrows(OutOfDeviceMemoryException.class, () -> device.allocate(first.bytes()));
                assertEquals(
                        "out of device memory on emulated sm_75: 2.0 MiB (2097152 bytes) requested,"
                                + " 1.0 MiB (1048576 bytes) free of 3.0 MiB (3145728 bytes); lower the memory budget"
                                + " (chunks, bands and strips then shrink), the token cap or the image size, or end"
                                + " other work on the device",
                        e.getMessage());
                device.allocate(1 << 20).close();
            }
            assertEquals(3 << 20, device.freeBytes());
        }
    }

    @Test
    void closingGivesEverythingBack() {
        long before = Emulator.allocated_bytes();
        Device device = TestDevices.emulated(75, false);
        DeviceBuffer buffer = device.allocate(1000);
        HostBuffer host = device.allocateHost(10);
        Stream stream = device.createStream();
        device.close();
        device.close();
        assertEquals(before, Emulator.allocated_bytes());
        assertThrows(IllegalStateException.class, () -> buffer.tensor(ElementType.U8, 1));
        assertThrows(IllegalStateException.class, host::buffer);
        String message =
                assertThrows(IllegalStateException.class, stream::synchronize).getMessage();
        assertEquals("emulated sm_75 is closed", message);
        assertThrows(IllegalStateException.class, () -> device.allocate(1));
        assertThrows(IllegalStateException.class, () -> device.fill(256, (byte) 0, 1, device.defaultStream()));
        assertThrows(IllegalStateException.class, device::freeBytes);
        assertDoesNotThrow(() -> {
            buffer.close();
            stream.close();
        });
    }

    @Test
    void kernelsRun() {
        for (int architecture : new int[] {75, 80}) {
            try (Device device = TestDevices.emulated(architecture, false)) {
                layerNorm(device, 19, 19);
            }
            for (int seed = 1; seed < 4; seed++) {
                try (Device device = Devices.emulated(
                        EmulatorOptions.sm(architecture).withChecking(true).withScheduleSeed(seed))) {
                    layerNorm(device, 7, 7);
                }
            }
        }
    }

    @Test
    void findingsAreListed() {
        try (Device device = TestDevices.emulated(75, true)) {
            DeviceException e = assertThrows(DeviceException.class, () -> layerNorm(device, 8, 7));
            assertFalse(e.findings().isEmpty());
            String message = e.getMessage();
            assertTrue(
                    message.startsWith("emulated sm_75, checking: layer_norm: layer_norm_fp32, grid 1 x 1 x 1,"
                            + " parameters (0x"),
                    message);
            assertTrue(message.contains(" findings:\n"), message);
            assertTrue(message.contains(e.findings().get(0)), message);
            layerNorm(device, 7, 7); // nothing is lost
        }
    }

    @Test
    void anEmptyGridIsNoLaunch() {
        try (Device device = Devices.emulated(EmulatorOptions.sm(75).withFailingLaunch(1))) {
            layerNorm(device, 0, 0);
        }
    }

    @Test
    void injectedFaults() {
        try (Device device = Devices.emulated(EmulatorOptions.sm(75).withFailingAllocation(2))) {
            device.allocate(1).close();
            OutOfDeviceMemoryException e = assertThrows(OutOfDeviceMemoryException.class, () -> device.allocate(1));
            assertTrue(e.getMessage().contains("an injected fault: allocation 2"), e.getMessage());
            device.allocate(1).close();
        }

        Device device = Devices.emulated(EmulatorOptions.sm(75).withFailingLaunch(2));
        layerNorm(device, 3, 3);
        DeviceException first = assertThrows(DeviceException.class, () -> layerNorm(device, 3, 3));
        assertTrue(
                first.getMessage()
                        .startsWith(
                                "emulated sm_75: launching layer_norm: layer_norm_fp32, grid 1 x 1 x 1, parameters"),
                first.getMessage());
        assertTrue(first.getMessage().contains("CUDA_ERROR_LAUNCH_FAILED (719)"), first.getMessage());
        DeviceException later = assertThrows(DeviceException.class, () -> device.allocate(1));
        assertTrue(
                later.getMessage()
                        .startsWith("emulated sm_75 cannot be used any more, since an earlier call failed (an injected"
                                + " fault: launch 2, layer_norm: layer_norm_fp32"),
                later.getMessage());
        device.close();
        assertSame(
                IllegalStateException.class,
                assertThrows(IllegalStateException.class, () -> device.allocate(1))
                        .getClass());
    }
}
