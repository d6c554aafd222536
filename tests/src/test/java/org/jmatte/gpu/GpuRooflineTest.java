package org.jmatte.gpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.jmatte.Roofline;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.Devices;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.EmulatorOptions;
import org.junit.jupiter.api.Test;

class GpuRooflineTest {
    /** The figures are the emulator's; that memory goes back is what counts. */
    @Test
    void copiesAndArithmeticAreTimed() {
        try (Device device = Devices.emulated(EmulatorOptions.sm(80))) {
            long free = device.freeBytes();
            for (ElementType type : new ElementType[] {ElementType.FP32, ElementType.FP16, ElementType.BF16}) {
                Roofline roofline = GpuRoofline.measure(device, type, 1 << 16, 1);
                assertTrue(roofline.bytesPerSecond() > 0 && Double.isFinite(roofline.bytesPerSecond()));
                assertTrue(roofline.flopsPerSecond() > 0 && Double.isFinite(roofline.flopsPerSecond()));
            }
            assertTrue(device.freeBytes() == free, "memory was kept");
        }
    }
}
