package org.jmatte.metrics;

import java.nio.ByteBuffer;
import java.util.stream.IntStream;
import org.jmatte.image.Alpha;
import org.jmatte.image.ImageException;
import org.jmatte.image.Trimap;

/**
 * How far an alpha is from the truth. With U the unknown pixels (Rhemann et al. 2009, as the matting benchmarks compute
 * and scale them):
 *
 * <pre>
 * sad   sum over U of |alpha - truth| / 1000
 * mse   mean over U of (alpha - truth)^2
 * grad  sum over U of (|gradient of alpha| - |gradient of truth|)^2 / 1000, gradients by Gaussian derivatives, sigma 1.4
 * conn  sum over U of |phi(alpha) - phi(truth)| / 1000, where phi(v) = 1 - d if d = v - l is at least 0.15, else 1, and l
 *       is the threshold in 0, 0.1, ... 1 up to which the pixel belongs to the largest 4-connected component of the
 *       pixels where both are at least as large
 * </pre>
 *
 * @param sad sum of absolute differences, in thousands
 * @param mse mean squared error; tables often print it times 1000
 * @param grad gradient error, in thousands
 * @param conn connectivity error, in thousands
 * @param pixels the number of pixels in U; of none, all errors are 0
 */
public record MattingErrors(double sad, double mse, double grad, double conn, long pixels) {
    private static final int BAND = 64; // rows that one task takes
    private static final double THOUSAND = 1000;
    private static final int THRESHOLDS = 10;
    private static final float LEAST_DISTANCE = 0.15f;

    /**
     * Compares over the pixels that a trimap leaves unknown, those neither 0 nor 255.
     *
     * @throws ImageException if the three differ in size
     */
    public static MattingErrors between(Alpha alpha, Alpha truth, Trimap trimap) {
        requireSize("trimap", trimap.height(), trimap.width(), truth);
        return of(alpha, truth, new Known(trimap.bytes()));
    }

    /**
     * Compares over all pixels.
     *
     * @throws ImageException if the two differ in size
     */
    public static MattingErrors between(Alpha alpha, Alpha truth) {
        return of(alpha, truth, null);
    }

    private static MattingErrors of(Alpha alpha, Alpha truth, Known known) {
        requireSize("alpha", alpha.height(), alpha.width(), truth);
        int bands = (truth.height() + BAND - 1) / BAND;
        Sums sums = IntStream.range(0, bands)
                .parallel()
                .mapToObj(band -> new Sums(alpha, truth, known, band * BAND))
                .toList()
                .stream() // in order: the sum does not depend on the number of threads
                .reduce(Sums::plus)
                .orElseThrow();
        double conn = connectivity(alpha, truth, known);
        double mean = sums.pixels == 0 ? 0 : sums.squared / sums.pixels;
        return new MattingErrors(
                sums.absolute / THOUSAND, mean, sums.gradient / THOUSAND, conn / THOUSAND, sums.pixels);
    }

    private static void requireSize(String name, int height, int width, Alpha truth) {
        if (height != truth.height() || width != truth.width()) {
            throw new ImageException(name + ": expected the truth's size, " + truth.width() + "x" + truth.height()
                    + " pixels, got " + width + "x" + height);
        }
    }

    /** What is not scored. */
    private record Known(ByteBuffer bytes) {
        static boolean[] row(Known known, int y, int width) {
            boolean[] unknown = new boolean[width];
            for (int x = 0; x < width; x++) {
                int value = known == null ? 1 : known.bytes.get(y * width + x) & 255;
                unknown[x] = value != 0 && value != 255;
            }
            return unknown;
        }
    }

    /** What adds up over rows. */
    private static final class Sums {
        private double absolute;
        private double squared;
        private double gradient;
        private long pixels;

        Sums(Alpha alpha, Alpha truth, Known known, int first) {
            Gradient ofAlpha = new Gradient(alpha, first);
            Gradient ofTruth = new Gradient(truth, first);
            float[] a = new float[truth.width()];
            float[] g = new float[truth.width()];
            for (int y = first; y < Math.min(first + BAND, truth.height()); y++) {
                boolean[] unknown = Known.row(known, y, truth.width());
                alpha.row(y, a);
                truth.row(y, g);
                for (int x = 0; x < a.length; x++) {
                    if (unknown[x]) {
                        double difference = (double) a[x] - g[x];
                        absolute += Math.abs(difference);
                        squared += difference * difference;
                        pixels++;
                    }
                }
                ofAlpha.amplitude(y, a);
                ofTruth.amplitude(y, g);
                for (int x = 0; x < a.length; x++) {
                    double difference = unknown[x] ? (double) a[x] - g[x] : 0;
                    gradient += difference * difference;
                }
            }
        }

        Sums plus(Sums other) {
            absolute += other.absolute;
            squared += other.squared;
            gradient += other.gradient;
            pixels += other.pixels;
            return this;
        }
    }

    private static double connectivity(Alpha alpha, Alpha truth, Known known) {
        int height = truth.height();
        int width = truth.width();
        byte[][] reached = thresholds(alpha, truth);
        byte[][] level = new byte[height][width]; // tenths of l, plus 1; 0 where not yet known
        Components components = new Components(height);
        boolean[] inside = new boolean[width];
        for (int i = 1; i <= THRESHOLDS; i++) {
            components.clear();
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    inside[x] = reached[y][x] >= i;
                }
                components.add(inside);
            }
            int largest = components.largest();
            for (int y = 0; y < height; y++) {
                components.mark(largest, y, inside);
                for (int x = 0; x < width; x++) {
                    if (level[y][x] == 0 && !inside[x]) {
                        level[y][x] = (byte) i; // l = (i - 1) / 10
                    }
                }
            }
        }
        float[] a = new float[width];
        float[] g = new float[width];
        double sum = 0;
        for (int y = 0; y < height; y++) {
            boolean[] unknown = Known.row(known, y, width);
            alpha.row(y, a);
            truth.row(y, g);
            for (int x = 0; x < width; x++) {
                if (unknown[x]) {
                    float l = level[y][x] == 0 ? 1 : (level[y][x] - 1) / (float) THRESHOLDS;
                    sum += Math.abs(phi(a[x] - l) - phi(g[x] - l));
                }
            }
        }
        return sum;
    }

    /** How many of the thresholds above 0 both reach, per pixel. */
    private static byte[][] thresholds(Alpha alpha, Alpha truth) {
        byte[][] reached = new byte[truth.height()][truth.width()];
        IntStream.range(0, truth.height()).parallel().forEach(y -> {
            float[] a = new float[truth.width()];
            float[] g = new float[truth.width()];
            alpha.row(y, a);
            truth.row(y, g);
            for (int x = 0; x < a.length; x++) {
                float least = Math.min(a[x], g[x]);
                byte count = 0;
                while (count < THRESHOLDS && least >= (count + 1.0) / THRESHOLDS) {
                    count++;
                }
                reached[y][x] = count;
            }
        });
        return reached;
    }

    private static double phi(float distance) {
        return distance >= LEAST_DISTANCE ? 1 - distance : 1;
    }
}
