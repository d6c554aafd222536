package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.Refusals.assertRefused;

import org.junit.jupiter.api.Test;

class ResampleTest {
    private static double resampled(TestMap in, int height, int width, int y, int x, int c) {
        double atY = Math.max(0, (y + 0.5) * in.height / height - 0.5);
        double atX = Math.max(0, (x + 0.5) * in.width / width - 0.5);
        int y0 = Math.min((int) atY, in.height - 1);
        int x0 = Math.min((int) atX, in.width - 1);
        int y1 = Math.min(y0 + 1, in.height - 1);
        int x1 = Math.min(x0 + 1, in.width - 1);
        double fy = atY - y0;
        double fx = atX - x0;
        double top = (1 - fx) * in.get(y0, x0, c) + fx * in.get(y0, x1, c);
        double bottom = (1 - fx) * in.get(y1, x0, c) + fx * in.get(y1, x1, c);
        return (1 - fy) * top + fy * bottom;
    }

    private static void run(Device device, TestMap in, int height, int width) {
        TestMap out = TestMap.untouched(in.type, height, width, in.channels);
        try (TestMap.OnDevice i = in.upload(device);
                TestMap.OnDevice r = out.upload(device)) {
            Resample.run(device, r.map(), i.map(), device.defaultStream());
            check(r, in, Wanted.rows(0, height));
        }
    }

    private static void check(TestMap.OnDevice out, TestMap in, Wanted wanted) {
        TestMap map = out.host();
        Tolerance tolerance = new Tolerance(in.type + ", " + in.height + "x" + in.width + " to " + out.map());
        out.check(wanted, (y, x, c, got) -> {
            double v = resampled(in, map.height, map.width, y, x, c);
            // The coordinates are floats, and neighbours differ by up to 2.
            double allowed = 2 * TestTensor.unit(in.type) * Math.abs(v) + 1e-6 + 4 * 0x1p-23 * (in.height + in.width);
            tolerance.check(v, got, allowed, y + ", " + x + ", " + c);
        });
        tolerance.report();
    }

    @DeviceTest
    void anySize(Device device) {
        for (ElementType type : TestMap.types(device)) {
            run(device, TestMap.random(type, 1, 1, 1, 1), 1, 1);
            run(device, TestMap.random(type, 1, 1, 8, 2), 7, 19);
            run(device, TestMap.random(type, 6, 6, 80, 3), 11, 99);
            run(device, TestMap.random(type, 7, 19, 5, 4), 14, 38);
            run(device, TestMap.random(type, 17, 30, 16, 5), 7, 13);
            run(device, TestMap.random(type, 3, 500, 4, 6), 5, 989);
            run(device, TestMap.random(type, 989, 2, 3, 7), 111, 3);
        }
    }

    @DeviceTest
    void rowsOfRingsAndSlices(Device device) {
        for (ElementType type : TestMap.types(device)) {
            TestMap in = TestMap.random(type, 20, 9, 24, 8);
            TestMap out = TestMap.untouched(type, 40, 18, 24);
            try (TestMap.OnDevice i = in.upload(device, 8, 4, 32);
                    TestMap.OnDevice r = out.upload(device, 13, 9, 40)) {
                Resample.rows(device, r.map(), i.map(), 10, 21, device.defaultStream());
                check(r, in, Wanted.rows(10, 21));
            }
        }
    }

    @Test
    void checkedAccesses() {
        try (Device device = TestDevices.emulated(80, true)) {
            for (ElementType type : TestMap.types(device)) {
                run(device, TestMap.random(type, 5, 7, 11, 9), 9, 13);
                run(device, TestMap.random(type, 5, 7, 16, 9), 2, 3);
            }
        }
    }

    @Test
    void badArgumentsAreRefused() {
        try (Device device = TestDevices.emulated(80, false);
                DeviceBuffer memory = device.allocate(1 << 20)) {
            FeatureMap in = FeatureMap.of(memory.tensorAt(0, FP16, 8, 10, 16));
            FeatureMap out = FeatureMap.of(memory.tensorAt(1 << 16, FP16, 20, 30, 16));
            Stream stream = device.defaultStream();
            assertRefused("resample: out: expected a value, got null", () -> Resample.run(device, null, in, stream));
            assertRefused("resample: in: expected a value, got null", () -> Resample.run(device, out, null, stream));
            assertRefused(
                    "resample: out: expected [*, *, 16] fp16, got [20, 30, 8] fp16",
                    () -> Resample.run(device, new FeatureMap(out.rows(), 20, 8), in, stream));
            assertRefused(
                    "resample: row after the last: expected 3 to 20, got 21",
                    () -> Resample.rows(device, out, in, 3, 21, stream));
            FeatureMap ring = new FeatureMap(memory.tensorAt(0, FP16, 3, 10, 16), 8, 16);
            assertRefused(
                    "resample: in: expected rows 0 to 7 in memory at once, got [8, 10, 16] fp16, 3 rows in memory",
                    () -> Resample.run(device, out, ring, stream));
            assertRefused(
                    "resample: in: expected positions to read, got [0, 10, 16] fp16",
                    () -> Resample.run(device, out, FeatureMap.of(memory.tensorAt(0, FP16, 0, 10, 16)), stream));
        }
    }
}
