package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.function.Consumer;
import org.jmatte.kernels.DepthwiseConv.Options;
import org.junit.jupiter.api.Test;

class DepthwiseConvTest {
    private static final float EPS = 1e-6f;
    private static final float SLOPE = 0.1f;

    private enum Act {
        NONE,
        GELU,
        LEAKY_RELU
    }

    /** A convolution of random maps; images 0 stands for a tensor without that axis. */
    private record Case(
            ElementType type,
            int images,
            int height,
            int width,
            int channels,
            int kernel,
            int stride,
            boolean bias,
            boolean norm,
            Act act) {

        private int outHeight() {
            return (height + stride - 1) / stride;
        }

        private int outWidth() {
            return (width + stride - 1) / stride;
        }

        private long[] shape(int h, int w) {
            return images == 0 ? new long[] {h, w, channels} : new long[] {images, h, w, channels};
        }

        void run(Device device) {
            run(device, outHeight());
        }

        /** @param band rows of a result without images that are computed at once */
        void run(Device device, int band) {
            int n = Math.max(1, images);
            float[] x = TestMap.uniform(type, n * height * width * channels, 1, 1);
            float[] weight = TestMap.uniform(FP32, kernel * kernel * channels, 2, 1.7 / kernel);
            float[] biases = TestMap.uniform(FP32, channels, 3, bias ? 1 : 0);
            float[] scale = TestMap.uniform(FP32, channels, 4, 2);
            float[] shift = TestMap.uniform(FP32, channels, 5, 1);
            Tolerance tolerance = new Tolerance(toString());
            try (TestTensor in = TestTensor.of(device, type, x, shape(height, width));
                    TestTensor out = TestTensor.filled(device, type, Float.NaN, shape(outHeight(), outWidth()));
                    TestTensor w = TestTensor.of(device, FP32, weight, kernel, kernel, channels);
                    TestTensor b = TestTensor.of(device, FP32, biases, channels);
                    TestTensor s = TestTensor.of(device, FP32, scale, channels);
                    TestTensor t = TestTensor.of(device, FP32, shift, channels)) {
                Options options = stride == 2 ? Options.NONE.stride2() : Options.NONE;
                options = act == Act.GELU ? options.gelu() : act == Act.LEAKY_RELU ? options.leakyRelu(SLOPE) : options;
                options = norm ? options.norm(s.tensor(), t.tensor(), EPS) : options;
                for (int top = 0; top < outHeight(); top += band) {
                    int bottom = Math.min(top + band, outHeight());
                    boolean whole = bottom - top == outHeight();
                    DepthwiseConv.run(
                            device,
                            whole ? out.tensor() : out.tensor().rows(top, bottom - top),
                            in.tensor(),
                            w.tensor(),
                            bias ? b.tensor() : null,
                            whole ? options : options.rows(top, bottom),
                            device.defaultStream());
                }
                float[] got = out.read();
                double[] sums = new double[channels];
                double[] sizes = new double[channels];
                for (int pixel = 0; pixel < n * outHeight() * outWidth(); pixel++) {
                    int image = pixel / (outHeight() * outWidth());
                    int y = pixel / outWidth() % outHeight();
                    int column = pixel % outWidth();
                    double mean = 0;
                    for (int c = 0; c < channels; c++) {
                        convolve(x, weight, biases, image, y, column, c, sums, sizes);
                        mean += sums[c] / channels;
                    }
                    double variance = 0;
                    double size = 0;
                    for (int c = 0; c < channels; c++) {
                        variance += (sums[c] - mean) * (sums[c] - mean) / channels;
                        size = Math.max(size, sizes[c]);
                    }
                    for (int c = 0; c < channels; c++) {
                        double v = sums[c];
                        double error = 1e-5 * sizes[c];
                        if (norm) {
                            double deviation = Math.sqrt(variance + EPS);
                            v = (v - mean) / deviation * scale[c] + shift[c];
                            error = 1e-5 * (size / deviation + 1) * (1 + Math.abs(v));
                        }
                        v = act == Act.GELU ? Reference.gelu(v) : act == Act.LEAKY_RELU && v < 0 ? v * SLOPE : v;
                        tolerance.check(
                                v,
                                got[pixel * channels + c],
                                2 * TestTensor.unit(type) * Math.abs(v) + error + 1e-6,
                                image + ", " + y + ", " + column + ", " + c);
                    }
                }
            }
            tolerance.report();
        }

        private void convolve(
                float[] x,
                float[] weight,
                float[] biases,
                int image,
                int y,
                int column,
                int c,
                double[] sums,
                double[] sizes) {
            double sum = biases[c];
            double size = Math.abs(sum);
            for (int ky = 0; ky < kernel; ky++) {
                for (int kx = 0; kx < kernel; kx++) {
                    int row = y * stride + ky - kernel / 2;
                    int from = column * stride + kx - kernel / 2;
                    if (row >= 0 && row < height && from >= 0 && from < width) {
                        double product = (double) x[((image * height + row) * width + from) * channels + c]
                                * weight[(ky * kernel + kx) * channels + c];
                        sum += product;
                        size += Math.abs(product);
                    }
                }
            }
            sums[c] = sum;
            sizes[c] = size;
        }
    }

    @DeviceTest
    void smallKernels(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (int kernel : new int[] {3, 5}) {
                new Case(type, 0, 1, 1, 2, kernel, 1, true, false, Act.NONE).run(device);
                new Case(type, 0, 7, 19, 6, kernel, 1, false, false, Act.LEAKY_RELU).run(device);
                new Case(type, 0, 19, 37, 64, kernel, 1, true, false, Act.GELU).run(device);
                new Case(type, 2, 11, 5, 130, kernel, 1, true, false, Act.NONE).run(device);
                new Case(type, 0, 70, 3, 2, kernel, 1, true, false, Act.NONE).run(device);
                new Case(type, 0, 7, 9, 19, kernel, 1, true, false, Act.GELU).run(device);
            }
        }
    }

    @DeviceTest
    void sevenBySeven(Device device) {
        for (ElementType type : TestMap.types(device)) {
            new Case(type, 0, 1, 1, 2, 7, 1, true, false, Act.NONE).run(device);
            new Case(type, 0, 9, 19, 64, 7, 1, true, false, Act.GELU).run(device);
            new Case(type, 2, 8, 7, 98, 7, 1, false, false, Act.LEAKY_RELU).run(device);
            new Case(type, 0, 7, 11, 7, 7, 1, true, false, Act.NONE).run(device);
            new Case(type, 0, 7, 11, 100, 7, 1, true, false, Act.NONE).run(device);
        }
    }

    @DeviceTest
    void anyKernel(Device device) {
        for (ElementType type : TestMap.types(device)) {
            new Case(type, 0, 9, 17, 20, 9, 1, true, false, Act.NONE).run(device);
            new Case(type, 0, 13, 8, 3, 13, 1, true, false, Act.GELU).run(device);
            new Case(type, 0, 33, 35, 5, 31, 1, true, false, Act.NONE).run(device);
            new Case(type, 3, 5, 6, 66, 11, 1, false, false, Act.LEAKY_RELU).run(device);
        }
    }

    @DeviceTest
    void strideTwo(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (int kernel : new int[] {3, 5, 7, 11}) {
                new Case(type, 0, 13, 19, 10, kernel, 2, true, false, Act.LEAKY_RELU).run(device);
                new Case(type, 2, 8, 36, 65, kernel, 2, false, false, Act.GELU).run(device);
            }
            new Case(type, 0, 1, 1, 1, 31, 2, true, false, Act.NONE).run(device);
        }
    }

    @DeviceTest
    void normOverChannels(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (int channels : new int[] {64, 128, 224, 256, 320}) {
                new Case(type, 0, 5, 11, channels, 7, 1, true, true, Act.NONE).run(device);
            }
            new Case(type, 0, 7, 19, 4, 7, 1, true, true, Act.LEAKY_RELU).run(device);
            new Case(type, 0, 7, 19, 2, 7, 1, true, true, Act.LEAKY_RELU).run(device);
            new Case(type, 2, 3, 9, 384, 7, 1, true, true, Act.NONE).run(device);
            new Case(type, 0, 5, 9, 99, 3, 1, true, true, Act.GELU).run(device);
            new Case(type, 0, 3, 9, 640, 5, 1, false, true, Act.NONE).run(device);
            new Case(type, 0, 7, 7, 19, 31, 1, true, true, Act.NONE).run(device);
            new Case(type, 0, 7, 19, 70, 5, 2, true, true, Act.GELU).run(device);
            new Case(type, 2, 6, 9, 128, 7, 2, true, true, Act.NONE).run(device);
        }
    }

    @DeviceTest
    void bandsOfRows(Device device) {
        for (int band : new int[] {1, 3, 4}) {
            new Case(FP32, 0, 10, 9, 6, 5, 1, true, false, Act.GELU).run(device, band);
            new Case(FP16, 0, 10, 9, 68, 7, 1, true, false, Act.NONE).run(device, band);
            new Case(FP16, 0, 10, 9, 132, 7, 1, true, true, Act.NONE).run(device, band);
            new Case(FP32, 0, 10, 9, 67, 5, 1, true, true, Act.LEAKY_RELU).run(device, band);
            new Case(FP32, 0, 11, 9, 7, 5, 2, true, true, Act.NONE).run(device, band);
            new Case(FP16, 0, 11, 9, 7, 3, 2, false, false, Act.NONE).run(device, band);
        }
    }

    @Test
    void noRaces() {
        TestDevices.inCheckedSchedules(device -> {
            List<ElementType> types = TestMap.types(device);
            long schedule = ((EmulatedDevice) device).options().scheduleSeed();
            ElementType type = types.get((int) schedule % types.size());
            new Case(type, 0, 7, 9, 6, 5, 1, true, false, Act.GELU).run(device);
            new Case(type, 2, 9, 5, 66, 3, 1, true, false, Act.NONE).run(device);
            new Case(type, 0, 5, 9, 6, 7, 1, true, false, Act.NONE).run(device);
            new Case(type, 0, 5, 9, 68, 7, 1, true, false, Act.NONE).run(device);
            new Case(type, 0, 5, 9, 7, 9, 1, true, false, Act.NONE).run(device);
            new Case(type, 0, 5, 9, 7, 3, 2, true, false, Act.NONE).run(device);
            new Case(type, 0, 5, 9, 132, 7, 1, true, true, Act.NONE).run(device);
            new Case(type, 2, 5, 9, 67, 5, 1, true, true, Act.NONE).run(device);
            new Case(type, 0, 5, 9, 7, 5, 2, true, true, Act.NONE).run(device);
        });
    }

    // ---------------------------------------------------------------- launches, refusals

    private static Tensor tensor(ElementType type, long... shape) {
        return Tensor.wrap(1 << 20, type, shape);
    }

    private static Tensor apart(ElementType type, long... shape) {
        return Tensor.wrap(1 << 30, type, shape);
    }

    private static Launch launch(int channels, int kernel, Options options) {
        return new DepthwiseConv.Call(
                        apart(FP16, 20, 20, channels),
                        tensor(FP16, 20, 20, channels),
                        tensor(FP32, kernel, kernel, channels),
                        tensor(FP32, channels),
                        options)
                .launch(4);
    }

    @Test
    void strategies() {
        Options norm = Options.NONE.norm(tensor(FP32, 64), tensor(FP32, 64), EPS);
        assertEquals("depthwise_conv_march3_fp16", launch(64, 3, Options.NONE).kernel());
        assertEquals("depthwise_conv_march5_fp16", launch(64, 5, Options.NONE).kernel());
        assertEquals("depthwise_conv_7_fp16", launch(64, 7, Options.NONE).kernel());
        assertEquals("depthwise_conv_any_fp16", launch(64, 9, Options.NONE).kernel());
        assertEquals("depthwise_conv_any_fp16", launch(63, 3, Options.NONE).kernel());
        assertEquals("depthwise_conv_any_fp16", launch(66, 7, Options.NONE).kernel());
        assertEquals(
                "depthwise_conv_stride2_fp16",
                launch(64, 3, Options.NONE.stride2()).kernel());
        assertEquals("depthwise_conv_norm7_fp16", launch(64, 7, norm).kernel());
        assertEquals("depthwise_conv_norm_fp16", launch(64, 5, norm).kernel());
        assertEquals("depthwise_conv_norm_fp16", launch(384, 7, norm).kernel());
        assertEquals(
                "depthwise_conv_norm_stride2_fp16",
                launch(64, 7, norm.stride2()).kernel());
    }

    @Test
    void countsWhatItMoves() {
        Launch seven = launch(132, 7, Options.NONE);
        assertEquals(3, seven.gridX()); // 3 x 10 tiles of 8 x 2, 10 a block
        assertEquals(3, seven.gridY());
        assertEquals(1, seven.gridZ());
        assertEquals(2 * 400 * 132 * 2 + 49 * 132 * 4 + 132 * 4, seven.bytes());
        assertEquals(400 * 132 * 98, seven.flops());
        Launch band = new DepthwiseConv.Call(
                        apart(FP16, 4, 20, 64),
                        tensor(FP16, 20, 20, 64),
                        tensor(FP32, 7, 7, 64),
                        null,
                        Options.NONE.rows(1, 5))
                .launch(4);
        assertEquals((8 + 4) * 20 * 64 * 2 + 49 * 64 * 4, band.bytes());
        Launch march = launch(130, 5, Options.NONE.gelu());
        assertEquals(1, march.gridX());
        assertEquals(3, march.gridY());
        assertEquals(3, march.gridZ()); // 8 rows a block, for a device of 4 multiprocessors
    }

    private static void refuses(String message, Tensor out, Tensor x, Tensor weight, Tensor bias, Options options) {
        try (Device device = TestDevices.emulated(75, false)) {
            Consumer<Device> call = d -> DepthwiseConv.run(d, out, x, weight, bias, options, d.defaultStream());
            assertEquals(
                    "depthwise_conv: " + message,
                    assertThrows(InvalidArgumentException.class, () -> call.accept(device))
                            .getMessage());
        }
    }

    @Test
    void refusals() {
        Tensor x = tensor(FP16, 9, 9, 64);
        Tensor out = apart(FP16, 9, 9, 64);
        Tensor w = tensor(FP32, 5, 5, 64);
        Tensor b = tensor(FP32, 64);
        Options none = Options.NONE;
        refuses("x: expected fp32 or fp16 or bf16, got [9, 9, 64] i32", out, tensor(I32, 9, 9, 64), w, b, none);
        refuses("x: expected [H, W, C], got [9, 64] fp16", out, tensor(FP16, 9, 64), w, b, none);
        refuses(
                "out: expected [rows, W / stride, C] = [5, 5, 64] fp16, got [9, 9, 64] fp16",
                out,
                x,
                w,
                b,
                none.stride2());
        refuses(
                "out: expected [images, rows, W / stride, C] = [2, 9, 9, 64] fp16, got [9, 9, 64] fp16",
                out,
                tensor(FP16, 2, 9, 9, 64),
                w,
                b,
                none);
        refuses("weight: expected [K, K, C] = [*, *, 64], got [25, 64] fp32", out, x, tensor(FP32, 25, 64), b, none);
        refuses(
                "weight: expected [K, K, C] = [5, 5, 64] fp32, got [5, 3, 64] fp32",
                out,
                x,
                tensor(FP32, 5, 3, 64),
                b,
                none);
        refuses("K: expected 3 to 31, got 33", out, x, tensor(FP32, 33, 33, 64), b, none);
        refuses("K: expected an odd number, got 4", out, x, tensor(FP32, 4, 4, 64), b, none);
        refuses("bias: expected [C] = [64] fp32, got [63] fp32", out, x, w, tensor(FP32, 63), none);
        refuses("options: expected a value, got null", out, x, w, b, null);
        refuses("first row: expected 0 to 9, got -1", out, x, w, b, none.rows(-1, 8));
        refuses("row after the last: expected 3 to 9, got 12", out, x, w, b, none.rows(3, 12));
        refuses("out: expected memory apart from x's, got memory that overlaps it", x, x, w, b, none);
        refuses(
                "norm weight: expected [C] = [64] fp32, got [63] fp32",
                out,
                x,
                w,
                b,
                none.norm(tensor(FP32, 63), b, EPS));
        Tensor wide = tensor(FP32, 704);
        refuses(
                "C with a norm: expected 1 to 640, got 704",
                apart(FP16, 9, 9, 704),
                tensor(FP16, 9, 9, 704),
                tensor(FP32, 3, 3, 704),
                wide,
                none.norm(wide, wide, EPS));
        refuses(
                "C with a norm: expected 1 to 128, got 704",
                apart(FP16, 9, 9, 704),
                tensor(FP16, 9, 9, 704),
                tensor(FP32, 31, 31, 704),
                wide,
                none.norm(wide, wide, EPS));
    }
}
