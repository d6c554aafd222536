package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.jmatte.kernels.ElementType.U16;
import static org.jmatte.kernels.ElementType.U8;
import static org.jmatte.kernels.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class DetailCaptureTest {
    private static final int FLAG = 8;

    // ---------------------------------------------------------------- fuse

    /** The bilinear twofold upsampling to a size, with zeros behind the map, of a map whose type leaves a float room. */
    private static TestMap up(TestMap low, int height, int width) {
        TestMap up = new TestMap(FP32, height, width, low.channels);
        for (int y = 0; y < up.height; y++) {
            for (int x = 0; x < up.width; x++) {
                double atY = Math.max(0, (y + 0.5) / 2 - 0.5);
                double atX = Math.max(0, (x + 0.5) / 2 - 0.5);
                int y0 = (int) atY;
                int x0 = (int) atX;
                int y1 = Math.min(y0 + 1, height / 2 - 1);
                int x1 = Math.min(x0 + 1, width / 2 - 1);
                double fy = atY - y0;
                double fx = atX - x0;
                for (int c = 0; c < low.channels; c++) {
                    double top = (1 - fx) * low.get(y0, x0, c) + fx * low.get(y0, x1, c);
                    double bottom = (1 - fx) * low.get(y1, x0, c) + fx * low.get(y1, x1, c);
                    up.values[up.at(y, x) + c] = (float) ((1 - fy) * top + fy * bottom);
                }
            }
        }
        return up;
    }

    private static void fuse(Device device, TestMap low, int outputs, MapOptions o) {
        TestMap out = TestMap.random(low.type, 2 * low.height, 2 * low.width, outputs, 40);
        try (TestMap.OnDevice i = low.upload(device);
                TestMap.OnDevice r = out.upload(device)) {
            fuse(device, r, i, o, Wanted.rows(0, out.height), null);
        }
    }

    /** Details from `out`, or from a photo. */
    private static void fuse(
            Device device,
            TestMap.OnDevice out,
            TestMap.OnDevice low,
            MapOptions with,
            Wanted wanted,
            TestPhoto photo) {
        TestMap map = low.host();
        TestMap details = out.host();
        TestMap planes = photo == null ? null : photo.map(map.type);
        int outputs = details.channels;
        float[] weight = TestMap.uniform(map.type, outputs * 9 * map.channels, 41, Math.sqrt(1.0 / 3 / map.channels));
        float[] photoWeight = TestMap.uniform(map.type, outputs * 9 * 4, 42, 0.2);
        float[] bias = TestMap.uniform(FP32, outputs, 43, 0.5);
        TestMap up = up(map, details.height, details.width);
        Tolerance tolerance = new Tolerance(map.type + ", " + low.map() + " to " + out.map());
        try (TestTensor w = TestTensor.of(device, map.type, weight, outputs, 9, map.channels);
                TestTensor pw = TestTensor.of(device, map.type, photoWeight, outputs, 9, 4);
                TestTensor b = TestTensor.of(device, FP32, bias, outputs);
                TestTensor columns = wanted.upload(device)) {
            MapOptions o = wanted.apply(with, columns);
            Stream stream = device.defaultStream();
            if (photo == null) {
                DetailCapture.fuse(device, out.map(), low.map(), w.tensor(), b.tensor(), o, stream);
            } else {
                DetailCapture.fusePhoto(
                        device, out.map(), low.map(), w.tensor(), photo.planes(), pw.tensor(), b.tensor(), o, stream);
            }
            out.check(wanted, (y, x, n, got) -> {
                Reference.Sum sum =
                        Reference.convolve(up, weight, 3, 1, y, x, n).plus(bias[n]);
                sum = photo == null
                        ? sum.plus(details.get(y, x, n))
                        : sum.plus(Reference.convolve(planes, photoWeight, 3, 1, y, x, n));
                tolerance.check(Reference.activate(sum.value(), o), got, map.type, sum, y + ", " + x + ", " + n);
            });
        }
        tolerance.report();
    }

    @DeviceTest
    void fusesAnySize(Device device) {
        for (ElementType type : TestMap.types(device)) {
            fuse(device, TestMap.random(type, 1, 1, 1, 44), 1, MapOptions.NONE);
            fuse(device, TestMap.random(type, 7, 19, 5, 45), 3, MapOptions.NONE.relu());
            fuse(device, TestMap.random(type, 9, 16, 64, 46), 32, MapOptions.NONE.leakyRelu(0.1f));
            fuse(device, TestMap.random(type, 17, 33, 40, 47), 9, MapOptions.NONE.relu());
            fuse(device, TestMap.random(type, 2, 50, 16, 48), 8, MapOptions.NONE);
            fuse(device, TestMap.random(type, 20, 3, 24, 49), 11, MapOptions.NONE.leakyRelu(2));
        }
    }

    @DeviceTest
    void theNetworksOwnChannels(Device device) {
        fuse(device, TestMap.random(FP16, 3, 5, 384, 80), 256, MapOptions.NONE.relu());
        fuse(device, TestMap.random(FP16, 6, 5, 256, 81), 128, MapOptions.NONE.relu());
    }

    @DeviceTest
    void zerosFollowTheLowMap(Device device) {
        for (ElementType type : TestMap.types(device)) {
            TestMap low = TestMap.random(type, 5, 13, 24, 58);
            TestMap out = TestMap.random(type, 18, 40, 9, 59);
            try (TestMap.OnDevice i = low.upload(device);
                    TestMap.OnDevice r = out.upload(device)) {
                fuse(device, r, i, MapOptions.NONE.relu(), Wanted.rows(0, 18), null);
            }
        }
    }

    @DeviceTest
    void fusesBandsInRings(Device device) {
        for (ElementType type : TestMap.types(device)) {
            int height = 46;
            TestMap low = TestMap.random(type, height / 2, 20, 18, 50);
            TestMap details = TestMap.random(type, height, 40, 12, 51);
            for (int from = 0; from < height; from += 18) {
                int to = Math.min(height, from + 18);
                try (TestMap.OnDevice i = low.upload(device, 11, Math.max(0, from / 2 - 1), 24);
                        TestMap.OnDevice r = details.upload(device, 20, Math.max(0, from - 1), 15)) {
                    fuse(device, r, i, MapOptions.NONE.relu(), Wanted.rows(from, to), null);
                }
            }
        }
    }

    @DeviceTest
    void fusesBlocksOfColumns(Device device) {
        for (ElementType type : TestMap.types(device)) {
            TestMap low = TestMap.random(type, 10, 66, 16, 52);
            TestMap details = TestMap.random(type, 20, 132, 16, 53);
            try (TestMap.OnDevice i = low.upload(device);
                    TestMap.OnDevice r = details.upload(device)) {
                fuse(device, r, i, MapOptions.NONE.relu(), new Wanted(2, 20, 4, 1, 2), null);
            }
        }
    }

    @DeviceTest
    void fusesPhotos(Device device) {
        for (ElementType type : TestMap.types(device)) {
            fusePhoto(device, type, 9, 20, 64, 32, 18, 37, 8, true);
            fusePhoto(device, type, 8, 17, 5, 7, 11, 40, 16, false);
            fusePhoto(device, type, 1, 1, 1, 1, 1, 1, 8, false);
        }
    }

    private static void fusePhoto(
            Device device,
            ElementType type,
            int lowHeight,
            int lowWidth,
            int inputs,
            int outputs,
            int height,
            int width,
            int bits,
            boolean snap) {
        TestMap low = TestMap.random(type, lowHeight, lowWidth, inputs, 54);
        TestMap out = TestMap.untouched(type, 2 * lowHeight, 2 * lowWidth, outputs);
        try (TestPhoto photo = new TestPhoto(device, height, width, bits, snap, 55);
                TestMap.OnDevice i = low.upload(device);
                TestMap.OnDevice r = out.upload(device)) {
            fuse(device, r, i, MapOptions.NONE.relu(), Wanted.rows(0, out.height), photo);
        }
    }

    @DeviceTest
    void notNumbersStayInTheFusion(Device device) {
        for (ElementType type : TestMap.types(device)) {
            // What is dropped at the edges must not come back as 0 times something.
            TestMap low = TestMap.random(type, 9, 17, 16, 56);
            low.values[low.at(4, 8) + 3] = Float.NaN;
            TestMap out = TestMap.random(type, 18, 34, 9, 57);
            out.values[out.at(17, 33)] = Float.NaN;
            try (TestMap.OnDevice i = low.upload(device);
                    TestMap.OnDevice r = out.upload(device)) {
                fuse(device, r, i, MapOptions.NONE.relu(), Wanted.rows(0, 18), null);
            }
        }
    }

    @DeviceTest
    void overflowSetsTheFlag(Device device) {
        for (float size : new float[] {1, 4096}) {
            TestMap low = new TestMap(FP16, 3, 5, 8);
            low.values[low.at(1, 2) + 4] = 64;
            float[] weight = new float[3 * 9 * 8];
            weight[2 * 72 + 4 * 8 + 4] = size;
            TestMap out = new TestMap(FP16, 6, 10, 3);
            try (TestMap.OnDevice i = low.upload(device);
                    TestMap.OnDevice r = out.upload(device);
                    TestTensor w = TestTensor.of(device, FP16, weight, 3, 9, 8);
                    TestTensor flag = TestTensor.filled(device, I32, 1, 1)) {
                MapOptions o = MapOptions.NONE.overflow(flag.tensor(), FLAG);
                DetailCapture.fuse(device, r.map(), i.map(), w.tensor(), null, o, device.defaultStream());
                assertEquals(size > 1 ? 1 | FLAG : 1, flag.read()[0]);
            }
        }
    }

    // ---------------------------------------------------------------- heads

    /** @param hidden whether the head has hidden channels, or is the plain alpha */
    private static void head(
            Device device,
            TestMap.OnDevice in,
            boolean hidden,
            ElementType format,
            int height,
            int width,
            boolean known,
            Wanted wanted) {
        TestMap map = in.host();
        int outputs = hidden ? 16 : 1;
        float[] weight = TestMap.uniform(map.type, outputs * 9 * map.channels, 60, hidden ? 0.2 : 0.1);
        float[] bias = TestMap.uniform(FP32, 16, 61, 0.5);
        float[] weight2 = TestMap.uniform(FP32, 16, 62, 2);
        float bias2 = 0.3f;
        double scale = format == U8 ? 255 : format == U16 ? 65535 : 1;
        float before = format == FP32 ? -3 : 77;
        int notNumbers = 0;
        Tolerance tolerance = new Tolerance((hidden ? "head, " : "alpha, ") + map.type + ", " + format);
        try (TestPhoto photo = new TestPhoto(device, height, width, 8, true, 63);
                TestTensor alpha = TestTensor.filled(device, format, before, height, width);
                TestTensor w = TestTensor.of(device, map.type, weight, outputs, 9, map.channels);
                TestTensor b = TestTensor.of(device, FP32, bias, 16);
                TestTensor w2 = TestTensor.of(device, FP32, weight2, 16);
                TestTensor count = TestTensor.filled(device, I32, 5, 1);
                TestTensor columns = wanted.upload(device)) {
            MapOptions o = wanted.apply(MapOptions.NONE, columns);
            Tensor trimap = known ? photo.trimapOnDevice() : null;
            Stream stream = device.defaultStream();
            if (hidden) {
                DetailCapture.head(
                        device,
                        alpha.tensor(),
                        in.map(),
                        w.tensor(),
                        b.tensor(),
                        w2.tensor(),
                        bias2,
                        trimap,
                        count.tensor(),
                        o,
                        stream);
            } else {
                DetailCapture.alpha(
                        device, alpha.tensor(), in.map(), w.tensor(), bias2, trimap, count.tensor(), o, stream);
            }
            float[] got = alpha.read();
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    float value = got[y * width + x];
                    if (wanted.applyAsInt(y, x) == 0) {
                        assertEquals(before, value);
                        continue;
                    }
                    double sum = bias2;
                    double size = 1;
                    for (int n = 0; n < outputs; n++) {
                        Reference.Sum s = Reference.convolve(map, weight, 3, 1, y, x, n);
                        double v = s.value() + (hidden ? bias[n] : 0);
                        sum += hidden ? (v < 0 ? 0 : v) * weight2[n] : v;
                        size += s.size() * (hidden ? Math.abs(weight2[n]) : 1);
                    }
                    double expected = hidden ? 1 / (1 + Math.exp(-sum)) : Math.min(1, Math.max(0, sum));
                    float trimapByte = photo.trimap[y * width + x];
                    if (known && (trimapByte == 0 || trimapByte == 255)) {
                        assertEquals(trimapByte == 0 ? 0 : scale, value);
                    } else if (Double.isNaN(expected)) {
                        notNumbers++;
                        assertEquals(format == FP32 ? Float.NaN : 0, value);
                    } else {
                        // An integer may be one of both neighbours where the sum is close to half-way.
                        double allowed = 1e-5 * size + (format == FP32 ? 0 : 0.5 / scale);
                        tolerance.check(expected, (float) (value / scale), allowed + 1e-7, y + ", " + x);
                    }
                }
            }
            assertEquals(5 + notNumbers, count.read()[0]);
        }
        tolerance.report();
    }

    private static void head(
            Device device, TestMap map, boolean hidden, ElementType format, int height, int width, boolean known) {
        try (TestMap.OnDevice in = map.upload(device)) {
            head(device, in, hidden, format, height, width, known, Wanted.rows(0, height));
        }
    }

    @DeviceTest
    void headOfAnySize(Device device) {
        for (ElementType type : TestMap.types(device)) {
            head(device, TestMap.random(type, 1, 1, 32, 64), true, FP32, 1, 1, false);
            head(device, TestMap.random(type, 19, 37, 32, 65), true, U8, 19, 37, true);
            head(device, TestMap.random(type, 40, 99, 32, 66), true, U16, 33, 97, false);
            head(device, TestMap.random(type, 7, 111, 32, 67), true, FP32, 5, 99, true);
        }
    }

    @DeviceTest
    void plainAlphaOfAnySize(Device device) {
        for (ElementType type : TestMap.types(device)) {
            head(device, TestMap.random(type, 1, 1, 16, 68), false, FP32, 1, 1, false);
            head(device, TestMap.random(type, 19, 37, 16, 69), false, U8, 19, 37, true);
            head(device, TestMap.random(type, 9, 40, 7, 70), false, U16, 7, 33, false);
            head(device, TestMap.random(type, 33, 20, 40, 71), false, FP32, 30, 19, true);
        }
    }

    @DeviceTest
    void headsInBandsAndBlocks(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (boolean hidden : new boolean[] {true, false}) {
                TestMap map = TestMap.random(type, 30, 110, 32, 72);
                for (int from = 0; from < 29; from += 10) {
                    int to = Math.min(29, from + 10);
                    try (TestMap.OnDevice in = map.upload(device, 12, Math.max(0, from - 1), 36)) {
                        head(device, in, hidden, FP32, 29, 107, true, new Wanted(from, to, 3, 1));
                    }
                }
            }
        }
    }

    @DeviceTest
    void notNumbersAreCounted(Device device) {
        for (ElementType type : TestMap.types(device)) {
            TestMap map = TestMap.random(type, 20, 18, 32, 73);
            map.values[map.at(3, 5) + 7] = Float.NaN;
            map.values[map.at(17, 17) + 31] = Float.NaN;
            for (ElementType format : List.of(U8, U16, FP32)) {
                head(device, map, true, format, 20, 17, false);
                head(device, map, true, format, 20, 17, true);
                head(device, map, false, format, 20, 17, true);
            }
        }
    }

    @DeviceTest
    void roundsToTheNearest(Device device) {
        TestMap map = new TestMap(FP32, 1, 5, 1);
        float[] weight = new float[9];
        weight[4] = 1;
        float[] values = {0.4999f / 255, 0.5001f / 255, 254.4999f / 255, 254.5001f / 255, 2};
        System.arraycopy(values, 0, map.values, 0, values.length);
        try (TestMap.OnDevice in = map.upload(device);
                TestTensor w = TestTensor.of(device, FP32, weight, 1, 9, 1);
                TestTensor alpha = TestTensor.filled(device, U8, 9, 1, 5);
                TestTensor count = TestTensor.filled(device, I32, 0, 1)) {
            DetailCapture.alpha(
                    device,
                    alpha.tensor(),
                    in.map(),
                    w.tensor(),
                    0,
                    null,
                    count.tensor(),
                    MapOptions.NONE,
                    device.defaultStream());
            float[] got = alpha.read();
            assertEquals(List.of(0f, 1f, 254f, 255f, 255f), List.of(got[0], got[1], got[2], got[3], got[4]));
        }
    }

    // ---------------------------------------------------------------- races and schedules

    @Test
    void checkedAccesses() {
        for (int architecture : new int[] {75, 80}) {
            try (Device device = TestDevices.emulated(architecture, true)) {
                for (ElementType type : TestMap.types(device)) {
                    fuse(device, TestMap.random(type, 5, 19, 40, 74), 11, MapOptions.NONE.relu());
                    fuse(device, TestMap.random(type, 1, 3, 5, 75), 8, MapOptions.NONE);
                    fusePhoto(device, type, 9, 11, 16, 9, 15, 20, 8, true);
                    head(device, TestMap.random(type, 33, 66, 32, 76), true, U8, 33, 65, true);
                    head(device, TestMap.random(type, 9, 19, 11, 77), false, U16, 9, 18, true);
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
                    fuse(device, TestMap.random(FP16, 9, 19, 40, 78), 11, MapOptions.NONE.relu());
                    fuse(device, TestMap.random(FP32, 9, 19, 40, 78), 11, MapOptions.NONE.relu());
                    fusePhoto(device, FP16, 9, 11, 16, 9, 15, 20, 8, true);
                    head(device, TestMap.random(FP16, 33, 40, 32, 79), true, U8, 32, 40, true);
                }
            }
        }
    }

    // ---------------------------------------------------------------- refusals

    @Test
    void badArgumentsAreRefused() {
        try (Device device = TestDevices.emulated(75, false);
                DeviceBuffer memory = device.allocate(1 << 20)) {
            Stream stream = device.defaultStream();
            MapOptions none = MapOptions.NONE;
            FeatureMap low = FeatureMap.of(memory.tensorAt(0, FP16, 4, 5, 16));
            FeatureMap out = FeatureMap.of(memory.tensorAt(1 << 16, FP16, 8, 10, 32));
            Tensor weight = memory.tensorAt(1 << 17, FP16, 32, 9, 16);
            assertRefused(
                    "detail_capture: out: expected a value, got null",
                    () -> DetailCapture.fuse(device, null, low, weight, null, none, stream));
            assertRefused(
                    "detail_capture: out: expected even sizes of at least 8 x 10, got [8, 11, 32] fp16",
                    () -> DetailCapture.fuse(
                            device,
                            FeatureMap.of(memory.tensorAt(1 << 16, FP16, 8, 11, 32)),
                            low,
                            weight,
                            null,
                            none,
                            stream));
            assertRefused(
                    "detail_capture: weight: expected [Cout, 9, Cin] = [32, 9, 16] fp16, got [16, 9, 16] fp16",
                    () -> DetailCapture.fuse(
                            device, out, low, memory.tensorAt(1 << 17, FP16, 16, 9, 16), null, none, stream));
            assertRefused(
                    "detail_capture: rows: expected even ones, got 1 to 8",
                    () -> DetailCapture.fuse(device, out, low, weight, null, none.rows(1, 8), stream));
            assertRefused(
                    "detail_capture: photo: expected a value, got null",
                    () -> DetailCapture.fusePhoto(device, out, low, weight, null, weight, null, none, stream));
            PhotoPlanes photo = new PhotoPlanes(
                    memory.tensorAt(1 << 18, U8, 8, 30),
                    memory.tensorAt(1 << 19, U8, 8, 10),
                    false,
                    new float[3],
                    new float[3]);
            assertRefused(
                    "detail_capture: photo weight: expected [Cout, 9, 4] = [32, 9, 4] fp16, got [32, 9, 16] fp16",
                    () -> DetailCapture.fusePhoto(device, out, low, weight, photo, weight, null, none, stream));

            Tensor alpha = memory.tensorAt(1 << 19, U8, 8, 10);
            Tensor hidden = memory.tensorAt(1 << 17, FP16, 16, 9, 32);
            Tensor vector = memory.tensorAt(1 << 18, FP32, 16);
            Tensor count = memory.tensorAt((1 << 18) + 256, I32, 1);
            assertRefused(
                    "detail_capture: alpha: expected u8 or u16 or fp32, got [8, 10] fp16",
                    () -> DetailCapture.head(
                            device,
                            memory.tensorAt(1 << 19, FP16, 8, 10),
                            out,
                            hidden,
                            vector,
                            vector,
                            0,
                            null,
                            count,
                            none,
                            stream));
            assertRefused(
                    "detail_capture: H: expected 0 to 8, got 9",
                    () -> DetailCapture.head(
                            device,
                            memory.tensorAt(1 << 19, U8, 9, 10),
                            out,
                            hidden,
                            vector,
                            vector,
                            0,
                            null,
                            count,
                            none,
                            stream));
            assertRefused(
                    "detail_capture: in: expected [*, *, 32] fp16, got [4, 5, 16] fp16",
                    () -> DetailCapture.head(
                            device,
                            memory.tensorAt(1 << 19, U8, 4, 5),
                            low,
                            hidden,
                            vector,
                            vector,
                            0,
                            null,
                            count,
                            none,
                            stream));
            assertRefused(
                    "detail_capture: weight2: expected a value, got null",
                    () -> DetailCapture.head(device, alpha, out, hidden, vector, null, 0, null, count, none, stream));
            assertRefused(
                    "detail_capture: not numbers: expected [1] i32, got [16] fp32",
                    () -> DetailCapture.head(
                            device, alpha, out, hidden, vector, vector, 0, null, vector, none, stream));
            assertRefused(
                    "detail_capture: trimap: expected [H, W] = [8, 10] u8, got [8, 9] u8",
                    () -> DetailCapture.alpha(
                            device,
                            alpha,
                            out,
                            memory.tensorAt(1 << 17, FP16, 1, 9, 32),
                            0,
                            memory.tensorAt(0, U8, 8, 9),
                            count,
                            none,
                            stream));
        }
    }
}
