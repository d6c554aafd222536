package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class LtrmTest {
    /** A hidden map that goes through the depthwise convolution in bands of rows, kept in a ring of band + 4. */
    private record Map(ElementType type, int height, int width, int channels, int band) {
        void run(Device device) {
            float[] map = TestMap.uniform(type, height * width * channels, 1, 2);
            float[] weight = TestMap.uniform(FP32, 25 * channels, 2, 0.4);
            float[] bias = TestMap.uniform(FP32, channels, 3, 0.5);
            double[] g = new double[map.length];
            double[] sizes = new double[map.length];
            for (int i = 0; i < g.length; i++) {
                convolve(map, weight, bias, i, g, sizes);
            }
            int row = width * channels;
            int ring = Math.min(height, band + 4);
            int bands = (height + band - 1) / band;
            int parts = 0;
            for (int top = 0; top < height; top += band) {
                parts += (int) Ltrm.partialRows(device, Math.min(band, height - top), width, channels);
            }
            float[] got = new float[map.length];
            Tolerance tolerance = new Tolerance(toString());
            Tolerance means = new Tolerance(toString() + ", mean");
            try (TestTensor w = TestTensor.of(device, FP32, weight, 5, 5, channels);
                    TestTensor b = TestTensor.of(device, FP32, bias, channels);
                    TestTensor m = TestTensor.filled(device, FP32, Float.NaN, channels);
                    TestTensor partial = TestTensor.filled(device, FP32, Float.NaN, parts, channels)) {
                long part = 0;
                for (int i = 0; i < bands; i++) {
                    int top = i * band;
                    int rows = Math.min(band, height - top);
                    // Slots of rows that the band does not need hold what is no number.
                    float[] memory = new float[ring * row];
                    Arrays.fill(memory, Float.NaN);
                    for (int y = Math.max(0, top - 2); y < Math.min(height, top + rows + 2); y++) {
                        System.arraycopy(map, y * row, memory, y % ring * row, row);
                    }
                    long here = Ltrm.partialRows(device, rows, width, channels);
                    try (TestTensor in = TestTensor.of(device, type, memory, ring, width, channels);
                            TestTensor out = TestTensor.filled(device, type, Float.NaN, rows, width, channels)) {
                        Ltrm.depthwise(
                                device,
                                out.tensor(),
                                partial.tensor().rows(part, here),
                                in.tensor(),
                                w.tensor(),
                                b.tensor(),
                                height,
                                top,
                                device.defaultStream());
                        System.arraycopy(out.read(), 0, got, top * row, rows * row);
                    }
                    part += here;
                }
                Ltrm.mean(device, m.tensor(), partial.tensor(), (long) height * width, device.defaultStream());
                float[] mean = m.read();
                for (int c = 0; c < channels; c++) {
                    double sum = 0;
                    double size = 0;
                    for (int i = c; i < g.length; i += channels) {
                        sum += g[i];
                        size += Math.abs(g[i]) + 1e-2;
                    }
                    means.check(sum / (height * width), mean[c], 1e-5 * size / (height * width), "channel " + c);
                }
            }
            for (int i = 0; i < g.length; i++) {
                double allowed = 2 * TestTensor.unit(type) * Math.abs(g[i]) + 1e-5 * sizes[i];
                tolerance.check(g[i], got[i], allowed, i / row + ", " + i / channels % width + ", " + i % channels);
            }
            tolerance.report();
            means.report();
        }

        private void convolve(float[] map, float[] weight, float[] bias, int i, double[] g, double[] sizes) {
            int c = i % channels;
            int x = i / channels % width;
            int y = i / channels / width;
            double sum = bias[c];
            double size = Math.abs(sum);
            for (int tap = 0; tap < 25; tap++) {
                int row = y + tap / 5 - 2;
                int column = x + tap % 5 - 2;
                if (row >= 0 && row < height && column >= 0 && column < width) {
                    double product = (double) map[(row * width + column) * channels + c] * weight[tap * channels + c];
                    sum += product;
                    size += Math.abs(product);
                }
            }
            g[i] = Reference.gelu(sum);
            sizes[i] = size;
        }
    }

    @DeviceTest
    void depthwiseInBands(Device device) {
        for (ElementType type : TestMap.types(device)) {
            new Map(type, 1, 1, 2, 1).run(device);
            new Map(type, 7, 19, 64, 7).run(device);
            new Map(type, 19, 7, 6, 4).run(device);
            new Map(type, 13, 37, 98, 5).run(device);
            new Map(type, 40, 33, 2, 37).run(device);
            new Map(type, 11, 22, 130, 1).run(device);
        }
    }

    /** The bits of a map do not depend on how it is cut into bands. */
    @DeviceTest
    void bandsChangeNothing(Device device) {
        float[] values = TestMap.uniform(FP32, 9 * 5 * 4, 1, 1);
        float[] weight = TestMap.uniform(FP32, 25 * 4, 2, 1);
        try (TestTensor in = TestTensor.of(device, FP32, values, 9, 5, 4);
                TestTensor w = TestTensor.of(device, FP32, weight, 5, 5, 4);
                TestTensor b = TestTensor.filled(device, FP32, 0.25f, 4);
                TestTensor whole = TestTensor.filled(device, FP32, Float.NaN, 9, 5, 4);
                TestTensor cut = TestTensor.filled(device, FP32, Float.NaN, 9, 5, 4);
                TestTensor partial = TestTensor.filled(device, FP32, Float.NaN, Ltrm.partialRows(device, 9, 5, 4), 4)) {
            band(device, whole.tensor(), partial, in, w, b, 0);
            band(device, cut.tensor().rows(0, 4), partial, in, w, b, 0);
            band(device, cut.tensor().rows(4, 5), partial, in, w, b, 4);
            assertArrayEquals(whole.read(), cut.read());
        }
    }

    private static void band(
            Device device, Tensor out, TestTensor partial, TestTensor in, TestTensor w, TestTensor b, int first) {
        long parts = Ltrm.partialRows(device, out.size(0), 5, 4);
        Ltrm.depthwise(
                device,
                out,
                partial.tensor().rows(0, parts),
                in.tensor(),
                w.tensor(),
                b.tensor(),
                9,
                first,
                device.defaultStream());
    }

    private static void gate(Device device, ElementType type, int channels, int hidden, int taps, boolean bias) {
        float[] weight = TestMap.uniform(type, channels * hidden, 1, 1);
        float[] biases = TestMap.uniform(FP32, channels, 2, bias ? 1 : 0);
        float[] mean = TestMap.uniform(FP32, hidden, 3, 1);
        float[] kernel = TestMap.uniform(FP32, taps, 4, 1);
        double[] z = new double[channels];
        double size = 0;
        for (int c = 0; c < channels; c++) {
            z[c] = biases[c];
            double all = Math.abs(z[c]);
            for (int d = 0; d < hidden; d++) {
                z[c] += (double) weight[c * hidden + d] * mean[d];
                all += Math.abs(weight[c * hidden + d] * mean[d]);
            }
            size = Math.max(size, all);
        }
        Tolerance tolerance = new Tolerance("gate of " + channels + ", " + hidden + ", " + taps + " " + type);
        try (TestTensor w = TestTensor.of(device, type, weight, channels, hidden);
                TestTensor b = TestTensor.of(device, FP32, biases, channels);
                TestTensor m = TestTensor.of(device, FP32, mean, hidden);
                TestTensor k = TestTensor.of(device, FP32, kernel, taps);
                TestTensor scale = TestTensor.filled(device, FP32, Float.NaN, channels)) {
            Ltrm.gate(
                    device,
                    scale.tensor(),
                    w.tensor(),
                    bias ? b.tensor() : null,
                    m.tensor(),
                    k.tensor(),
                    device.defaultStream());
            float[] got = scale.read();
            for (int c = 0; c < channels; c++) {
                double sum = 0;
                for (int tap = 0; tap < taps; tap++) {
                    int at = c + tap - taps / 2;
                    sum += at >= 0 && at < channels ? kernel[tap] * z[at] : 0;
                }
                tolerance.check(1 + 1 / (1 + Math.exp(-sum)), got[c], 1e-5 * size, "channel " + c);
            }
        }
        tolerance.report();
    }

    @DeviceTest
    void gates(Device device) {
        for (ElementType type : TestMap.types(device)) {
            gate(device, type, 1, 2, 1, true);
            gate(device, type, 19, 38, 3, false);
            gate(device, type, 99, 130, 5, true);
            gate(device, type, 384, 768, 5, true);
            gate(device, type, 40, 64, 33, true);
        }
    }

    @Test
    void noRaces() {
        TestDevices.inCheckedSchedules(device -> {
            for (ElementType type : TestMap.types(device)) {
                new Map(type, 5, 9, 6, 2).run(device);
                gate(device, type, 19, 38, 3, true);
            }
            new Map(FP16, 11, 35, 66, 11).run(device);
        });
    }

    // ---------------------------------------------------------------- launches, refusals

    private static Tensor tensor(ElementType type, long... shape) {
        return Tensor.wrap(1 << 20, type, shape);
    }

    private static Tensor apart(ElementType type, long... shape) {
        return Tensor.wrap(1 << 30, type, shape);
    }

    @Test
    void marchesAsLongAsTheDeviceIsFilled() {
        assertEquals(32, Ltrm.march(68, 136, 242, 768));
        assertEquals(8, Ltrm.march(68, 16, 242, 768));
        assertEquals(32, Ltrm.march(4, 32, 242, 768));
        Launch launch = Ltrm.depthwiseLaunch(
                apart(FP16, 16, 40, 66),
                tensor(FP32, 4, 66),
                tensor(FP16, 20, 40, 66),
                tensor(FP32, 5, 5, 66),
                tensor(FP32, 66),
                99,
                32,
                8);
        assertEquals("ltrm_depthwise_fp16", launch.kernel());
        assertEquals(2, launch.gridX());
        assertEquals(2, launch.gridY());
        assertEquals(2, launch.gridZ());
        assertEquals((20 + 16) * 40 * 66 * 2 + 4 * 66 * 4 + 26 * 66 * 4, launch.bytes());
    }

    private static void refuses(String message, Consumer<Device> call) {
        try (Device device = TestDevices.emulated(75, false)) {
            assertEquals(
                    "ltrm: " + message,
                    assertThrows(InvalidArgumentException.class, () -> call.accept(device))
                            .getMessage());
        }
    }

    private static Consumer<Device> depthwise(Tensor out, Tensor partial, Tensor map, long height, long first) {
        return d -> Ltrm.depthwise(
                d,
                out,
                partial,
                map,
                tensor(FP32, 5, 5, map.size(2)),
                tensor(FP32, map.size(2)),
                height,
                first,
                d.defaultStream());
    }

    private static Consumer<Device> gate(Tensor scale, Tensor weight, Tensor mean, Tensor kernel) {
        return d -> Ltrm.gate(d, scale, weight, null, mean, kernel, d.defaultStream());
    }

    @Test
    void refusals() {
        Tensor map = tensor(FP16, 8, 9, 64);
        Tensor out = apart(FP16, 4, 9, 64);
        Tensor partial = tensor(FP32, 1, 64);
        refuses(
                "map: expected fp32 or fp16 or bf16, got [8, 9, 64] i32",
                depthwise(out, partial, tensor(I32, 8, 9, 64), 20, 4));
        refuses("D: expected an even number, got 63", depthwise(out, partial, tensor(FP16, 8, 9, 63), 20, 4));
        refuses(
                "out: expected [rows, width, D] = [*, 9, 64] fp16, got [4, 8, 64] fp16",
                depthwise(apart(FP16, 4, 8, 64), partial, map, 20, 4));
        refuses("rows: expected 0 to 3, got 4", depthwise(out, partial, map, 20, 17));
        refuses("ring: expected 8 to 2147479551, got 7", depthwise(out, partial, tensor(FP16, 7, 9, 64), 20, 4));
        refuses(
                "partial: expected [parts, D] = [1, 64] fp32, got [2, 64] fp32",
                depthwise(out, tensor(FP32, 2, 64), map, 20, 4));
        refuses(
                "out: expected memory apart from map's, got memory that overlaps it",
                depthwise(tensor(FP16, 4, 9, 64), partial, map, 20, 4));
        Tensor weight = tensor(FP16, 32, 64);
        refuses(
                "scale: expected [C] = [32] fp32, got [31] fp32",
                gate(tensor(FP32, 31), weight, tensor(FP32, 64), tensor(FP32, 5)));
        refuses(
                "mean: expected [D] = [64] fp32, got [32] fp32",
                gate(tensor(FP32, 32), weight, tensor(FP32, 32), tensor(FP32, 5)));
        refuses(
                "taps: expected an odd number, got 4",
                gate(tensor(FP32, 32), weight, tensor(FP32, 64), tensor(FP32, 4)));
        refuses("taps: expected 1 to 33, got 35", gate(tensor(FP32, 32), weight, tensor(FP32, 64), tensor(FP32, 35)));
        refuses(
                "partial: expected [P, C] fp32, got [9] fp32",
                d -> Ltrm.mean(d, tensor(FP32, 9), tensor(FP32, 9), 9, d.defaultStream()));
    }
}
