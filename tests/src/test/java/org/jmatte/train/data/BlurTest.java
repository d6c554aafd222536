package org.jmatte.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class BlurTest {
    private static final int SIDE = 31;

    /** A plane with one bright pixel in its middle. */
    private static float[] impulse() {
        float[] plane = new float[SIDE * SIDE];
        plane[SIDE / 2 * SIDE + SIDE / 2] = 1;
        return plane;
    }

    @Test
    void aGaussianKeepsTheSumAndHasItsVariance() {
        for (float sigma : new float[] {0.5f, 1, 1.6f, 2, 3}) {
            float[] plane = impulse();
            Blur.gaussian(plane, SIDE, sigma);
            assertEquals(1, sum(plane, false), 1e-4, "sum at sigma " + sigma);
            assertEquals(sigma * sigma, sum(plane, true), 0.12 * sigma * sigma + 0.25, "variance at sigma " + sigma);
        }
    }

    @Test
    void aDiscIsTheMeanOverItsPixels() {
        Rng rng = new Rng(1);
        float[] plane = new float[SIDE * SIDE];
        for (int i = 0; i < plane.length; i++) {
            plane[i] = rng.uniform();
        }
        for (float radius : new float[] {1, 2.5f, 6}) {
            float[] blurred = plane.clone();
            Blur.disc(blurred, SIDE, radius);
            for (int i = 0; i < plane.length; i++) {
                assertEquals(discMean(plane, i % SIDE, i / SIDE, radius), blurred[i], 1e-5);
            }
        }
    }

    private static double discMean(float[] plane, int x, int y, float radius) {
        double sum = 0;
        int count = 0;
        for (int dy = -8; dy <= 8; dy++) {
            for (int dx = -8; dx <= 8; dx++) {
                if (dx * dx + dy * dy <= radius * radius) {
                    int column = Math.max(0, Math.min(SIDE - 1, x + dx));
                    int row = Math.max(0, Math.min(SIDE - 1, y + dy));
                    sum += plane[row * SIDE + column];
                    count++;
                }
            }
        }
        return sum / count;
    }

    @Test
    void aLineSpreadsAlongItsDirectionOnly() {
        float[] plane = impulse();
        Blur.line(plane, SIDE, 9, 0);
        for (int i = 0; i < plane.length; i++) {
            boolean on = i / SIDE == SIDE / 2 && Math.abs(i % SIDE - SIDE / 2) <= 4;
            assertEquals(on ? 1f / 9 : 0, plane[i], 1e-6);
        }
    }

    private static double sum(float[] plane, boolean squaredDistance) {
        double sum = 0;
        for (int i = 0; i < plane.length; i++) {
            double dx = i % SIDE - SIDE / 2;
            sum += plane[i] * (squaredDistance ? dx * dx : 1);
        }
        return sum;
    }
}
