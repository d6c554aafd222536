package org.jmatte.train.torch;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Laplacian pyramids of maps [B, 1, H, W] by the binomial filter (1 4 6 4 1) / 16, borders reflected. */
public final class LaplacianPyramid {
    private static final float[] BINOMIAL = {1 / 16f, 4 / 16f, 6 / 16f, 4 / 16f, 1 / 16f};
    private static final int RADIUS = BINOMIAL.length / 2;

    private LaplacianPyramid() {}

    /** At each level, what the next coarser one lacks; each has half the height and width of the one before, rounded up. */
    public static List<Tensor> of(Tensor x, int levels) {
        List<Tensor> differences = new ArrayList<>();
        for (int level = 0; level < levels; level++) {
            Tensor down = halve(smooth(x));
            differences.add(x.sub(expand(down, x)));
            x = down;
        }
        return differences;
    }

    /** Every second row and column. */
    public static Tensor halve(Tensor x) {
        return torch.max_pool2d(x, new long[] {1, 1}, new long[] {2, 2}, new long[] {0, 0}, new long[] {1, 1}, false);
    }

    private static Tensor smooth(Tensor x) {
        Tensor padded = torch.reflection_pad2d(x, RADIUS, RADIUS, RADIUS, RADIUS);
        Tensor columns = Layers.filter(padded, BINOMIAL, BINOMIAL.length, 1, 0);
        return Layers.filter(columns, BINOMIAL, 1, BINOMIAL.length, 0);
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
}
