package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LaunchProfileTest {
    private static final int ROWS = 9;
    private static final int CHANNELS = 64;

    private static void norm(Device device, int rows) {
        try (TestTensor x = TestTensor.filled(device, ElementType.FP32, 1, rows, CHANNELS);
                TestTensor weight = TestTensor.filled(device, ElementType.FP32, 1, CHANNELS)) {
            LayerNorm.run(device, x.tensor(), x.tensor(), weight.tensor(), weight.tensor(), 1, device.defaultStream());
        }
    }

    @DeviceTest
    void launchesAreWrittenDown(Device device) {
        norm(device, ROWS);
        try (LaunchProfile profile = LaunchProfile.counting(device)) {
            norm(device, ROWS);
            norm(device, 0);
            norm(device, 2 * ROWS);
            List<LaunchProfile.Entry> entries = profile.entries();
            assertEquals(2, entries.size(), "grids without blocks launch nothing");
            Launch first = entries.get(0).launch();
            assertEquals("layer_norm_fp32", first.kernel());
            assertEquals(2, first.gridX());
            assertTrue(Double.isNaN(entries.get(0).milliseconds()));
            assertEquals(3L * 7 * ROWS * CHANNELS, profile.flops());
            assertEquals(3L * 2 * 4 * ROWS * CHANNELS + 2 * 2 * 4 * CHANNELS, profile.bytes());
        }
        norm(device, ROWS);
    }

    @DeviceTest
    void timesAreTaken(Device device) {
        LaunchProfile profile = LaunchProfile.timing(device);
        norm(device, ROWS);
        assertEquals(1, profile.entries().size());
        double milliseconds = profile.entries().get(0).milliseconds();
        assertTrue(milliseconds > 0 && milliseconds < 10_000, milliseconds + " ms");
        profile.close();
        norm(device, ROWS);
        assertEquals(List.of(), profile.entries());
    }

    @DeviceTest
    void oneStreamsLaunchesFollowEachOther(Device device) {
        try (Stream other = device.createStream();
                TestTensor x = TestTensor.filled(device, ElementType.FP32, 1, ROWS, CHANNELS);
                TestTensor weight = TestTensor.filled(device, ElementType.FP32, 1, CHANNELS);
                LaunchProfile profile = LaunchProfile.timing(device, other)) {
            for (Stream stream : List.of(other, device.defaultStream(), other)) {
                LayerNorm.run(device, x.tensor(), x.tensor(), weight.tensor(), weight.tensor(), 1, stream);
            }
            List<LaunchProfile.Entry> entries = profile.entries();
            assertEquals(2, entries.size());
            LaunchProfile.Entry first = entries.get(0);
            LaunchProfile.Entry second = entries.get(1);
            assertTrue(first.queued() <= first.launched() && first.launched() <= second.queued());
            assertTrue(first.started() + 1e6 * first.milliseconds() <= second.started() + 1);
            assertTrue(second.started() <= System.nanoTime());
        }
    }

    @Test
    void hooksStandAroundEachOther() {
        List<String> order = new ArrayList<>();
        try (Device device = TestDevices.emulated(80, false)) {
            LaunchHook outer = named("outer", order);
            LaunchHook inner = named("inner", order);
            device.addHook(outer);
            device.addHook(inner);
            norm(device, ROWS);
            assertEquals(List.of("outer: layer_norm", "inner: layer_norm", "end of inner", "end of outer"), order);
            order.clear();
            device.removeHook(outer);
            device.removeHook(outer);
            norm(device, ROWS);
            assertEquals(List.of("inner: layer_norm", "end of inner"), order);
            String message = assertThrows(InvalidArgumentException.class, () -> device.addHook(null))
                    .getMessage();
            assertEquals("add hook: hook: expected a value, got null", message);
        }
    }

    private static LaunchHook named(String name, List<String> order) {
        return (launch, stream, run) -> {
            order.add(name + ": " + launch.operator());
            run.run();
            order.add("end of " + name);
        };
    }

    @Test
    void launchesThatFailAreNotInIt() {
        EmulatorOptions failing = EmulatorOptions.sm(80).withFailingLaunch(1);
        try (Device device = Devices.emulated(failing);
                LaunchProfile profile = LaunchProfile.timing(device)) {
            assertThrows(DeviceException.class, () -> norm(device, ROWS));
            assertEquals(List.of(), profile.entries());
        }
    }
}
