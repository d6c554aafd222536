package org.jmatte.train.data;

import java.util.Arrays;

/** Filters of square planes, in place; borders repeat the edge pixel. */
final class Blur {
    private Blur() {}

    /** Gaussian of a deviation in pixels: by its weights when small, else by three box filters. */
    static void gaussian(float[] plane, int side, float sigma) {
        if (sigma < 0.25f) {
            return;
        }
        if (sigma <= 1.6f) {
            float[] weights = weights(sigma);
            rows(plane, side, weights);
            transpose(plane, side);
            rows(plane, side, weights);
            transpose(plane, side);
            return;
        }
        // a box of radius r has variance r (r + 1) / 3; as many of radius r + 1 as bring the sum nearest
        float variance = sigma * sigma;
        int radius = (int) ((Math.sqrt(4 * variance + 1) - 1) / 2);
        int larger = Math.round((variance - radius * (radius + 1)) * 1.5f / (radius + 1));
        float[] line = new float[side];
        for (int turn = 0; turn < 2; turn++) {
            for (int start = 0; start < plane.length; start += side) {
                for (int k = 0; k < 3; k++) {
                    box(plane, start, line, side, k < larger ? radius + 1 : radius);
                }
            }
            transpose(plane, side);
        }
    }

    private static float[] weights(float sigma) {
        int radius = (int) Math.ceil(2.5f * sigma);
        float[] weights = new float[2 * radius + 1];
        float sum = 0;
        for (int i = 0; i < weights.length; i++) {
            float d = i - radius;
            weights[i] = (float) StrictMath.exp(-d * d / (2 * sigma * sigma));
            sum += weights[i];
        }
        for (int i = 0; i < weights.length; i++) {
            weights[i] /= sum;
        }
        return weights;
    }

    private static void rows(float[] plane, int side, float[] weights) {
        int radius = weights.length / 2;
        float[] padded = new float[side + 2 * radius];
        for (int start = 0; start < plane.length; start += side) {
            System.arraycopy(plane, start, padded, radius, side);
            Arrays.fill(padded, 0, radius, plane[start]);
            Arrays.fill(padded, radius + side, padded.length, plane[start + side - 1]);
            Arrays.fill(plane, start, start + side, 0);
            for (int k = 0; k < weights.length; k++) {
                float weight = weights[k];
                for (int x = 0; x < side; x++) {
                    plane[start + x] += weight * padded[x + k];
                }
            }
        }
    }

    private static void box(float[] plane, int start, float[] line, int side, int radius) {
        System.arraycopy(plane, start, line, 0, side);
        int last = side - 1;
        double sum = 0;
        for (int k = -radius; k <= radius; k++) {
            sum += line[Math.max(0, Math.min(last, k))];
        }
        double inverse = 1.0 / (2 * radius + 1);
        for (int x = 0; x < side; x++) {
            plane[start + x] = (float) (sum * inverse);
            sum += line[Math.min(last, x + radius + 1)] - line[Math.max(0, x - radius)];
        }
    }

    private static void transpose(float[] plane, int side) {
        for (int y = 0; y < side; y++) {
            for (int x = y + 1; x < side; x++) {
                float value = plane[y * side + x];
                plane[y * side + x] = plane[x * side + y];
                plane[x * side + y] = value;
            }
        }
    }

    /** Mean over a disc, as a lens out of focus makes it. */
    static void disc(float[] plane, int side, float radius) {
        int reach = (int) radius;
        int padded = side + 2 * reach + 1;
        double[][] sums = new double[side][];
        for (int y = 0; y < side; y++) {
            double[] line = new double[padded];
            for (int k = 1; k < padded; k++) {
                line[k] = line[k - 1] + plane[y * side + Math.max(0, Math.min(side - 1, k - 1 - reach))];
            }
            sums[y] = line;
        }
        int[] halves = new int[reach + 1];
        int count = 0;
        for (int dy = 0; dy <= reach; dy++) {
            halves[dy] = (int) Math.sqrt(radius * radius - dy * dy);
            count += (dy == 0 ? 1 : 2) * (2 * halves[dy] + 1);
        }
        double inverse = 1.0 / count;
        double[] total = new double[side];
        for (int y = 0; y < side; y++) {
            Arrays.fill(total, 0);
            for (int dy = -reach; dy <= reach; dy++) {
                double[] line = sums[Math.max(0, Math.min(side - 1, y + dy))];
                int half = halves[Math.abs(dy)];
                for (int x = 0; x < side; x++) {
                    total[x] += line[x + reach + half + 1] - line[x + reach - half];
                }
            }
            for (int x = 0; x < side; x++) {
                plane[y * side + x] = (float) (total[x] * inverse);
            }
        }
    }

    /** Mean along a line of this length and direction, as motion makes it. */
    static void line(float[] plane, int side, float length, float angle) {
        int taps = Math.max(2, (int) Math.ceil(length));
        float[] source = plane.clone();
        Arrays.fill(plane, 0);
        for (int k = 0; k < taps; k++) {
            float along = length * ((k + 0.5f) / taps - 0.5f);
            int dx = Math.round(along * (float) StrictMath.cos(angle));
            int dy = Math.round(along * (float) StrictMath.sin(angle));
            for (int y = 0; y < side; y++) {
                int row = Math.max(0, Math.min(side - 1, y + dy)) * side;
                int from = Math.max(0, -dx);
                int to = Math.min(side, side - dx);
                for (int x = 0; x < from; x++) {
                    plane[y * side + x] += source[row];
                }
                for (int x = from; x < to; x++) {
                    plane[y * side + x] += source[row + x + dx];
                }
                for (int x = Math.max(from, to); x < side; x++) {
                    plane[y * side + x] += source[row + side - 1];
                }
            }
        }
        for (int i = 0; i < plane.length; i++) {
            plane[i] /= taps;
        }
    }
}
