package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.jmatte.kernels.VectorLayers.Activation;
import org.junit.jupiter.api.Test;

class VectorLayersTest {
    private static final float SLOPE = 0.1f;

    private static void dense(Device device, int outputs, int inputsA, int inputsB, Activation activation) {
        int inputs = inputsA + inputsB;
        float[] a = TestMap.uniform(FP32, inputsA, 1, 1);
        float[] b = TestMap.uniform(FP32, inputsB, 2, 1);
        float[] weight = TestMap.uniform(FP32, outputs * inputs, 3, 1);
        float[] bias = TestMap.uniform(FP32, outputs, 4, 1);
        Tolerance tolerance = new Tolerance(activation + ", " + inputs + " to " + outputs);
        try (TestTensor out = TestTensor.filled(device, FP32, 7, outputs);
                TestTensor at = TestTensor.of(device, FP32, a, inputsA);
                TestTensor bt = TestTensor.of(device, FP32, b, inputsB);
                TestTensor wt = TestTensor.of(device, FP32, weight, outputs, inputs);
                TestTensor biases = TestTensor.of(device, FP32, bias, outputs)) {
            VectorLayers.dense(
                    device,
                    out.tensor(),
                    at.tensor(),
                    inputsB == 0 ? null : bt.tensor(),
                    wt.tensor(),
                    biases.tensor(),
                    activation,
                    SLOPE,
                    device.defaultStream());
            float[] got = out.read();
            for (int n = 0; n < outputs; n++) {
                double sum = bias[n];
                double size = Math.abs(sum);
                for (int i = 0; i < inputs; i++) {
                    double product = (double) weight[n * inputs + i] * (i < inputsA ? a[i] : b[i - inputsA]);
                    sum += product;
                    size += Math.abs(product);
                }
                double v =
                        switch (activation) {
                            case IDENTITY -> sum;
                            case LEAKY_RELU -> sum < 0 ? SLOPE * sum : sum;
                            case SIGMOID -> 1 / (1 + Math.exp(-sum));
                        };
                tolerance.check(v, got[n], 1e-5 * size + 1e-6, Integer.toString(n));
            }
        }
        tolerance.report();
    }

    @DeviceTest
    void denseOfAnySize(Device device) {
        dense(device, 1, 1, 0, Activation.IDENTITY);
        dense(device, 40, 320, 32, Activation.LEAKY_RELU);
        dense(device, 320, 40, 0, Activation.SIGMOID);
        dense(device, 2, 16, 0, Activation.IDENTITY);
        dense(device, 19, 500, 7, Activation.SIGMOID);
    }

    private static void scale(Device device, TestMap in, int inPitch, int outPitch, boolean inPlace) {
        float[] factors = TestMap.uniform(FP32, in.channels, 5, 2);
        TestMap out = inPlace ? in : TestMap.untouched(in.type, in.height, in.width, in.channels);
        int height = Math.max(1, in.height);
        try (TestMap.OnDevice i = in.upload(device, height, 0, inPitch);
                TestMap.OnDevice r = inPlace ? i : out.upload(device, height, 0, outPitch);
                TestTensor f = TestTensor.of(device, FP32, factors, in.channels)) {
            VectorLayers.scale(device, r.map(), i.map(), f.tensor(), device.defaultStream());
            r.check(
                    (y, x) -> 1,
                    (y, x, c, got) -> assertEquals(
                            TestTensor.round(in.type, in.get(y, x, c) * factors[c]), got, y + ", " + x + ", " + c));
        }
    }

    @DeviceTest
    void scaleOfAnySize(Device device) {
        for (ElementType type : TestMap.types(device)) {
            scale(device, TestMap.random(type, 1, 1, 1, 6), 1, 1, false);
            scale(device, TestMap.random(type, 7, 19, 64, 7), 64, 64, true);
            scale(device, TestMap.random(type, 19, 7, 30, 8), 32, 40, false);
            scale(device, TestMap.random(type, 3, 111, 5, 9), 5, 7, false);
            scale(device, TestMap.random(type, 0, 11, 8, 10), 8, 8, false);
        }
    }

    @Test
    void checkedAccesses() {
        try (Device device = TestDevices.emulated(75, true)) {
            dense(device, 19, 40, 7, Activation.LEAKY_RELU);
            for (ElementType type : TestMap.types(device)) {
                scale(device, TestMap.random(type, 5, 7, 30, 11), 32, 40, false);
            }
        }
    }

    @Test
    void badArgumentsAreRefused() {
        try (Device device = TestDevices.emulated(80, false);
                DeviceBuffer memory = device.allocate(1 << 20)) {
            Tensor out = memory.tensorAt(0, FP32, 16);
            Tensor a = memory.tensorAt(4096, FP32, 40);
            Tensor b = memory.tensorAt(8192, FP32, 32);
            Tensor weight = memory.tensorAt(1 << 16, FP32, 16, 72);
            Stream stream = device.defaultStream();
            assertRefused(
                    "vector_layers: weight: expected [N, A + B] = [16, 40] fp32, got [16, 72] fp32",
                    () -> VectorLayers.dense(device, out, a, null, weight, null, Activation.IDENTITY, 0, stream));
            assertRefused(
                    "vector_layers: out: expected memory apart from a's, got memory that overlaps it",
                    () -> VectorLayers.dense(
                            device,
                            memory.tensorAt(4096, FP32, 16),
                            a,
                            b,
                            weight,
                            null,
                            Activation.IDENTITY,
                            0,
                            stream));
            assertRefused(
                    "vector_layers: activation: expected a value, got null",
                    () -> VectorLayers.dense(device, out, a, b, weight, null, null, 0, stream));
            assertRefused(
                    "vector_layers: bias: expected [N] = [16] fp32, got [32] fp32",
                    () -> VectorLayers.dense(device, out, a, b, weight, b, Activation.IDENTITY, 0, stream));
            FeatureMap map = FeatureMap.of(memory.tensorAt(0, FP16, 8, 10, 16));
            assertRefused(
                    "vector_layers: scale: expected [C] = [16] fp32, got [40] fp32",
                    () -> VectorLayers.scale(device, map, map, a, stream));
            assertRefused(
                    "vector_layers: out: expected [8, 10, 16] fp16, got [8, 10, 8] fp16",
                    () -> VectorLayers.scale(
                            device,
                            FeatureMap.of(memory.tensorAt(1 << 17, FP16, 8, 10, 8)),
                            map,
                            memory.tensorAt(1 << 18, FP32, 16),
                            stream));
        }
    }
}
