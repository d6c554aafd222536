package org.jmatte.train.mematte;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jmatte.train.data.Sample;
import org.jmatte.train.torch.Batch;
import org.jmatte.train.torch.Devices;
import org.junit.jupiter.api.Test;

/** The losses against plain loops. */
class CriterionTest {
    private static final int HEIGHT = 64;
    private static final int WIDTH = 96;
    private static final int PIXELS = HEIGHT * WIDTH;
    private static final double PRECISION = 1e-5; // relative
    private static final double[] BINOMIAL = {1 / 16.0, 4 / 16.0, 6 / 16.0, 4 / 16.0, 1 / 16.0};
    private static final int[][] SOBEL = {{-1, 0, 1}, {-2, 0, 2}, {-1, 0, 1}};

    private final Random random = new Random(5);

    private float[] noise(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat();
        }
        return values;
    }

    private Sample sample(double unknownShare) {
        float[] trimap = new float[PIXELS];
        for (int i = 0; i < PIXELS; i++) {
            trimap[i] = random.nextDouble() < unknownShare ? 0.5f : random.nextInt(2);
        }
        float[] colors = noise(3 * PIXELS);
        return new Sample("noise", HEIGHT, WIDTH, colors, colors, colors, noise(PIXELS), trimap);
    }

    /** The terms of some predictions; features and decisions are one map and two routers' for all. */
    private static double[] losses(
            List<Sample> samples, List<float[]> alphas, float[] features, float[] target, float[][] kept) {
        float[] all = new float[samples.size() * PIXELS];
        for (int i = 0; i < samples.size(); i++) {
            System.arraycopy(alphas.get(i), 0, all, i * PIXELS, PIXELS);
        }
        try (PointerScope temporaries = new PointerScope()) {
            List<Tensor> decisions = Arrays.stream(kept)
                    .map(router -> Tensor.create(router, samples.size(), router.length / samples.size()))
                    .toList();
            MeMatte.Prediction prediction = new MeMatte.Prediction(
                    Tensor.create(all, samples.size(), 1, HEIGHT, WIDTH),
                    Tensor.create(features, features.length),
                    decisions);
            return Criterion.of(prediction, Tensor.create(target, target.length), Batch.of(samples, Devices.cpu()))
                    .values();
        }
    }

    @Test
    void termsEqualTheirFormulas() {
        List<Sample> samples = List.of(sample(0.3), sample(0.9));
        List<float[]> alphas = List.of(noise(PIXELS), noise(PIXELS));
        float[] features = noise(50);
        float[] target = noise(50);
        float[][] kept = {{1, 0, 0, 1, 0, 0}, {0, 0, 1, 1, 1, 0}};
        double[] terms = losses(samples, alphas, features, target, kept);

        double ratio = 5 / 12.0;
        double distillation = 0;
        for (int i = 0; i < features.length; i++) {
            distillation += Math.pow(features[i] - target[i], 2) / features.length;
        }
        double[] expected = {
            0,
            l1(samples, alphas, true),
            l1(samples, alphas, false),
            laplacian(samples, alphas),
            gradient(samples, alphas),
            distillation,
            Math.pow(ratio - 0.25, 2)
        };
        expected[0] = Arrays.stream(expected).sum();
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], terms[i], PRECISION * expected[i], Criterion.Losses.NAMES.get(i));
        }
        assertEquals(ratio, terms[expected.length], PRECISION);
    }

    @Test
    void withoutKnownPixelsTheirLossIsZero() {
        double[] terms = losses(List.of(sample(1)), List.of(noise(PIXELS)), noise(4), noise(4), new float[][] {{1, 0}});
        assertEquals(0, terms[Criterion.Losses.NAMES.indexOf("known_l1")]);
    }

    /** S(M) times a mean over all pixels of the batch, with S(M) = B H W / |M|. */
    private static double scaled(double sum, double count, int images) {
        double scale = images * PIXELS / count;
        return scale * sum / (images * PIXELS);
    }

    private static double l1(List<Sample> samples, List<float[]> alphas, boolean unknown) {
        double sum = 0;
        double count = 0;
        for (int s = 0; s < samples.size(); s++) {
            for (int i = 0; i < PIXELS; i++) {
                if ((samples.get(s).trimap()[i] == 0.5f) == unknown) {
                    sum += Math.abs(alphas.get(s)[i] - samples.get(s).alpha()[i]);
                    count++;
                }
            }
        }
        return scaled(sum, count, samples.size());
    }

    private static double gradient(List<Sample> samples, List<float[]> alphas) {
        double sum = 0;
        double count = 0;
        for (int s = 0; s < samples.size(); s++) {
            for (int i = 0; i < PIXELS; i++) {
                if (samples.get(s).trimap()[i] == 0.5f) {
                    for (boolean vertical : new boolean[] {false, true}) {
                        double of = sobel(alphas.get(s), i, vertical);
                        sum += Math.abs(of - sobel(samples.get(s).alpha(), i, vertical)) + 0.01 * Math.abs(of);
                    }
                    count++;
                }
            }
        }
        return scaled(sum, count, samples.size());
    }

    /** Sobel's derivative at a pixel, of a map with zeros around it. */
    private static double sobel(float[] map, int at, boolean vertical) {
        double sum = 0;
        for (int dy = -1; dy <= 1; dy++) {
            for (int dx = -1; dx <= 1; dx++) {
                int y = at / WIDTH + dy;
                int x = at % WIDTH + dx;
                if (y >= 0 && y < HEIGHT && x >= 0 && x < WIDTH) {
                    sum += (vertical ? SOBEL[dx + 1][dy + 1] : SOBEL[dy + 1][dx + 1]) * map[y * WIDTH + x];
                }
            }
        }
        return sum;
    }

    private static double laplacian(List<Sample> samples, List<float[]> alphas) {
        double loss = 0;
        for (int s = 0; s < samples.size(); s++) {
            double[] difference = new double[PIXELS]; // the pyramid is linear
            for (int i = 0; i < PIXELS; i++) {
                difference[i] = alphas.get(s)[i] - samples.get(s).alpha()[i];
            }
            int height = HEIGHT;
            int width = WIDTH;
            for (int level = 0; level < 5; level++) {
                double[] small = halved(smoothed(difference, height, width), height, width);
                double[] large = expanded(small, height, width);
                double sum = 0;
                for (int i = 0; i < difference.length; i++) {
                    sum += Math.abs(difference[i] - large[i]);
                }
                loss += (1 << level) * sum / difference.length / 5 / samples.size();
                difference = small;
                height /= 2;
                width /= 2;
            }
        }
        return loss;
    }

    private static double[] smoothed(double[] map, int height, int width) {
        double[] result = new double[map.length];
        for (int i = 0; i < map.length; i++) {
            for (int dy = -2; dy <= 2; dy++) {
                for (int dx = -2; dx <= 2; dx++) {
                    int y = reflected(i / width + dy, height);
                    int x = reflected(i % width + dx, width);
                    result[i] += BINOMIAL[dy + 2] * BINOMIAL[dx + 2] * map[y * width + x];
                }
            }
        }
        return result;
    }

    private static int reflected(int at, int size) {
        return at < 0 ? -at : at >= size ? 2 * size - 2 - at : at;
    }

    private static double[] halved(double[] map, int height, int width) {
        double[] small = new double[height / 2 * (width / 2)];
        for (int i = 0; i < small.length; i++) {
            small[i] = map[i / (width / 2) * 2 * width + i % (width / 2) * 2];
        }
        return small;
    }

    private static double[] expanded(double[] small, int height, int width) {
        double[] sparse = new double[height * width];
        for (int i = 0; i < small.length; i++) {
            sparse[i / (width / 2) * 2 * width + i % (width / 2) * 2] = 4 * small[i];
        }
        return smoothed(sparse, height, width);
    }
}
