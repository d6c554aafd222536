package org.jmatte.train.pam;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The losses of PAM. With a the raw alpha, c the same clamped to 0..1, g the truth, t the teacher's alpha, U the unknown
 * pixels; every loss is taken per image and averaged over the batch:
 *
 * <pre>
 * unknown    sum over U of |a - g| / |U|
 * compose    sum over U and RGB of |c F + (1 - c) B - I| / |U|
 * laplacian  sum over levels i = 0..4 of 2^i mean over U_i of |lap_i(c) - lap_i(g)|
 * alpha      unknown + compose + laplacian
 * distil     mean over all pixels of w |a - t|,  w = 10 in U, else 1
 * path       mean over segments of the cross entropy of its two logits with the label's bit
 * </pre>
 */
public final class Criterion {
    private static final int LEVELS = 5;
    private static final double UNKNOWN_WEIGHT = 10;
    private static final double TINY = 1e-8; // keeps the mean over no pixels finite
    private static final float[] BINOMIAL = {1 / 16f, 4 / 16f, 6 / 16f, 4 / 16f, 1 / 16f};
    private static final int RADIUS = BINOMIAL.length / 2;

    private Criterion() {}

    /** The three losses against the truth, added. */
    public static Tensor alpha(Tensor alpha, Batch batch) {
        Tensor clamped = alpha.clamp(new ScalarOptional(new Scalar(0.0)), new ScalarOptional(new Scalar(1.0)));
        return unknown(alpha, batch)
                .add(compose(clamped, batch))
                .add(laplacian(clamped, batch))
                .mean();
    }

    /** The unknown pixels' mean absolute error of each image, [B]. */
    public static Tensor unknown(Tensor alpha, Batch batch) {
        return meanOver(batch.unknown(), alpha.sub(batch.alpha()).abs());
    }

    private static Tensor compose(Tensor alpha, Batch batch) {
        Tensor composed = batch.background().add(alpha.mul(batch.foreground().sub(batch.background())));
        return meanOver(batch.unknown(), composed.sub(batch.image()).abs());
    }

    private static Tensor laplacian(Tensor alpha, Batch batch) {
        List<Tensor> predicted = pyramid(alpha);
        List<Tensor> truth = pyramid(batch.alpha());
        Tensor unknown = batch.unknown();
        Tensor sum = null;
        for (int level = 0; level < LEVELS; level++) {
            Tensor error = predicted.get(level).sub(truth.get(level)).abs();
            Tensor weighted = meanOver(unknown, error).mul(new Scalar((double) (1 << level)));
            sum = sum == null ? weighted : sum.add(weighted);
            unknown = halve(unknown);
        }
        return sum;
    }

    /** sum of mask * x over everything but the batch, divided by the mask's sum. */
    private static Tensor meanOver(Tensor mask, Tensor x) {
        return x.mul(mask).sum(1, 2, 3).div(mask.sum(1, 2, 3).add(new Scalar(TINY)));
    }

    private static List<Tensor> pyramid(Tensor x) {
        List<Tensor> levels = new ArrayList<>();
        for (int level = 0; level < LEVELS; level++) {
            Tensor down = halve(smooth(x));
            levels.add(x.sub(expand(down, x)));
            x = down;
        }
        return levels;
    }

    /** The separable filter (1 4 6 4 1) / 16 with borders reflected. */
    private static Tensor smooth(Tensor x) {
        Tensor padded = torch.reflection_pad2d(x, RADIUS, RADIUS, RADIUS, RADIUS);
        return convolve(convolve(padded, BINOMIAL.length, 1), 1, BINOMIAL.length);
    }

    private static Tensor convolve(Tensor x, int height, int width) {
        Tensor filter = Tensor.create(BINOMIAL, 1, 1, height, width);
        return torch.conv2d(
                x, filter, new TensorOptional(), new long[] {1, 1}, new long[] {0, 0}, new long[] {1, 1}, 1);
    }

    /** Every second row and column. */
    private static Tensor halve(Tensor x) {
        return torch.max_pool2d(x, new long[] {1, 1}, new long[] {2, 2}, new long[] {0, 0}, new long[] {1, 1}, false);
    }

    /** Zeros put between the pixels, then filtered with four times the filter; to the size of another map. */
    private static Tensor expand(Tensor x, Tensor like) {
        Tensor zeros = torch.zeros_like(x);
        Tensor wide = torch.stack(new TensorVector(x, zeros), 4).flatten(3, 4);
        Tensor tall =
                torch.stack(new TensorVector(wide, torch.zeros_like(wide)), 3).flatten(2, 3);
        Tensor cropped = tall.narrow(2, 0, like.size(2)).narrow(3, 0, like.size(3));
        return smooth(cropped).mul(new Scalar(4.0));
    }

    /** The distance to a teacher's alpha, [1]. */
    public static Tensor distil(Tensor alpha, Tensor teacher, Batch batch) {
        Tensor weight = batch.unknown().mul(new Scalar(UNKNOWN_WEIGHT - 1)).add(new Scalar(1.0));
        return alpha.sub(teacher).abs().mul(weight).mean();
    }

    /** The cross entropy of the logits of one image's walk with a path. */
    public static Tensor path(List<Tensor> logits, int label) {
        long[] classes = new long[logits.size()];
        TensorVector rows = new TensorVector();
        for (int k = 0; k < classes.length; k++) {
            classes[k] = label >> k & 1;
            rows.push_back(logits.get(k));
        }
        return torch.cross_entropy_loss(torch.cat(rows, 0), Tensor.create(classes));
    }
}
