package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.Refusals.assertRefused;

import org.junit.jupiter.api.Test;

class Conv2x2Test {
    private static void run(Device device, TestMap in, int outputs, MapOptions o) {
        TestMap out = TestMap.untouched(in.type, in.height / 2, in.width / 2, outputs);
        try (TestMap.OnDevice i = in.upload(device);
                TestMap.OnDevice r = out.upload(device)) {
            run(device, r, i, o, Wanted.rows(0, out.height));
        }
    }

    private static void run(Device device, TestMap.OnDevice out, TestMap.OnDevice in, MapOptions with, Wanted wanted) {
        TestMap map = in.host();
        int outputs = out.host().channels;
        float[] weight = TestMap.uniform(map.type, outputs * 4 * map.channels, 20, Math.sqrt(0.75 / map.channels));
        float[] bias = TestMap.uniform(FP32, outputs, 21, 0.5);
        Tolerance tolerance = new Tolerance(map.type + ", " + in.map() + " to " + out.map());
        try (TestTensor w = TestTensor.of(device, map.type, weight, outputs, 4, map.channels);
                TestTensor b = TestTensor.of(device, FP32, bias, outputs);
                TestTensor columns = wanted.upload(device)) {
            MapOptions o = wanted.apply(with, columns);
            Conv2x2.run(device, out.map(), in.map(), w.tensor(), b.tensor(), o, device.defaultStream());
            out.check(wanted, (y, x, n, got) -> {
                Reference.Sum sum =
                        Reference.convolve(map, weight, 2, 2, y, x, n).plus(bias[n]);
                tolerance.check(Reference.activate(sum.value(), o), got, map.type, sum, y + ", " + x + ", " + n);
            });
        }
        tolerance.report();
    }

    @DeviceTest
    void anySize(Device device) {
        for (ElementType type : TestMap.types(device)) {
            run(device, TestMap.random(type, 1, 1, 1, 1), 1, MapOptions.NONE);
            run(device, TestMap.random(type, 2, 2, 1, 1), 1, MapOptions.NONE);
            run(device, TestMap.random(type, 7, 19, 3, 2), 5, MapOptions.NONE.relu());
            run(device, TestMap.random(type, 20, 38, 64, 3), 128, MapOptions.NONE.leakyRelu(0.1f));
            run(device, TestMap.random(type, 9, 66, 40, 4), 99, MapOptions.NONE.leakyRelu(2));
            run(device, TestMap.random(type, 2, 111, 19, 5), 64, MapOptions.NONE);
        }
    }

    @DeviceTest
    void partsOfMaps(Device device) {
        for (ElementType type : TestMap.types(device)) {
            TestMap in = TestMap.random(type, 30, 140, 20, 6);
            TestMap out = TestMap.untouched(type, 15, 70, 17);
            try (TestMap.OnDevice i = in.upload(device, 12, 10, 24);
                    TestMap.OnDevice r = out.upload(device, 7, 5, 19)) {
                run(device, r, i, MapOptions.NONE.relu(), new Wanted(5, 11, 2, 0));
            }
        }
    }

    @Test
    void checkedAccessesInAnyOrder() {
        for (int architecture : new int[] {75, 80}) {
            try (Device device = TestDevices.emulated(architecture, true)) {
                for (ElementType type : TestMap.types(device)) {
                    run(device, TestMap.random(type, 11, 35, 70, 7), 65, MapOptions.NONE.relu());
                    run(device, TestMap.random(type, 4, 7, 11, 8), 3, MapOptions.NONE);
                }
            }
            for (int seed = 1; seed <= 3; seed++) {
                try (Device device =
                        Devices.emulated(EmulatorOptions.sm(architecture).withScheduleSeed(seed))) {
                    run(device, TestMap.random(FP16, 11, 35, 70, 9), 65, MapOptions.NONE.relu());
                }
            }
        }
    }

    @Test
    void badArgumentsAreRefused() {
        try (Device device = TestDevices.emulated(75, false);
                DeviceBuffer memory = device.allocate(1 << 20)) {
            FeatureMap in = FeatureMap.of(memory.tensorAt(0, FP16, 9, 10, 16));
            FeatureMap out = FeatureMap.of(memory.tensorAt(1 << 16, FP16, 4, 5, 32));
            Tensor weight = memory.tensorAt(1 << 17, FP16, 32, 4, 16);
            Tensor vector = memory.tensorAt(1 << 18, FP32, 32);
            Stream stream = device.defaultStream();
            MapOptions none = MapOptions.NONE;
            assertRefused(
                    "conv2x2: out: expected a value, got null",
                    () -> Conv2x2.run(device, null, in, weight, null, none, stream));
            assertRefused(
                    "conv2x2: options: expected a value, got null",
                    () -> Conv2x2.run(device, out, in, weight, null, null, stream));
            assertRefused(
                    "conv2x2: out: expected [4, 5, *] fp16, got [9, 10, 16] fp16",
                    () -> Conv2x2.run(device, in, in, weight, null, none, stream));
            assertRefused(
                    "conv2x2: weight: expected [Cout, 4, Cin] = [32, 4, 16] fp16, got [32, 4, 8] fp16",
                    () -> Conv2x2.run(device, out, in, memory.tensorAt(1 << 17, FP16, 32, 4, 8), null, none, stream));
            assertRefused(
                    "conv2x2: bias: expected [Cout] = [32] fp32, got [32, 4, 16] fp16",
                    () -> Conv2x2.run(device, out, in, weight, weight, none, stream));
            assertRefused(
                    "conv2x2: norm: expected none, got one",
                    () -> Conv2x2.run(device, out, in, weight, null, none.norm(vector, vector, 1e-6f), stream));
        }
    }
}
