package org.jmatte.train.pam;

import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamPath;
import org.jmatte.train.torch.Batch;
import org.jmatte.train.torch.LaplacianPyramid;
import org.jmatte.train.torch.Layers;

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
 * path       mean over segments of the cross entropy of its two logits with the label's bit, times its weight
 * overspending  what the decisions would cost above the budget
 * </pre>
 */
public final class Criterion {
    private static final double TEMPERATURE = 0.25; // nearly a decision, and still a slope where it is close
    private static final int LEVELS = 5;
    private static final double UNKNOWN_WEIGHT = 10;
    private static final double TINY = 1e-8; // keeps the mean over no pixels finite

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
        List<Tensor> predicted = LaplacianPyramid.of(alpha, LEVELS);
        List<Tensor> truth = LaplacianPyramid.of(batch.alpha(), LEVELS);
        Tensor unknown = batch.unknown();
        Tensor sum = null;
        for (int level = 0; level < LEVELS; level++) {
            Tensor error = predicted.get(level).sub(truth.get(level)).abs();
            Tensor weighted = meanOver(unknown, error).mul(new Scalar((double) (1 << level)));
            sum = sum == null ? weighted : sum.add(weighted);
            unknown = LaplacianPyramid.halve(unknown);
        }
        return sum;
    }

    /** sum of mask * x over everything but the batch, divided by the mask's sum. */
    private static Tensor meanOver(Tensor mask, Tensor x) {
        return x.mul(mask).sum(1, 2, 3).div(mask.sum(1, 2, 3).add(new Scalar(TINY)));
    }

    /** The distance to a teacher's alpha, [1]. */
    public static Tensor distil(Tensor alpha, Tensor teacher, Batch batch) {
        Tensor weight = batch.unknown().mul(new Scalar(UNKNOWN_WEIGHT - 1)).add(new Scalar(1.0));
        return alpha.sub(teacher).abs().mul(weight).mean();
    }

    /** The weighted cross entropy of the logits of one image's walk with a label. */
    static Tensor path(List<Tensor> logits, PathLabel label) {
        float[] target = new float[2 * logits.size()];
        for (int k = 0; k < logits.size(); k++) {
            target[2 * k + (label.path().keeps(k) ? 1 : 0)] = label.weights()[k];
        }
        Tensor rows = rows(logits);
        return Layers.constant(rows, target, logits.size(), 2)
                .mul(rows.log_softmax(1))
                .sum()
                .div(new Scalar(-(double) logits.size()));
    }

    /** The logits of one image's walk as [K, 2]. */
    private static Tensor rows(List<Tensor> logits) {
        return torch.cat(new TensorVector(logits.toArray(Tensor[]::new)), 0);
    }

    /**
     * What the decisions of one image's walk would spend above a budget, in GMACs, or 0:
     *
     * <pre>max(0, sum over the segments k that the walk kept of sigmoid((keep_k - bypass_k) / T) * extra_k - headroom)</pre>
     *
     * <p>A segment that the walk bypassed by chance does not count: later ones may rightly have been kept instead. If the
     * most probable decisions cost more than this sum, they are the value, and the sum gives the gradient.
     *
     * <p>Inference refuses segments that the rest of the budget cannot pay for. Those are the last ones, but the ones to
     * do without are those with the least logits, which get most of the gradient here.
     */
    public static Tensor overspending(List<Tensor> logits, PamPath walk, int gmacs) {
        float[] extra = new float[logits.size()];
        for (int k = 0; k < extra.length; k++) {
            extra[k] = walk.keeps(k) ? (float) PamArchitecture.extra(k) / PamArchitecture.GIGA : 0;
        }
        Tensor rows = rows(logits);
        Tensor margins = rows.select(1, 1).sub(rows.select(1, 0));
        Tensor costs = Layers.constant(margins, extra, extra.length);
        Tensor expected = torch.sigmoid(margins.div(new Scalar(TEMPERATURE))).dot(costs);
        Tensor decided =
                margins.detach().gt(new Scalar(0.0)).to(costs.scalar_type()).dot(costs);
        Tensor missed = torch.relu(decided.sub(expected.detach()));
        double headroom = gmacs - PamPath.BYPASS_ALL.gmacs();
        return torch.relu(expected.add(missed).sub(new Scalar(headroom)));
    }
}
