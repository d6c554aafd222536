package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class Conv3x3Test {
    private static final float EPS = 1e-6f;
    private static final int FLAG = 0x40;

    private static int down(int size, int stride) {
        return (size + stride - 1) / stride;
    }

    // ---------------------------------------------------------------- sizes

    @DeviceTest
    void anySize(Device device) {
        for (ElementType type : TestMap.types(device)) {
            run(device, TestMap.random(type, 1, 1, 1, 1), 1, 1, MapOptions.NONE);
            run(device, TestMap.random(type, 7, 19, 3, 2), 5, 1, MapOptions.NONE);
            run(device, TestMap.random(type, 19, 7, 30, 3), 24, 1, MapOptions.NONE.relu());
            run(device, TestMap.random(type, 9, 33, 48, 4), 64, 1, MapOptions.NONE.leakyRelu(0.1f));
            run(device, TestMap.random(type, 17, 20, 64, 5), 99, 1, MapOptions.NONE.leakyRelu(-2));
            run(device, TestMap.random(type, 20, 35, 40, 6), 48, 1, MapOptions.NONE.relu());
            run(device, TestMap.random(type, 5, 18, 32, 7), 16, 1, MapOptions.NONE.relu());
            run(device, TestMap.random(type, 2, 111, 16, 8), 7, 1, MapOptions.NONE);
            run(device, TestMap.random(type, 19, 37, 48, 9), 96, 2, MapOptions.NONE.relu());
            run(device, TestMap.random(type, 8, 6, 5, 10), 111, 2, MapOptions.NONE);
            run(device, TestMap.random(type, 1, 99, 24, 11), 48, 2, MapOptions.NONE.leakyRelu(0.1f));
        }
    }

    @DeviceTest
    void theNetworksOwnChannels(Device device) {
        run(device, TestMap.random(FP16, 4, 17, 192, 41), 256, 1, MapOptions.NONE);
        run(device, TestMap.random(FP16, 4, 17, 384, 42), 384, 1, MapOptions.NONE);
        run(device, TestMap.random(FP16, 4, 17, 96, 43), 192, 2, MapOptions.NONE.relu());
    }

    /** The whole map. */
    private static void run(Device device, TestMap in, int outputs, int stride, MapOptions o) {
        TestMap out = TestMap.untouched(in.type, down(in.height, stride), down(in.width, stride), outputs);
        try (TestMap.OnDevice i = in.upload(device);
                TestMap.OnDevice r = out.upload(device)) {
            run(device, r, i, stride, o, Wanted.rows(0, out.height));
        }
    }

    private static void run(
            Device device, TestMap.OnDevice out, TestMap.OnDevice in, int stride, MapOptions with, Wanted wanted) {
        TestMap map = in.host();
        int outputs = out.host().channels;
        float[] weight = TestMap.uniform(map.type, outputs * 9 * map.channels, 20, Math.sqrt(1.0 / 3 / map.channels));
        float[] bias = TestMap.uniform(FP32, outputs, 21, 0.5);
        Tolerance tolerance = new Tolerance(map.type + ", " + in.map() + " to " + out.map());
        try (TestTensor w = TestTensor.of(device, map.type, weight, outputs, 9, map.channels);
                TestTensor b = TestTensor.of(device, FP32, bias, outputs);
                TestTensor columns = wanted.upload(device)) {
            MapOptions o = wanted.apply(with, columns);
            Conv3x3.run(device, out.map(), in.map(), w.tensor(), b.tensor(), stride, o, device.defaultStream());
            out.check(wanted, (y, x, n, got) -> {
                Reference.Sum sum =
                        Reference.convolve(map, weight, 3, stride, y, x, n).plus(bias[n]);
                tolerance.check(Reference.activate(sum.value(), o), got, map.type, sum, y + ", " + x + ", " + n);
            });
        }
        tolerance.report();
    }

    // ---------------------------------------------------------------- bands

    @DeviceTest
    void bandsOfRowsInRings(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (int stride = 1; stride <= 2; stride++) {
                int height = 23;
                TestMap in = TestMap.random(type, stride * height, 21, 24, 12);
                TestMap out = TestMap.untouched(type, height, down(21, stride), 40);
                for (int from = 0; from < height; from += 9) {
                    int to = Math.min(height, from + 9);
                    int first = Math.max(0, from * stride - 1);
                    try (TestMap.OnDevice i = in.upload(device, 9 * stride + 2, first, 24);
                            TestMap.OnDevice r = out.upload(device, 11, Math.max(0, from - 1), 40)) {
                        run(device, r, i, stride, MapOptions.NONE.relu(), Wanted.rows(from, to));
                    }
                }
            }
        }
    }

    @DeviceTest
    void blocksOfColumns(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (int stride = 1; stride <= 2; stride++) {
                TestMap in = TestMap.random(type, 6 * stride, 110 * stride, 16, 13);
                TestMap out = TestMap.untouched(type, 6, 110, 17);
                try (TestMap.OnDevice i = in.upload(device);
                        TestMap.OnDevice r = out.upload(device)) {
                    run(device, r, i, stride, MapOptions.NONE, new Wanted(1, 6, 3, 0));
                }
            }
        }
    }

    @DeviceTest
    void channelsOfWiderMaps(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (int outputs : new int[] {24, 64}) {
                TestMap in = TestMap.random(type, 9, 18, 30, 14);
                TestMap out = TestMap.untouched(type, 9, 18, outputs);
                try (TestMap.OnDevice i = in.upload(device, 9, 0, 32);
                        TestMap.OnDevice r = out.upload(device, 9, 0, outputs + 6)) {
                    run(device, r, i, 1, MapOptions.NONE, Wanted.rows(0, 9));
                }
            }
        }
    }

    @DeviceTest
    void readsAndWritesSlicesOfOneMap(Device device) {
        TestMap both = TestMap.random(FP16, 8, 16, 16, 15);
        float[] weight = TestMap.uniform(FP16, 8 * 9 * 8, 16, 0.2);
        TestMap second = new TestMap(FP16, 8, 16, 8);
        for (int i = 0; i < second.values.length; i++) {
            second.values[i] = both.values[i / 8 * 16 + 8 + i % 8];
        }
        try (TestMap.OnDevice memory = both.upload(device);
                TestTensor w = TestTensor.of(device, FP16, weight, 8, 9, 8)) {
            FeatureMap map = memory.map();
            Conv3x3.run(
                    device,
                    map.slice(0, 8),
                    map.slice(8, 8),
                    w.tensor(),
                    null,
                    1,
                    MapOptions.NONE,
                    device.defaultStream());
            memory.check((y, x) -> 1, (y, x, c, got) -> {
                double v = c < 8
                        ? Reference.convolve(second, weight, 3, 1, y, x, c).value()
                        : both.get(y, x, c);
                assertEquals(v, got, 2e-3);
            });
        }
    }

    @DeviceTest
    void nothingWantedLaunchesNothing(Device device) {
        TestMap in = TestMap.random(FP16, 4, 4, 8, 17);
        TestMap out = TestMap.untouched(FP16, 4, 4, 8);
        try (TestMap.OnDevice i = in.upload(device);
                TestMap.OnDevice r = out.upload(device)) {
            run(device, r, i, 1, MapOptions.NONE, Wanted.rows(2, 2));
            run(device, r, i, 1, MapOptions.NONE, new Wanted(0, 4));
        }
    }

    // ---------------------------------------------------------------- norm

    @DeviceTest
    void normsOverChannels(Device device) {
        for (ElementType type : TestMap.types(device)) {
            if (type != FP32) {
                norm(device, TestMap.random(type, 7, 19, 96, 18), 192, 1, MapOptions.NONE.gelu());
                norm(device, TestMap.random(type, 5, 16, 64, 18), 64, 1, MapOptions.NONE.gelu());
                norm(device, TestMap.random(type, 4, 3, 7, 19), 13, 1, MapOptions.NONE);
                norm(device, TestMap.random(type, 9, 35, 48, 20), 64, 2, MapOptions.NONE);
            }
        }
    }

    private static void norm(Device device, TestMap in, int outputs, int stride, MapOptions with) {
        TestMap out = TestMap.untouched(in.type, down(in.height, stride), down(in.width, stride), outputs);
        // Far from zero, where the square of the mean would cancel the mean of the squares.
        float[] bias = TestMap.uniform(FP32, outputs, 22, 1);
        for (int n = 0; n < outputs; n++) {
            bias[n] += 30;
        }
        float[] weight = TestMap.uniform(in.type, outputs * 9 * in.channels, 23, Math.sqrt(1.0 / 3 / in.channels));
        float[] normWeight = TestMap.uniform(FP32, outputs, 24, 2);
        float[] normBias = TestMap.uniform(FP32, outputs, 25, 1);
        Tolerance tolerance = new Tolerance("norm, " + in.type + ", " + outputs);
        try (TestMap.OnDevice i = in.upload(device);
                TestMap.OnDevice r = out.upload(device);
                TestTensor w = TestTensor.of(device, in.type, weight, outputs, 9, in.channels);
                TestTensor b = TestTensor.of(device, FP32, bias, outputs);
                TestTensor nw = TestTensor.of(device, FP32, normWeight, outputs);
                TestTensor nb = TestTensor.of(device, FP32, normBias, outputs)) {
            MapOptions o = with.norm(nw.tensor(), nb.tensor(), EPS);
            Conv3x3.run(device, r.map(), i.map(), w.tensor(), b.tensor(), stride, o, device.defaultStream());
            double[] sums = new double[outputs];
            double[] sizes = new double[outputs];
            r.check((y, x) -> 1, (y, x, n, got) -> {
                if (n == 0) {
                    for (int k = 0; k < outputs; k++) {
                        Reference.Sum sum = Reference.convolve(in, weight, 3, stride, y, x, k)
                                .plus(bias[k]);
                        sums[k] = sum.value();
                        sizes[k] = sum.size();
                    }
                }
                double mean = java.util.Arrays.stream(sums).average().orElseThrow();
                double variance = java.util.Arrays.stream(sums)
                        .map(v -> (v - mean) * (v - mean))
                        .average()
                        .orElseThrow();
                double deviation = Math.sqrt(variance + EPS);
                double v = Reference.activate((sums[n] - mean) / deviation * normWeight[n] + normBias[n], o);
                double allowed = 2 * TestTensor.unit(in.type) * Math.abs(v) + 1e-5 * (1 + 2 * sizes[n] / deviation);
                tolerance.check(v, got, allowed, y + ", " + x + ", " + n);
            });
        }
        tolerance.report();
    }

    // ---------------------------------------------------------------- photo

    @DeviceTest
    void readsPhotos(Device device) {
        for (ElementType type : TestMap.types(device)) {
            photo(device, type, 19, 37, 8, false, 19, 37, 48, 1);
            photo(device, type, 19, 37, 16, true, 16, 24, 48, 2);
            photo(device, type, 5, 3, 8, true, 20, 33, 99, 1);
            photo(device, type, 33, 70, 8, false, 17, 35, 7, 2);
        }
    }

    private static void photo(
            Device device,
            ElementType type,
            int height,
            int width,
            int bits,
            boolean snap,
            int outHeight,
            int outWidth,
            int outputs,
            int stride) {
        float[] weight = TestMap.uniform(type, outputs * 9 * 4, 26, 0.3);
        float[] bias = TestMap.uniform(FP32, outputs, 27, 0.5);
        TestMap out = TestMap.untouched(type, outHeight, outWidth, outputs);
        MapOptions with = MapOptions.NONE.relu();
        Wanted wanted = new Wanted(1, outHeight, 0, 2);
        Tolerance tolerance = new Tolerance("photo, " + type + ", " + outputs);
        try (TestPhoto photo = new TestPhoto(device, height, width, bits, snap, 28);
                TestMap.OnDevice r = out.upload(device, outHeight, 0, outputs + 1);
                TestTensor w = TestTensor.of(device, type, weight, outputs, 9, 4);
                TestTensor b = TestTensor.of(device, FP32, bias, outputs);
                TestTensor columns = wanted.upload(device)) {
            MapOptions o = wanted.apply(with, columns);
            Conv3x3.photo(device, r.map(), photo.planes(), w.tensor(), b.tensor(), stride, o, device.defaultStream());
            TestMap planes = photo.map(type);
            r.check(wanted, (y, x, n, got) -> {
                Reference.Sum sum =
                        Reference.convolve(planes, weight, 3, stride, y, x, n).plus(bias[n]);
                double v = Reference.activate(sum.value(), o);
                double allowed = 2 * TestTensor.unit(type) * Math.abs(v) + 1e-5 * sum.size();
                tolerance.check(v, got, allowed, y + ", " + x + ", " + n);
            });
        }
        tolerance.report();
    }

    // ---------------------------------------------------------------- numbers

    @DeviceTest
    void notNumbersStay(Device device) {
        for (ElementType type : TestMap.types(device)) {
            TestMap in = TestMap.random(type, 12, 18, 24, 29);
            in.values[in.at(6, 9) + 5] = Float.NaN;
            in.values[in.at(0, 0)] = Float.POSITIVE_INFINITY;
            run(device, in, 20, 1, MapOptions.NONE.relu());
            run(device, in, 20, 2, MapOptions.NONE.leakyRelu(0.1f));
        }
    }

    @DeviceTest
    void overflowSetsTheFlag(Device device) {
        for (ElementType type : TestMap.types(device)) {
            boolean narrow = type == FP16;
            for (float size : new float[] {1, 2048}) {
                TestMap in = TestMap.random(type, 5, 20, 16, 30);
                float[] weight = new float[8 * 9 * 16];
                weight[5 * 9 * 16 + 4 * 16] = size;
                in.values[in.at(3, 18)] = 64;
                TestMap out = TestMap.untouched(type, 5, 20, 8);
                try (TestMap.OnDevice i = in.upload(device);
                        TestMap.OnDevice r = out.upload(device);
                        TestTensor w = TestTensor.of(device, type, weight, 8, 9, 16);
                        TestTensor flag = TestTensor.filled(device, ElementType.I32, 1, 1)) {
                    MapOptions o = MapOptions.NONE.overflow(flag.tensor(), FLAG);
                    Conv3x3.run(device, r.map(), i.map(), w.tensor(), null, 1, o, device.defaultStream());
                    assertEquals(narrow && size > 1 ? 1 | FLAG : 1, flag.read()[0]);
                    assertEquals(
                            narrow && size > 1 ? Float.POSITIVE_INFINITY : TestTensor.round(type, size * 64),
                            r.memory().read()[out.at(3, 18) + 5]);
                }
            }
        }
    }

    // ---------------------------------------------------------------- races and schedules

    @Test
    void checkedAccesses() {
        for (int architecture : new int[] {75, 80}) {
            try (Device device = TestDevices.emulated(architecture, true)) {
                for (ElementType type : TestMap.types(device)) {
                    run(device, TestMap.random(type, 9, 19, 70, 31), 65, 1, MapOptions.NONE.relu());
                    run(device, TestMap.random(type, 5, 17, 40, 32), 48, 1, MapOptions.NONE.relu());
                    run(device, TestMap.random(type, 17, 17, 24, 33), 24, 1, MapOptions.NONE);
                    run(device, TestMap.random(type, 3, 7, 19, 34), 11, 1, MapOptions.NONE);
                    run(device, TestMap.random(type, 11, 35, 40, 35), 97, 2, MapOptions.NONE);
                    if (type != FP32) {
                        norm(device, TestMap.random(type, 5, 7, 40, 36), 99, 1, MapOptions.NONE.gelu());
                        norm(device, TestMap.random(type, 5, 7, 19, 37), 50, 2, MapOptions.NONE);
                    }
                    photo(device, type, 7, 19, 8, true, 9, 20, 50, 1);
                    photo(device, type, 7, 19, 16, false, 4, 10, 5, 2);
                }
            }
        }
    }

    @Test
    void anyOrderOfThreads() {
        for (int architecture : new int[] {75, 80}) {
            for (int seed = 1; seed <= 3; seed++) {
                EmulatorOptions options = EmulatorOptions.sm(architecture).withScheduleSeed(seed);
                try (Device device = Devices.emulated(options)) {
                    run(device, TestMap.random(FP16, 9, 19, 70, 38), 65, 1, MapOptions.NONE.relu());
                    run(device, TestMap.random(FP16, 11, 35, 40, 39), 97, 2, MapOptions.NONE);
                    norm(device, TestMap.random(FP16, 5, 7, 40, 40), 99, 1, MapOptions.NONE.gelu());
                    photo(device, FP16, 7, 19, 8, true, 9, 20, 50, 1);
                }
            }
        }
    }

    // ---------------------------------------------------------------- refusals

    @Test
    void badArgumentsAreRefused() {
        try (Device device = TestDevices.emulated(75, false);
                DeviceBuffer memory = device.allocate(1 << 20)) {
            FeatureMap in = FeatureMap.of(memory.tensorAt(0, FP16, 8, 10, 16));
            FeatureMap out = FeatureMap.of(memory.tensorAt(1 << 16, FP16, 8, 10, 32));
            Tensor weight = memory.tensorAt(1 << 17, FP16, 32, 9, 16);
            Tensor vector = memory.tensorAt(1 << 19, FP32, 32);
            MapOptions none = MapOptions.NONE;
            Stream stream = device.defaultStream();

            assertRefused(
                    "conv3x3: in: expected a value, got null",
                    () -> Conv3x3.run(device, out, null, weight, null, 1, none, stream));
            assertRefused(
                    "conv3x3: stride: expected 1 to 2, got 3",
                    () -> Conv3x3.run(device, out, in, weight, null, 3, none, stream));
            assertRefused(
                    "conv3x3: out: expected [4, 5, *] fp16, got [8, 10, 32] fp16",
                    () -> Conv3x3.run(device, out, in, weight, null, 2, none, stream));
            assertRefused(
                    "conv3x3: weight: expected [Cout, 9, Cin] = [32, 9, 16] fp16, got [32, 9, 8] fp16",
                    () -> Conv3x3.run(
                            device, out, in, memory.tensorAt(1 << 17, FP16, 32, 9, 8), null, 1, none, stream));
            assertRefused(
                    "conv3x3: bias: expected [Cout] = [32] fp32, got [16] fp32",
                    () -> Conv3x3.run(device, out, in, weight, memory.tensorAt(1 << 19, FP32, 16), 1, none, stream));
            assertRefused(
                    "conv3x3: row after the last: expected 3 to 8, got 9",
                    () -> Conv3x3.run(device, out, in, weight, null, 1, none.rows(3, 9), stream));
            FeatureMap ring = new FeatureMap(memory.tensorAt(0, FP16, 4, 10, 16), 8, 16);
            assertRefused(
                    "conv3x3: in: expected rows 1 to 5 in memory at once, got [8, 10, 16] fp16, 4 rows in memory",
                    () -> Conv3x3.run(device, out, ring, weight, null, 1, none.rows(2, 5), stream));
            assertRefused(
                    "conv3x3: out: expected memory apart from in's, got memory that overlaps it",
                    () -> Conv3x3.run(
                            device,
                            FeatureMap.of(memory.tensorAt(0, FP16, 8, 10, 32)),
                            in,
                            weight,
                            null,
                            1,
                            none,
                            stream));
            FeatureMap wide = FeatureMap.of(memory.tensorAt(1 << 16, FP16, 8, 10, 200));
            assertRefused(
                    "conv3x3: norm: expected fp16 or bf16 and at most 192 channels, or LayerNorm after the convolution,"
                            + " got [8, 10, 200] fp16",
                    () -> Conv3x3.run(
                            device,
                            wide,
                            in,
                            memory.tensorAt(1 << 18, FP16, 200, 9, 16),
                            null,
                            1,
                            none.norm(memory.tensorAt(1 << 19, FP32, 200), memory.tensorAt(1 << 19, FP32, 200), EPS),
                            stream));
            assertRefused(
                    "conv3x3: norm bias: expected a value, got null",
                    () -> Conv3x3.run(device, out, in, weight, null, 1, none.norm(vector, null, EPS), stream));
            assertRefused(
                    "conv3x3: activation: expected GELU only after a norm, got GELU alone",
                    () -> Conv3x3.run(device, out, in, weight, null, 1, none.gelu(), stream));
            FeatureMap bf16 = FeatureMap.of(memory.tensorAt(0, BF16, 8, 10, 16));
            assertRefused(
                    "conv3x3: in: expected fp16 or fp32 on a card before sm_80 (emulated sm_75 is sm_75),"
                            + " got [8, 10, 16] bf16",
                    () -> Conv3x3.run(device, out, bf16, weight, null, 1, none, stream));
            PhotoPlanes photo = new PhotoPlanes(
                    memory.tensorAt(1 << 18, ElementType.U8, 8, 30),
                    memory.tensorAt(1 << 19, ElementType.U8, 8, 10),
                    false,
                    new float[3],
                    new float[3]);
            assertRefused(
                    "conv3x3: norm: expected none, got one",
                    () -> Conv3x3.photo(
                            device,
                            out,
                            photo,
                            memory.tensorAt(1 << 17, FP16, 32, 9, 4),
                            null,
                            1,
                            none.norm(vector, vector, EPS),
                            stream));
        }
    }

    @Test
    void countsWhatIsComputed() {
        Tensor memory = Tensor.wrap(4096, FP16, 64, 100, 48);
        FeatureMap in = new FeatureMap(memory, 200, 48);
        FeatureMap out = new FeatureMap(Tensor.wrap(1 << 24, FP16, 64, 100, 64), 200, 64);
        Tensor weight = Tensor.wrap(1 << 28, FP16, 64, 9, 48);
        Launch launch = new Conv3x3.Call(out, in, weight, null, 1, MapOptions.NONE.rows(10, 50)).launch();
        assertEquals("conv3x3_n64_fp16", launch.kernel());
        assertEquals(8, launch.gridX());
        assertEquals(5, launch.gridY());
        assertEquals(2L * 40 * 100 * 64 * 9 * 48, launch.flops());
        assertEquals(2L * (40 * 100 * 64 + 42 * 100 * 48 + 64 * 9 * 48), launch.bytes());
    }
}
