package org.jmatte.train.pam;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.jmatte.network.PamPath;
import org.jmatte.train.data.Sample;
import org.jmatte.train.torch.Batch;
import org.jmatte.train.torch.MixedPrecision;
import org.jmatte.train.torch.Parameters;

/** Errors of a network on a fixed set of images: the mean absolute error of the clamped alpha over unknown pixels. */
public final class Evaluation implements PathPrior.Simulation {
    private static final int TOGETHER = 4; // images of a batch: more need more memory and gain nothing

    private final Pam pam;
    private final List<Sample> samples;
    private final boolean bfloat16;

    /**
     * What the learned paths reach under a constraint.
     *
     * @param error the mean over the images
     * @param gmacs the mean cost
     * @param paths how many different ones were chosen
     */
    public record Learned(double error, double gmacs, int paths) {}

    /**
     * The learned paths under a constraint beside random ones of like cost.
     *
     * @param gmacs the constraint
     * @param learned what the network chooses
     * @param random mean errors of single random paths that cost at most {@code gmacs} and more than two GMACs less
     */
    public record Comparison(int gmacs, Learned learned, List<Double> random) {}

    public Evaluation(Pam pam, List<Sample> samples, boolean bfloat16) {
        this.pam = pam;
        this.samples = samples;
        this.bfloat16 = bfloat16;
    }

    @Override
    public double[] errors(PamPath path, int gmacs) {
        double[] errors = new double[samples.size()];
        for (int start = 0, end; start < errors.length; start = end) {
            end = start + 1;
            while (end < errors.length
                    && end < start + TOGETHER
                    && samples.get(end).height() == samples.get(start).height()) {
                end++;
            }
            double[] found = errors(samples.subList(start, end), gmacs, Decisions.follow(path)).errors;
            System.arraycopy(found, 0, errors, start, found.length);
        }
        return errors;
    }

    /** The mean error along one path. */
    public double mean(PamPath path, int constraint) {
        return mean(errors(path, constraint));
    }

    /** Lets every image choose its path. */
    public Learned learned(int constraint) {
        List<Found> found = choices(constraint);
        return new Learned(
                found.stream().mapToDouble(image -> image.errors[0]).average().orElseThrow(),
                found.stream()
                        .mapToDouble(image -> image.path.gmacs())
                        .average()
                        .orElseThrow(),
                paths(found).size());
    }

    @Override
    public Set<PamPath> chosen(int gmacs) {
        return paths(choices(gmacs));
    }

    private List<Found> choices(int constraint) {
        return samples.stream()
                .map(sample -> errors(List.of(sample), constraint, Decisions.within(constraint)))
                .toList();
    }

    private static Set<PamPath> paths(List<Found> found) {
        return found.stream().map(Found::path).collect(Collectors.toSet());
    }

    /** Compares learned with random paths. */
    public Comparison compare(int constraint, int paths, long seed) {
        return new Comparison(constraint, learned(constraint), random(constraint, paths, seed));
    }

    /** The mean errors of some random paths that cost at most C GMACs and more than C - 2. */
    private List<Double> random(int constraint, int paths, long seed) {
        SplittableRandom random = new SplittableRandom(seed + constraint);
        Set<PamPath> drawn = new HashSet<>();
        List<Double> errors = new ArrayList<>();
        while (drawn.size() < paths) {
            PamPath path = PathPrior.near(constraint, random);
            if (drawn.add(path)) {
                errors.add(mean(path, constraint));
            }
        }
        return errors;
    }

    private static double mean(double[] errors) {
        double sum = 0;
        for (double error : errors) {
            sum += error;
        }
        return sum / errors.length;
    }

    private record Found(double[] errors, PamPath path) {}

    private Found errors(List<Sample> some, int constraint, Decisions decisions) {
        try (PointerScope temporaries = new PointerScope();
                NoGradGuard guard = new NoGradGuard();
                MixedPrecision precision = new MixedPrecision(bfloat16)) {
            Batch batch = Batch.of(some, pam.parameters().device());
            Pam.Prediction prediction = pam.forward(batch.image(), batch.trimap(), constraint, decisions);
            Tensor clamped =
                    prediction.alpha().clamp(new ScalarOptional(new Scalar(0.0)), new ScalarOptional(new Scalar(1.0)));
            float[] errors = Parameters.toArray(Criterion.unknown(clamped, batch));
            double[] exact = new double[errors.length];
            for (int i = 0; i < errors.length; i++) {
                exact[i] = errors[i];
            }
            return new Found(exact, prediction.path());
        }
    }

    /** Draws a set of samples. */
    public static List<Sample> draw(int count, IntFunction<Sample> source) {
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            samples.add(source.apply(i));
        }
        return samples;
    }
}
