package org.jmatte.train.mematte;

import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.train.torch.Batch;
import org.jmatte.train.torch.LaplacianPyramid;
import org.jmatte.train.torch.Layers;

/**
 * The losses of MEMatte, added with weight 1. With a the predicted alpha, g the truth, U the unknown pixels, K the others,
 * S(M) = B H W / |M| for a mask M of a batch of B images, mean over all pixels of the batch:
 *
 * <pre>
 * unknown       S(U) mean |U (a - g)|
 * known         S(K) mean |K (a - g)|,  0 without known pixels
 * laplacian     sum over levels i = 0..4 of 2^i mean |lap_i(a) - lap_i(g)|, / 5
 * gradient      sum over Sobel's x and y of S(U) mean |U (d(a) - d(g))| + 0.01 S(U) mean |U d(a)|
 * distillation  mean (f - t)^2 over the last features of student f and teacher t
 * ratio         (r - 0.25)^2, r the fraction of tokens kept over all routers and the whole batch (BATR)
 * </pre>
 *
 * S(M) makes it a mean over M. The authors write 262144 for H W, the size of their crops of 512x512.
 */
final class Criterion {
    /** The fraction of tokens to keep. */
    static final double TARGET_RATIO = 0.25;

    private static final int LEVELS = 5;
    private static final double GRADIENT_PENALTY = 0.01;
    private static final float[] SOBEL_X = {-1, 0, 1, -2, 0, 2, -1, 0, 1};
    private static final float[] SOBEL_Y = {-1, -2, -1, 0, 0, 0, 1, 2, 1};

    private Criterion() {}

    /**
     * The terms, scalars.
     *
     * @param kept r, not a loss
     */
    record Losses(
            Tensor unknown,
            Tensor known,
            Tensor laplacian,
            Tensor gradient,
            Tensor distillation,
            Tensor ratio,
            Tensor kept) {
        /** What {@link #values} are called in a log. */
        static final List<String> NAMES = List.of(
                "loss", "unknown_l1", "known_l1", "laplacian", "gradient", "distillation", "ratio_loss", "kept_ratio");

        Tensor sum() {
            return unknown.add(known)
                    .add(laplacian)
                    .add(gradient)
                    .add(distillation)
                    .add(ratio);
        }

        double[] values() {
            return Stream.of(sum(), unknown, known, laplacian, gradient, distillation, ratio, kept)
                    .mapToDouble(term -> term.detach().item_double())
                    .toArray();
        }
    }

    /** @param features the teacher's */
    static Losses of(MeMatte.Prediction prediction, Tensor features, Batch batch) {
        Tensor alpha = prediction.alpha();
        Tensor error = alpha.sub(batch.alpha());
        Tensor unknown = batch.unknown();
        Tensor kept = kept(prediction);
        return new Losses(
                masked(error, unknown),
                masked(error, torch.ones_like(unknown).sub(unknown)),
                laplacian(alpha, batch.alpha()),
                gradient(SOBEL_X, alpha, batch).add(gradient(SOBEL_Y, alpha, batch)),
                Layers.widened(prediction.features()).sub(features).square().mean(),
                kept.sub(new Scalar(TARGET_RATIO)).square(),
                kept);
    }

    /** The mean of |a - g| over unknown pixels. */
    static Tensor unknown(Tensor alpha, Batch batch) {
        return masked(alpha.sub(batch.alpha()), batch.unknown());
    }

    /** r, the fraction of tokens kept. */
    static Tensor kept(MeMatte.Prediction prediction) {
        return torch.stack(new TensorVector(prediction.kept().toArray(Tensor[]::new)), 0)
                .mean();
    }

    /** S(M) mean |M x|. */
    private static Tensor masked(Tensor x, Tensor mask) {
        return x.mul(mask).abs().sum().div(mask.sum().clamp_min(new Scalar(1.0)));
    }

    private static Tensor laplacian(Tensor alpha, Tensor truth) {
        List<Tensor> predicted = LaplacianPyramid.of(alpha, LEVELS);
        List<Tensor> wanted = LaplacianPyramid.of(truth, LEVELS);
        TensorVector terms = new TensorVector();
        for (int level = 0; level < LEVELS; level++) {
            Tensor error = predicted.get(level).sub(wanted.get(level)).abs().mean();
            terms.push_back(error.mul(new Scalar((double) (1 << level) / LEVELS)));
        }
        return torch.stack(terms, 0).sum();
    }

    private static Tensor gradient(float[] sobel, Tensor alpha, Batch batch) {
        Tensor predicted = Layers.filter(alpha, sobel, 3, 3, 1);
        Tensor truth = Layers.filter(batch.alpha(), sobel, 3, 3, 1);
        Tensor steepness = masked(predicted, batch.unknown()).mul(new Scalar(GRADIENT_PENALTY));
        return masked(predicted.sub(truth), batch.unknown()).add(steepness);
    }
}
