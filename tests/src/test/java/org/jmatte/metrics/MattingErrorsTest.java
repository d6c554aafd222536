package org.jmatte.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Random;
import org.jmatte.image.Alpha;
import org.jmatte.image.ImageException;
import org.jmatte.image.Trimap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The metrics against plain computations from their definitions. */
class MattingErrorsTest {
    private static final double TOLERANCE = 1e-5; // relative

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 40", "40, 1", "2, 3", "37, 53", "150, 131"})
    void equalsThePlainComputation(int height, int width) {
        Random random = new Random(height * 1000L + width);
        float[] truth = blobs(height, width, random);
        float[] alpha = truth.clone();
        byte[] trimap = new byte[alpha.length];
        for (int i = 0; i < alpha.length; i++) {
            alpha[i] = Math.max(0, Math.min(1, alpha[i] + 0.3f * (float) random.nextGaussian()));
            trimap[i] = (byte) (random.nextInt(3) == 0 ? 0 : random.nextInt(3) == 0 ? 255 : 128);
        }
        check(alpha, truth, trimap, height, width);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0, 1", "1, 0", "1, 1", "0.4, 0.6"})
    void emptyFullAndConstantAlphas(float alpha, float truth) {
        int height = 23;
        int width = 31;
        float[] constantAlpha = new float[height * width];
        float[] constantTruth = new float[height * width];
        Arrays.fill(constantAlpha, alpha);
        Arrays.fill(constantTruth, truth);
        byte[] trimap = new byte[height * width];
        Arrays.fill(trimap, (byte) 128);
        check(constantAlpha, constantTruth, trimap, height, width);
    }

    @Test
    void withoutUnknownPixelsAllErrorsAreZero() {
        MattingErrors errors = MattingErrors.between(
                alpha(new float[] {0, 1, 0.5f, 0.2f}, 2, 2),
                alpha(new float[] {1, 0, 0.1f, 0.9f}, 2, 2),
                trimap(new byte[] {0, (byte) 255, 0, 0}, 2, 2));
        assertEquals(new MattingErrors(0, 0, 0, 0, 0), errors);
    }

    @Test
    void withoutATrimapAllPixelsCount() {
        float[] alpha = {0, 1, 0.5f, 0.2f};
        float[] truth = {1, 0, 0.1f, 0.9f};
        byte[] unknown = {1, 1, 1, 1};
        assertEquals(
                MattingErrors.between(alpha(alpha, 2, 2), alpha(truth, 2, 2), trimap(unknown, 2, 2)),
                MattingErrors.between(alpha(alpha, 2, 2), alpha(truth, 2, 2)));
    }

    @ParameterizedTest
    @EnumSource(Alpha.Format.class)
    void everyFormatIsReadAsItsValue(Alpha.Format format) {
        Alpha alpha = Alpha.allocate(2, 2, format);
        ByteBuffer values = alpha.values();
        for (int i = 0; i < 4; i++) {
            switch (format) {
                case U8 -> values.put((byte) (51 * i));
                case U16 -> values.putShort((short) (13107 * i));
                case F32 -> values.putFloat(51 * i / 255f);
            }
        }
        MattingErrors errors = MattingErrors.between(alpha, alpha(new float[4], 2, 2));
        assertEquals(1.2 / 1000, errors.sad(), 1e-9);
        assertEquals(0.56 / 4, errors.mse(), 1e-7);
    }

    @Test
    void sizesMustAgree() {
        Alpha small = alpha(new float[4], 2, 2);
        Alpha large = alpha(new float[6], 2, 3);
        ImageException ofAlpha = assertThrows(ImageException.class, () -> MattingErrors.between(small, large));
        assertTrue(ofAlpha.getMessage().contains("alpha: expected the truth's size, 3x2 pixels, got 2x2"));
        ImageException ofTrimap = assertThrows(
                ImageException.class, () -> MattingErrors.between(small, small, trimap(new byte[6], 2, 3)));
        assertTrue(ofTrimap.getMessage().contains("trimap: expected the truth's size, 2x2 pixels, got 3x2"));
    }

    private static float[] blobs(int height, int width, Random random) {
        float[] values = new float[height * width];
        for (int blob = 0; blob < 6; blob++) {
            double cy = random.nextDouble() * height;
            double cx = random.nextDouble() * width;
            double radius = 2 + random.nextDouble() * 20;
            for (int i = 0; i < values.length; i++) {
                double distance = Math.hypot(i / width - cy, i % width - cx);
                values[i] = Math.max(values[i], (float) Math.max(0, Math.min(1, 1.5 - distance / radius)));
            }
        }
        return values;
    }

    private static Alpha alpha(float[] values, int height, int width) {
        Alpha alpha = Alpha.allocate(height, width, Alpha.Format.F32);
        alpha.values().asFloatBuffer().put(values);
        return alpha;
    }

    private static Trimap trimap(byte[] values, int height, int width) {
        return Trimap.wrap(
                ByteBuffer.allocateDirect(values.length).put(values).flip(), height, width, Trimap.Values.RAW);
    }

    private static void check(float[] alpha, float[] truth, byte[] trimap, int height, int width) {
        MattingErrors errors = MattingErrors.between(
                alpha(alpha, height, width), alpha(truth, height, width), trimap(trimap, height, width));
        double sad = 0;
        double squares = 0;
        double grad = 0;
        double conn = 0;
        int pixels = 0;
        double[] slopeOfAlpha = slopes(alpha, height, width);
        double[] slopeOfTruth = slopes(truth, height, width);
        double[] level = levels(alpha, truth, height, width);
        for (int i = 0; i < alpha.length; i++) {
            if (trimap[i] == 0 || trimap[i] == (byte) 255) {
                continue;
            }
            pixels++;
            sad += Math.abs((double) alpha[i] - truth[i]) / 1000;
            squares += Math.pow((double) alpha[i] - truth[i], 2);
            grad += Math.pow(slopeOfAlpha[i] - slopeOfTruth[i], 2) / 1000;
            conn += Math.abs(phi(alpha[i] - level[i]) - phi(truth[i] - level[i])) / 1000;
        }
        assertEquals(pixels, errors.pixels());
        assertEquals(sad, errors.sad(), TOLERANCE * sad + 1e-12);
        assertEquals(pixels == 0 ? 0 : squares / pixels, errors.mse(), TOLERANCE * squares);
        assertEquals(grad, errors.grad(), TOLERANCE * grad + 1e-12);
        assertEquals(conn, errors.conn(), TOLERANCE * conn + 1e-12);
    }

    private static double phi(double distance) {
        return distance >= 0.15 ? 1 - distance : 1;
    }

    private static double[] slopes(float[] values, int height, int width) {
        double sigma = 1.4;
        int h = (int) Math.ceil(sigma * Math.sqrt(-2 * Math.log(Math.sqrt(2 * Math.PI) * sigma * 0.01)));
        double[][] filter = new double[2 * h + 1][2 * h + 1];
        double norm = 0;
        for (int i = -h; i <= h; i++) {
            for (int j = -h; j <= h; j++) {
                double value = gauss(i, sigma) * -j * gauss(j, sigma) / (sigma * sigma);
                filter[i + h][j + h] = value;
                norm += value * value;
            }
        }
        double[] amplitudes = new double[values.length];
        for (int at = 0; at < values.length; at++) {
            double inX = 0;
            double inY = 0;
            for (int i = -h; i <= h; i++) {
                for (int j = -h; j <= h; j++) {
                    int y = Math.max(0, Math.min(height - 1, at / width + i));
                    int x = Math.max(0, Math.min(width - 1, at % width + j));
                    inX += filter[i + h][j + h] * values[y * width + x];
                    inY += filter[j + h][i + h] * values[y * width + x];
                }
            }
            amplitudes[at] = Math.sqrt((inX * inX + inY * inY) / norm);
        }
        return amplitudes;
    }

    private static double gauss(double x, double sigma) {
        return Math.exp(-x * x / (2 * sigma * sigma)) / (sigma * Math.sqrt(2 * Math.PI));
    }

    private static double[] levels(float[] alpha, float[] truth, int height, int width) {
        double[] level = new double[alpha.length];
        Arrays.fill(level, -1);
        for (int i = 1; i <= 10; i++) {
            boolean[] inside = new boolean[alpha.length];
            for (int at = 0; at < alpha.length; at++) {
                inside[at] = alpha[at] >= i / 10.0 && truth[at] >= i / 10.0;
            }
            boolean[] largest = largest(inside, height, width);
            for (int at = 0; at < alpha.length; at++) {
                if (level[at] == -1 && !largest[at]) {
                    level[at] = (i - 1) / 10.0;
                }
            }
        }
        for (int at = 0; at < alpha.length; at++) {
            level[at] = level[at] == -1 ? 1 : level[at];
        }
        return level;
    }

    /** By flooding from every pixel not yet reached. */
    private static boolean[] largest(boolean[] inside, int height, int width) {
        boolean[] reached = new boolean[inside.length];
        boolean[] best = new boolean[inside.length];
        int most = 0;
        for (int seed = 0; seed < inside.length; seed++) {
            if (!inside[seed] || reached[seed]) {
                continue;
            }
            boolean[] component = new boolean[inside.length];
            Deque<Integer> open = new ArrayDeque<>();
            open.push(seed);
            reached[seed] = true;
            int size = 0;
            while (!open.isEmpty()) {
                int at = open.pop();
                component[at] = true;
                size++;
                int[] neighbours = {
                    at % width > 0 ? at - 1 : at,
                    at % width < width - 1 ? at + 1 : at,
                    at >= width ? at - width : at,
                    at + width < inside.length ? at + width : at
                };
                for (int neighbour : neighbours) {
                    if (inside[neighbour] && !reached[neighbour]) {
                        reached[neighbour] = true;
                        open.push(neighbour);
                    }
                }
            }
            if (size > most) {
                most = size;
                best = component;
            }
        }
        return best;
    }
}
