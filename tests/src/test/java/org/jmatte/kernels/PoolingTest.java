package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.api.Test;

class PoolingTest {
    private static float[] run(Device device, TestMap in, int pitch, int n, ElementType result) {
        int scratch = (int) (Pooling.scratchBytes(in.height, in.channels, n) / 4);
        Tolerance tolerance =
                new Tolerance(in.type + ", " + in.height + "x" + in.width + "x" + in.channels + " to " + n);
        try (TestMap.OnDevice i = in.upload(device, in.height, 0, pitch);
                TestTensor out = TestTensor.filled(device, result, 7, n, n, in.channels);
                TestTensor s = TestTensor.filled(device, FP32, Float.NaN, scratch)) {
            Pooling.run(device, out.tensor(), i.map(), s.tensor(), device.defaultStream());
            float[] got = out.read();
            s.read();
            for (int cell = 0; cell < n * n; cell++) {
                int y0 = cell / n * in.height / n;
                int y1 = ((cell / n + 1) * in.height + n - 1) / n;
                int x0 = cell % n * in.width / n;
                int x1 = ((cell % n + 1) * in.width + n - 1) / n;
                for (int c = 0; c < in.channels; c++) {
                    double sum = 0;
                    double size = 0;
                    for (int y = y0; y < y1; y++) {
                        for (int x = x0; x < x1; x++) {
                            sum += in.get(y, x, c);
                            size += Math.abs(in.get(y, x, c));
                        }
                    }
                    int count = (y1 - y0) * (x1 - x0);
                    double v = sum / count;
                    double allowed = 2 * TestTensor.unit(result) * Math.abs(v) + 1e-5 * size / count;
                    tolerance.check(v, got[cell * in.channels + c], allowed, cell + ", " + c);
                }
            }
            tolerance.report();
            return got;
        }
    }

    @DeviceTest
    void meansOfAnySize(Device device) {
        for (ElementType type : TestMap.types(device)) {
            run(device, TestMap.random(type, 1, 1, 1, 1), 1, 1, FP32);
            run(device, TestMap.random(type, 7, 19, 64, 2), 64, 1, FP32);
            run(device, TestMap.random(type, 19, 99, 24, 3), 32, 1, FP32);
            run(device, TestMap.random(type, 989, 3, 5, 4), 5, 1, FP32);
            run(device, TestMap.random(type, 2, 7, 500, 5), 500, 1, FP32);
            run(device, TestMap.random(type, 2, 3, 2061, 6), 2061, 1, FP32);
        }
    }

    @DeviceTest
    void gridsOfAnySize(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (int n : new int[] {1, 2, 3, 6}) {
                run(device, TestMap.random(type, 4, 6, 40, 7), 40, n, type);
                run(device, TestMap.random(type, 1, 7, 19, 8), 20, n, type);
                run(device, TestMap.random(type, 19, 35, 16, 9), 16, n, type);
            }
        }
    }

    @DeviceTest
    void notNumbersStay(Device device) {
        TestMap in = TestMap.random(FP16, 9, 9, 8, 10);
        in.values[in.at(4, 4) + 3] = Float.NaN;
        in.values[in.at(8, 8) + 5] = Float.POSITIVE_INFINITY;
        run(device, in, 8, 3, FP16);
    }

    @Test
    void checkedAccessesInAnyOrder() {
        float[] first = null;
        for (int seed = 0; seed <= 3; seed++) {
            EmulatorOptions options = EmulatorOptions.sm(75).withScheduleSeed(seed);
            try (Device device = Devices.emulated(options.withChecking(seed < 2))) {
                run(device, TestMap.random(FP32, 5, 7, 11, 11), 13, 2, FP32);
                float[] got = run(device, TestMap.random(FP16, 40, 19, 16, 12), 16, 3, FP32);
                first = first == null ? got : first;
                assertArrayEquals(first, got, 0, "the order of sums is fixed");
            }
        }
    }

    @Test
    void badArgumentsAreRefused() {
        try (Device device = TestDevices.emulated(80, false);
                DeviceBuffer memory = device.allocate(1 << 20)) {
            FeatureMap in = FeatureMap.of(memory.tensorAt(0, FP16, 8, 10, 16));
            Tensor out = memory.tensorAt(1 << 16, FP16, 2, 2, 16);
            Tensor scratch = memory.tensorAt(1 << 17, FP32, 1000);
            Stream stream = device.defaultStream();
            assertRefused(
                    "pooling: in: expected a value, got null", () -> Pooling.run(device, out, null, scratch, stream));
            assertRefused(
                    "pooling: in: expected positions to read, got [0, 10, 16] fp16",
                    () -> Pooling.run(
                            device, out, FeatureMap.of(memory.tensorAt(0, FP16, 0, 10, 16)), scratch, stream));
            assertRefused(
                    "pooling: out: expected [n, n, C] = [2, 2, 16], got [2, 3, 16] fp16",
                    () -> Pooling.run(device, memory.tensorAt(1 << 16, FP16, 2, 3, 16), in, scratch, stream));
            assertRefused(
                    "pooling: out: expected fp16 or fp32, got [2, 2, 16] bf16",
                    () -> Pooling.run(device, memory.tensorAt(1 << 16, BF16, 2, 2, 16), in, scratch, stream));
            assertRefused(
                    "pooling: scratch: expected at least 1024 bytes, got [255] fp32",
                    () -> Pooling.run(device, out, in, memory.tensorAt(1 << 17, FP32, 255), stream));
            FeatureMap ring = new FeatureMap(memory.tensorAt(0, FP16, 3, 10, 16), 8, 16);
            assertRefused(
                    "pooling: in: expected rows 0 to 7 in memory at once, got [8, 10, 16] fp16, 3 rows in memory",
                    () -> Pooling.run(device, out, ring, scratch, stream));
        }
    }
}
