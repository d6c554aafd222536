package org.jmatte.train.pam;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamPath;
import org.jmatte.train.data.Sample;
import org.jmatte.train.torch.Batch;
import org.jmatte.train.torch.Devices;
import org.jmatte.train.torch.Parameters;
import org.junit.jupiter.api.Test;

/** The losses against plain loops. */
class CriterionTest {
    private static final int HEIGHT = 48; // halves to an odd number of rows
    private static final int WIDTH = 80;
    private static final int PIXELS = HEIGHT * WIDTH;
    private static final double[] BINOMIAL = {1 / 16.0, 4 / 16.0, 6 / 16.0, 4 / 16.0, 1 / 16.0};

    private final Random random = new Random(5);

    private float[] noise(int count, float low, float high) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = low + (high - low) * random.nextFloat();
        }
        return values;
    }

    private Sample sample(double unknownShare) {
        float[] foreground = noise(3 * PIXELS, 0, 1);
        float[] background = noise(3 * PIXELS, 0, 1);
        float[] alpha = noise(PIXELS, 0, 1);
        float[] trimap = new float[PIXELS];
        float[] image = new float[3 * PIXELS];
        for (int i = 0; i < PIXELS; i++) {
            trimap[i] = random.nextDouble() < unknownShare ? 0.5f : random.nextInt(2);
            for (int c = 0; c < 3; c++) {
                int at = c * PIXELS + i;
                image[at] = alpha[i] * foreground[at] + (1 - alpha[i]) * background[at];
            }
        }
        return new Sample("noise", HEIGHT, WIDTH, image, foreground, background, alpha, trimap);
    }

    @Test
    void alphaLossOfABatchIsTheMeanOfItsImages() {
        List<Sample> samples = List.of(sample(0.3), sample(0.9), sample(0.001));
        List<float[]> predictions = new ArrayList<>();
        float[] all = new float[samples.size() * PIXELS];
        double expected = 0;
        for (int i = 0; i < samples.size(); i++) {
            float[] alpha = noise(PIXELS, -0.2f, 1.2f);
            System.arraycopy(alpha, 0, all, i * PIXELS, PIXELS);
            predictions.add(alpha);
            expected += alphaLoss(alpha, samples.get(i)) / samples.size();
        }
        try (PointerScope temporaries = new PointerScope()) {
            Batch batch = Batch.of(samples, Devices.cpu());
            Tensor alpha = Tensor.create(all, samples.size(), 1, HEIGHT, WIDTH);
            assertEquals(expected, Criterion.alpha(alpha, batch).item_double(), 1e-5 * expected);
            float[] unknown = Parameters.toArray(Criterion.unknown(alpha, batch));
            for (int i = 0; i < samples.size(); i++) {
                double plain = unknownLoss(predictions.get(i), samples.get(i));
                assertEquals(plain, unknown[i], 1e-5 * plain);
            }
        }
    }

    @Test
    void anImageWithoutUnknownPixelsLosesNothing() {
        try (PointerScope temporaries = new PointerScope()) {
            Batch batch = Batch.of(List.of(sample(0)), Devices.cpu());
            Tensor alpha = Tensor.create(noise(PIXELS, 0, 1), 1, 1, HEIGHT, WIDTH);
            assertEquals(0, Criterion.alpha(alpha, batch).item_double());
        }
    }

    @Test
    void distillationWeighsUnknownPixelsTenfold() {
        Sample sample = sample(0.4);
        float[] alpha = noise(PIXELS, -0.2f, 1.2f);
        float[] teacher = noise(PIXELS, -0.2f, 1.2f);
        double expected = 0;
        for (int i = 0; i < PIXELS; i++) {
            expected += (sample.trimap()[i] == 0.5f ? 10 : 1) * Math.abs(alpha[i] - teacher[i]) / PIXELS;
        }
        try (PointerScope temporaries = new PointerScope()) {
            Tensor loss = Criterion.distil(
                    Tensor.create(alpha, 1, 1, HEIGHT, WIDTH),
                    Tensor.create(teacher, 1, 1, HEIGHT, WIDTH),
                    Batch.of(List.of(sample), Devices.cpu()));
            assertEquals(expected, loss.item_double(), 1e-5 * expected);
        }
    }

    @Test
    void pathLossIsTheMeanWeightedCrossEntropyOfTheSegments() {
        float[][] logits = {{0.3f, -1}, {2, 5}, {-0.5f, 0.25f}};
        PamPath path = new PamPath(0b101);
        float[] weights = {1, 0.4f, 0.7f};
        double expected = 0;
        for (int k = 0; k < logits.length; k++) {
            double sum = Math.exp(logits[k][0]) + Math.exp(logits[k][1]);
            expected -= weights[k] * Math.log(Math.exp(logits[k][path.keeps(k) ? 1 : 0]) / sum) / logits.length;
        }
        try (PointerScope temporaries = new PointerScope()) {
            List<Tensor> rows = List.of(
                    Tensor.create(logits[0], 1, 2), Tensor.create(logits[1], 1, 2), Tensor.create(logits[2], 1, 2));
            assertEquals(
                    expected, Criterion.path(rows, new PathLabel(path, weights)).item_double(), 1e-6);
        }
    }

    private static List<Tensor> logits(float keepMinusBypass) {
        return IntStream.range(0, PamArchitecture.SEGMENTS)
                .mapToObj(k -> margin(keepMinusBypass))
                .collect(Collectors.toCollection(ArrayList::new));
    }

    private static Tensor margin(float keepMinusBypass) {
        return Tensor.create(new float[] {0.5f, 0.5f + keepMinusBypass}, 1, 2);
    }

    @Test
    void overspendingIsWhatDecisionsCostAboveTheBudget() {
        try (PointerScope temporaries = new PointerScope()) {
            List<Tensor> all = logits(9);
            double full = PamPath.KEEP_ALL.gmacs();
            assertEquals(full - 70, overspending(all, PamPath.KEEP_ALL, 70), 1e-4);
            assertEquals(0, overspending(all, PamPath.KEEP_ALL, 76));
            all.set(3, margin(0)); // half kept
            double half = PamArchitecture.extra(3) / 2e9;
            assertEquals(full - half - 70, overspending(all, PamPath.KEEP_ALL, 70), 1e-4);
        }
    }

    @Test
    void whatTheWalkBypassedByChanceIsNotSpent() {
        try (PointerScope temporaries = new PointerScope()) {
            PamPath walk = new PamPath(PamPath.KEEP_ALL.bits() & ~(1 << 5));
            assertEquals(walk.gmacs() - 70, overspending(logits(9), walk, 70), 1e-4);
        }
    }

    @Test
    void decisionsThatAreHardlyTakenAreSpentWhole() {
        try (PointerScope temporaries = new PointerScope()) {
            List<Tensor> hardly = logits(0.1f);
            hardly.forEach(logits -> logits.requires_grad_(true));
            Tensor excess = Criterion.overspending(hardly, PamPath.KEEP_ALL, 70);
            assertEquals(PamPath.KEEP_ALL.gmacs() - 70, excess.item_double(), 1e-4);
            excess.backward();
            for (Tensor logits : hardly) {
                float[] gradient = Parameters.toArray(logits.grad());
                assertTrue(gradient[0] < -0.1 && gradient[1] > 0.1, "keeping less spends less");
            }
        }
    }

    private static double overspending(List<Tensor> logits, PamPath walk, int gmacs) {
        return Criterion.overspending(logits, walk, gmacs).item_double();
    }

    private static double alphaLoss(float[] alpha, Sample sample) {
        double[] clamped = new double[PIXELS];
        double[] truth = new double[PIXELS];
        boolean[] unknown = new boolean[PIXELS];
        for (int i = 0; i < PIXELS; i++) {
            clamped[i] = Math.max(0, Math.min(1, alpha[i]));
            truth[i] = sample.alpha()[i];
            unknown[i] = sample.trimap()[i] == 0.5f;
        }
        double compose = 0;
        int count = 0;
        for (int i = 0; i < PIXELS; i++) {
            count += unknown[i] ? 1 : 0;
            for (int at = i; unknown[i] && at < 3 * PIXELS; at += PIXELS) {
                double composed = clamped[i] * sample.foreground()[at] + (1 - clamped[i]) * sample.background()[at];
                compose += Math.abs(composed - sample.image()[at]);
            }
        }
        return unknownLoss(alpha, sample) + compose / count + laplacianLoss(clamped, truth, unknown);
    }

    private static double unknownLoss(float[] alpha, Sample sample) {
        double sum = 0;
        int count = 0;
        for (int i = 0; i < PIXELS; i++) {
            if (sample.trimap()[i] == 0.5f) {
                sum += Math.abs(alpha[i] - sample.alpha()[i]);
                count++;
            }
        }
        return sum / count;
    }

    private static double laplacianLoss(double[] alpha, double[] truth, boolean[] unknown) {
        double loss = 0;
        int height = HEIGHT;
        int width = WIDTH;
        for (int level = 0; level < 5; level++) {
            double[] a = alpha;
            double[] g = truth;
            int step = 1 << level;
            double[] smallA = halve(smooth(a, height, width), height, width);
            double[] smallG = halve(smooth(g, height, width), height, width);
            double[] bigA = expand(smallA, height, width);
            double[] bigG = expand(smallG, height, width);
            double sum = 0;
            int count = 0;
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    int at = y * width + x;
                    if (unknown[y * step * WIDTH + x * step]) {
                        sum += Math.abs(a[at] - bigA[at] - g[at] + bigG[at]);
                        count++;
                    }
                }
            }
            loss += count == 0 ? 0 : step * sum / count;
            alpha = smallA;
            truth = smallG;
            height = (height + 1) / 2;
            width = (width + 1) / 2;
        }
        return loss;
    }

    private static int reflect(int i, int size) {
        return i < 0 ? -i : i >= size ? 2 * size - 2 - i : i;
    }

    private static double[] smooth(double[] x, int height, int width) {
        double[] smoothed = new double[x.length];
        for (int y = 0; y < height; y++) {
            for (int c = 0; c < width; c++) {
                for (int dy = -2; dy <= 2; dy++) {
                    for (int dx = -2; dx <= 2; dx++) {
                        smoothed[y * width + c] += BINOMIAL[dy + 2]
                                * BINOMIAL[dx + 2]
                                * x[reflect(y + dy, height) * width + reflect(c + dx, width)];
                    }
                }
            }
        }
        return smoothed;
    }

    private static double[] halve(double[] x, int height, int width) {
        int half = (width + 1) / 2;
        double[] small = new double[(height + 1) / 2 * half];
        for (int i = 0; i < small.length; i++) {
            small[i] = x[i / half * 2 * width + i % half * 2];
        }
        return small;
    }

    private static double[] expand(double[] small, int height, int width) {
        double[] sparse = new double[height * width];
        int half = (width + 1) / 2;
        for (int i = 0; i < small.length; i++) {
            sparse[i / half * 2 * width + i % half * 2] = 4 * small[i];
        }
        return smooth(sparse, height, width);
    }
}
