package org.jmatte.metrics;

import org.jmatte.image.Alpha;

/**
 * Gaussian derivatives of an alpha: with {@code g(x) = exp(-x^2 / (2 sigma^2)) / (sigma sqrt(2 pi))}, the filter in x is
 * {@code g(row) g'(column)} over its Frobenius norm, that in y its transpose; borders repeat the edge pixel. Rows come out
 * in turn, over a ring of filtered input rows.
 */
final class Gradient {
    private static final double SIGMA = 1.4;
    private static final double LEAST_TAP = 0.01;
    static final int RADIUS =
            (int) Math.ceil(SIGMA * Math.sqrt(-2 * Math.log(Math.sqrt(2 * Math.PI) * SIGMA * LEAST_TAP)));
    private static final int TAPS = 2 * RADIUS + 1;
    private static final float[] SMOOTH = new float[TAPS];
    private static final float[] SLOPE = new float[TAPS];

    static {
        double[] smooth = new double[TAPS];
        double[] slope = new double[TAPS];
        double smoothSquares = 0;
        double slopeSquares = 0;
        for (int i = 0; i < TAPS; i++) {
            double x = i - RADIUS;
            smooth[i] = Math.exp(-x * x / (2 * SIGMA * SIGMA)) / (SIGMA * Math.sqrt(2 * Math.PI));
            slope[i] = -x * smooth[i] / (SIGMA * SIGMA);
            smoothSquares += smooth[i] * smooth[i];
            slopeSquares += slope[i] * slope[i];
        }
        double norm = Math.sqrt(smoothSquares * slopeSquares); // of the outer product
        for (int i = 0; i < TAPS; i++) {
            SMOOTH[i] = (float) (smooth[i] / norm);
            SLOPE[i] = (float) slope[i];
        }
    }

    private final Alpha alpha;
    private final float[][] smoothed; // along rows, a ring by row
    private final float[][] sloped;
    private final float[] padded;
    private int next; // row to be filtered

    /** @param first the row that {@link #amplitude} is asked for first */
    Gradient(Alpha alpha, int first) {
        this.alpha = alpha;
        smoothed = new float[TAPS][alpha.width()];
        sloped = new float[TAPS][alpha.width()];
        padded = new float[alpha.width() + 2 * RADIUS];
        next = Math.max(0, first - RADIUS);
    }

    /** Writes the amplitude of row {@code y}; rows are asked for in their order. */
    void amplitude(int y, float[] target) {
        while (next <= Math.min(alpha.height() - 1, y + RADIUS)) {
            filter(next++);
        }
        for (int x = 0; x < alpha.width(); x++) {
            float inX = 0;
            float inY = 0;
            for (int i = 0; i < TAPS; i++) {
                int row = Math.max(0, Math.min(alpha.height() - 1, y + i - RADIUS)) % TAPS;
                inX += SMOOTH[i] * sloped[row][x];
                inY += SLOPE[i] * smoothed[row][x];
            }
            target[x] = (float) Math.sqrt(inX * inX + inY * inY);
        }
    }

    private void filter(int y) {
        alpha.row(y, padded);
        System.arraycopy(padded, 0, padded, RADIUS, alpha.width());
        for (int i = 0; i < RADIUS; i++) {
            padded[i] = padded[RADIUS];
            padded[RADIUS + alpha.width() + i] = padded[RADIUS + alpha.width() - 1];
        }
        for (int x = 0; x < alpha.width(); x++) {
            float smooth = 0;
            float slope = 0;
            for (int i = 0; i < TAPS; i++) {
                smooth += SMOOTH[i] * padded[x + i];
                slope += SLOPE[i] * padded[x + i];
            }
            smoothed[y % TAPS][x] = smooth;
            sloped[y % TAPS][x] = slope;
        }
    }
}
