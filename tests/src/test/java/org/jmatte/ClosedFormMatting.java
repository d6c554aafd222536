package org.jmatte;

import java.util.Arrays;

/**
 * Closed-form matting (Levin, Lischinski, Weiss 2008), written plainly as a peer to measure networks against. Alpha
 * minimises {@code alpha' L alpha + lambda sum over known pixels of (alpha - trimap)^2}, L being the matting Laplacian of
 * 3x3 windows; conjugate gradients with a diagonal preconditioner.
 *
 * <p>L is never built: within a window k, the best linear model of alpha in the colours I is {@code a_k . I + b_k}, and
 * {@code (L alpha)_i = sum over the windows around i of alpha_i - a_k . I_i - b_k}.
 */
final class ClosedFormMatting {
    private static final double LAMBDA = 100;
    private static final double EPSILON = 1e-7; // times the identity, added to a window's covariance
    private static final double TOLERANCE = 1e-7; // of the residual, relative to the right-hand side
    private static final int WINDOW = 9;

    private final int height;
    private final int width;
    private final int pixels;
    private final double[][] image = new double[3][];
    private final double[][] mean = new double[3][]; // of the window around each pixel, where it fits
    private final double[][] inverse = new double[6][]; // of its regularised covariance: 00 01 02 11 12 22
    private final double[] diagonal;

    private ClosedFormMatting(float[] rgb, int height, int width) {
        this.height = height;
        this.width = width;
        pixels = height * width;
        for (int c = 0; c < 3; c++) {
            image[c] = new double[pixels];
            for (int i = 0; i < pixels; i++) {
                image[c][i] = rgb[c * pixels + i];
            }
            mean[c] = windows(image[c]);
        }
        for (int p = 0; p < 6; p++) {
            inverse[p] = new double[pixels];
        }
        invert();
        diagonal = diagonal();
    }

    /**
     * Solves for alpha.
     *
     * @param rgb planar, 0..1
     * @param trimap 0, 1, or anything else for unknown
     * @param iterations at most
     */
    static float[] alpha(float[] rgb, float[] trimap, int height, int width, int iterations) {
        ClosedFormMatting matting = new ClosedFormMatting(rgb, height, width);
        double[] known = new double[trimap.length];
        double[] right = new double[trimap.length];
        double[] start = new double[trimap.length];
        for (int i = 0; i < trimap.length; i++) {
            boolean fixed = trimap[i] == 0 || trimap[i] == 1;
            known[i] = fixed ? LAMBDA : 0;
            right[i] = known[i] * trimap[i];
            start[i] = trimap[i];
        }
        double[] alpha = matting.solve(start, right, known, iterations);
        float[] result = new float[trimap.length];
        for (int i = 0; i < result.length; i++) {
            boolean fixed = trimap[i] == 0 || trimap[i] == 1;
            result[i] = fixed ? trimap[i] : (float) Math.max(0, Math.min(1, alpha[i]));
        }
        return result;
    }

    private double[] solve(double[] x, double[] right, double[] known, int iterations) {
        double[] residual = multiply(x, known);
        double[] direction = new double[pixels];
        double norm = 0;
        double power = 0;
        for (int i = 0; i < pixels; i++) {
            residual[i] = right[i] - residual[i];
            direction[i] = residual[i] / (diagonal[i] + known[i]);
            power += residual[i] * direction[i];
            norm += right[i] * right[i];
        }
        for (int n = 0; n < iterations; n++) {
            double[] product = multiply(direction, known);
            double curvature = 0;
            for (int i = 0; i < pixels; i++) {
                curvature += direction[i] * product[i];
            }
            double length = power / curvature;
            double next = 0;
            double left = 0;
            for (int i = 0; i < pixels; i++) {
                x[i] += length * direction[i];
                residual[i] -= length * product[i];
                next += residual[i] * residual[i] / (diagonal[i] + known[i]);
                left += residual[i] * residual[i];
            }
            if (left <= TOLERANCE * TOLERANCE * norm) {
                break;
            }
            for (int i = 0; i < pixels; i++) {
                direction[i] = residual[i] / (diagonal[i] + known[i]) + next / power * direction[i];
            }
            power = next;
        }
        return x;
    }

    /** L x + known x. */
    private double[] multiply(double[] x, double[] known) {
        double[] meanX = windows(x);
        double[][] model = new double[4][pixels]; // a in three channels, b
        double[][] products = new double[3][];
        for (int c = 0; c < 3; c++) {
            double[] product = new double[pixels];
            for (int i = 0; i < pixels; i++) {
                product[i] = image[c][i] * x[i];
            }
            products[c] = windows(product);
        }
        for (int y = 1; y < height - 1; y++) {
            for (int i = y * width + 1; i < y * width + width - 1; i++) {
                double r = products[0][i] - mean[0][i] * meanX[i];
                double g = products[1][i] - mean[1][i] * meanX[i];
                double b = products[2][i] - mean[2][i] * meanX[i];
                model[0][i] = inverse[0][i] * r + inverse[1][i] * g + inverse[2][i] * b;
                model[1][i] = inverse[1][i] * r + inverse[3][i] * g + inverse[4][i] * b;
                model[2][i] = inverse[2][i] * r + inverse[4][i] * g + inverse[5][i] * b;
                model[3][i] = meanX[i] - model[0][i] * mean[0][i] - model[1][i] * mean[1][i] - model[2][i] * mean[2][i];
            }
        }
        double[] result = new double[pixels];
        double[][] sums = {around(model[0]), around(model[1]), around(model[2]), around(model[3])};
        for (int i = 0; i < pixels; i++) {
            result[i] = (windowsOf(i) + known[i]) * x[i]
                    - sums[0][i] * image[0][i]
                    - sums[1][i] * image[1][i]
                    - sums[2][i] * image[2][i]
                    - sums[3][i];
        }
        return result;
    }

    /** How many windows a pixel lies in. */
    private int windowsOf(int i) {
        int y = i / width;
        int x = i % width;
        int rows = Math.min(y + 1, height - 2) - Math.max(y - 1, 1) + 1;
        int columns = Math.min(x + 1, width - 2) - Math.max(x - 1, 1) + 1;
        return rows * columns;
    }

    /** The mean over the window around each pixel that is no border pixel. */
    private double[] windows(double[] x) {
        double[] sums = around(x);
        Arrays.setAll(sums, i -> sums[i] / WINDOW);
        return sums;
    }

    /** The sum over the neighbours within one pixel, and itself. */
    private double[] around(double[] x) {
        double[] rows = new double[pixels];
        for (int i = 0; i < pixels; i++) {
            int column = i % width;
            rows[i] = x[i] + (column > 0 ? x[i - 1] : 0) + (column < width - 1 ? x[i + 1] : 0);
        }
        double[] sums = new double[pixels];
        for (int i = 0; i < pixels; i++) {
            sums[i] = rows[i] + (i >= width ? rows[i - width] : 0) + (i < pixels - width ? rows[i + width] : 0);
        }
        return sums;
    }

    private void invert() {
        double[][] covariance = new double[6][];
        int p = 0;
        for (int a = 0; a < 3; a++) {
            for (int b = a; b < 3; b++) {
                double[] product = new double[pixels];
                for (int i = 0; i < pixels; i++) {
                    product[i] = image[a][i] * image[b][i];
                }
                covariance[p] = windows(product);
                for (int i = 0; i < pixels; i++) {
                    covariance[p][i] += (a == b ? EPSILON / WINDOW : 0) - mean[a][i] * mean[b][i];
                }
                p++;
            }
        }
        for (int i = 0; i < pixels; i++) {
            double rr = covariance[0][i];
            double rg = covariance[1][i];
            double rb = covariance[2][i];
            double gg = covariance[3][i];
            double gb = covariance[4][i];
            double bb = covariance[5][i];
            double determinant = rr * (gg * bb - gb * gb) - rg * (rg * bb - gb * rb) + rb * (rg * gb - gg * rb);
            inverse[0][i] = (gg * bb - gb * gb) / determinant;
            inverse[1][i] = (rb * gb - rg * bb) / determinant;
            inverse[2][i] = (rg * gb - rb * gg) / determinant;
            inverse[3][i] = (rr * bb - rb * rb) / determinant;
            inverse[4][i] = (rb * rg - rr * gb) / determinant;
            inverse[5][i] = (rr * gg - rg * rg) / determinant;
        }
    }

    /** L_ii: over the windows around i, 1 - (1 + (I_i - mean)' inverse (I_i - mean)) / 9. */
    private double[] diagonal() {
        double[] entries = new double[pixels];
        for (int y = 1; y < height - 1; y++) {
            for (int x = 1; x < width - 1; x++) {
                int k = y * width + x;
                for (int n = 0; n < WINDOW; n++) {
                    int i = k + (n / 3 - 1) * width + n % 3 - 1;
                    double r = image[0][i] - mean[0][k];
                    double g = image[1][i] - mean[1][k];
                    double b = image[2][i] - mean[2][k];
                    double distance = inverse[0][k] * r * r
                            + inverse[3][k] * g * g
                            + inverse[5][k] * b * b
                            + 2 * (inverse[1][k] * r * g + inverse[2][k] * r * b + inverse[4][k] * g * b);
                    entries[i] += 1 - (1 + distance) / WINDOW;
                }
            }
        }
        Arrays.setAll(entries, i -> Math.max(entries[i], 1e-8)); // rounding may take it below zero
        return entries;
    }
}
