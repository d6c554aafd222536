package org.jmatte.kernels;

import static org.jmatte.kernels.Refusals.refusal;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class CeilingsTest {
    private static final int WARP = 32;
    private static final int TILES = 4;

    /** The kernel's numbers: all of a lane's are the same. */
    private static double value(int seed) {
        return (seed * 5 % 16 * 2 - 15) / 16.0;
    }

    /**
     * The sum of a warp's products in an iteration. Lane 4 g + t has the columns 2 t and 2 t + 1 (and 8 more) of the rows g
     * and g + 8 of each tile of a, and the same rows of k of column g of each tile of b; so the sum over all of a b is the
     * sum over k of column sums of a times row sums of b.
     */
    private static double productsOfAWarp() {
        double sum = 0;
        for (int k = 0; k < 16; k++) {
            double a = 0;
            double b = 0;
            for (int g = 0; g < 8; g++) {
                int lane = 4 * g + k % 8 / 2;
                a += 2 * TILES * value(lane);
                b += TILES * value(lane + 7);
            }
            sum += a * b;
        }
        return sum;
    }

    @DeviceTest
    void matrixUnitsMultiply(Device device) {
        int iterations = 3;
        for (ElementType type : TestMap.types(device)) {
            if (type == ElementType.FP32) {
                continue;
            }
            float[] sums = run(device, type, iterations);
            for (int warp = 0; warp < sums.length / WARP; warp++) {
                double sum = 0;
                for (int lane = 0; lane < WARP; lane++) {
                    sum += sums[warp * WARP + lane];
                }
                assertEquals(iterations * productsOfAWarp(), sum, 1e-3, type + ", warp " + warp);
            }
        }
    }

    @DeviceTest
    void scalarUnitsMultiply(Device device) {
        int iterations = 5;
        float[] sums = run(device, ElementType.FP32, iterations);
        for (int thread = 0; thread < sums.length; thread++) {
            float expected = 0;
            for (int i = 0; i < 64; i++) {
                float d = i;
                for (int n = 0; n < iterations; n++) {
                    d = Math.fma(d, (float) value(thread % WARP), (float) value(thread % WARP + 7));
                }
                expected += d;
            }
            assertEquals(expected, sums[thread], 1e-3f, "thread " + thread);
        }
    }

    private static float[] run(Device device, ElementType type, int iterations) {
        try (TestTensor out = TestTensor.filled(device, ElementType.FP32, 0, 2 * Ceilings.THREADS)) {
            Ceilings.run(device, out.tensor(), type, iterations, device.defaultStream());
            return out.read();
        }
    }

    @Test
    void countsWhatItComputes() {
        try (Device device = TestDevices.emulated(80, true);
                LaunchProfile profile = LaunchProfile.counting(device)) {
            run(device, ElementType.FP16, 3);
            // two blocks of eight warps, 64 x 32 x 16 multiply-adds each
            assertEquals(2L * 2 * 8 * 3 * 64 * 32 * 16, profile.flops());
            run(device, ElementType.FP32, 3);
            assertEquals(2L * 2 * 8 * 3 * 64 * 32 * 16 + 2L * 2 * 256 * 3 * 64, profile.flops());
            assertEquals(2, profile.entries().get(0).launch().gridX());
        }
    }

    @Test
    void refusals() {
        try (Device device = TestDevices.emulated(75, false);
                TestTensor out = TestTensor.filled(device, ElementType.FP32, 0, 300)) {
            Tensor one = out.tensor().rows(0, 256);
            Stream stream = device.defaultStream();
            assertEquals(
                    "ceilings: threads: expected a multiple of 256, got 300",
                    refusal(() -> Ceilings.run(device, out.tensor(), ElementType.FP16, 1, stream)));
            assertEquals(
                    "ceilings: type: expected fp32 or fp16, got bf16",
                    refusal(() -> Ceilings.run(device, one, ElementType.BF16, 1, stream)));
            assertEquals(
                    "ceilings: iterations: expected 1 to 2147483647, got 0",
                    refusal(() -> Ceilings.run(device, one, ElementType.FP16, 0, stream)));
        }
    }
}
