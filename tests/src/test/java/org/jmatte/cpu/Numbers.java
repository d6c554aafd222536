package org.jmatte.cpu;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jmatte.bindings.cpu.CpuKernels;
import org.junit.jupiter.params.provider.Arguments;

/** What the kernel tests share: their cases, reproducible operands and comparisons. */
final class Numbers {
    private static final int OWN_ISAS = 3; // a fourth, AMX, is oneDNN's alone

    private Numbers() {}

    /** The instruction sets of this machine for which there are kernels. */
    static IntStream isas() {
        return IntStream.rangeClosed(1, Math.min(CpuKernels.detect_isa(), OWN_ISAS));
    }

    /** Each of them with either type. */
    static Stream<Arguments> isasAndTypes() {
        return isas().boxed()
                .flatMap(isa -> Stream.of(Arguments.of(isa, NativeBuffer.FP32), Arguments.of(isa, NativeBuffer.BF16)));
    }

    static void restoreIsa() {
        CpuKernels.use_isa(CpuKernels.detect_isa());
    }

    /** Normally distributed. */
    static float[] random(int count, long seed) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) values[i] = (float) random.nextGaussian();
        return values;
    }

    static byte[] randomBytes(int count, long seed) {
        byte[] values = new byte[count];
        new Random(seed).nextBytes(values);
        return values;
    }

    /** A trimap whose bytes are known values in about two of three places. */
    static byte[] randomTrimap(int count, long seed) {
        Random random = new Random(seed);
        byte[] values = new byte[count];
        for (int i = 0; i < count; i++) values[i] = (byte) new int[] {0, 255, random.nextInt(256)}[random.nextInt(3)];
        return values;
    }

    /** Rounded to the nearest bf16, ties to even. */
    static float bf16(float value) {
        if (Float.isNaN(value)) return value;
        int bits = Float.floatToRawIntBits(value);
        return Float.intBitsToFloat(bits + 0x7FFF + (bits >>> 16 & 1) & 0xFFFF0000);
    }

    /** What storing the values as {@code type} leaves of them. */
    static float[] stored(float[] values, int type) {
        float[] result = values.clone();
        if (type == NativeBuffer.BF16) for (int i = 0; i < result.length; i++) result[i] = bf16(result[i]);
        return result;
    }

    static double gelu(double x) {
        return x * 0.5 * erfc(-x / Math.sqrt(2));
    }

    /** Series below 3, continued fraction above. */
    private static double erfc(double x) {
        if (x < 0) return 2 - erfc(-x);
        if (x > 3) {
            double fraction = 0;
            for (int k = 60; k > 0; k--) fraction = k / 2.0 / (x + fraction);
            return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
        }
        double term = x;
        double sum = x;
        for (int n = 1; n < 100; n++) {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return 1 - 2 / Math.sqrt(Math.PI) * sum;
    }

    /**
     * Fails unless every result differs from the expected value by at most tolerance * max(1, |expected|), for bf16 one
     * unit in the last place more. What is NaN or infinite must be so in both.
     */
    static void assertClose(double[] expected, float[] actual, double tolerance, int type) {
        if (expected.length != actual.length) fail("Expected " + expected.length + " values, not " + actual.length);
        for (int i = 0; i < expected.length; i++) {
            double magnitude = Math.abs(expected[i]);
            double allowed = tolerance * Math.max(1, magnitude) + (type == NativeBuffer.BF16 ? magnitude / 128 : 0);
            boolean finite = Double.isFinite(expected[i]);
            if (finite != Float.isFinite(actual[i])
                    || Double.isNaN(expected[i]) != Float.isNaN(actual[i])
                    || (finite
                            ? Math.abs(expected[i] - actual[i]) > allowed
                            : !Double.isNaN(expected[i]) && expected[i] != actual[i]))
                fail("Element " + i + ": expected " + expected[i] + ", not " + actual[i]);
        }
    }

    /** Fails unless both are the same numbers; NaN equals NaN. */
    static void assertSame(float[] expected, float[] actual) {
        double[] exact = new double[expected.length];
        for (int i = 0; i < exact.length; i++) exact[i] = expected[i];
        assertClose(exact, actual, 0, NativeBuffer.FP32);
    }
}
