package org.jmatte.train.pam;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamArchitecture.Stage;
import org.jmatte.network.PamPath;
import org.jmatte.train.torch.Layers;
import org.jmatte.train.torch.MixedPrecision;
import org.jmatte.train.torch.Parameters;

/**
 * PAM, path-adaptive matting (Q. Liu et al., AAAI 2025), on libtorch: a super-network whose segments of two depthwise
 * modules may each be replaced by a cheap connect layer, decided by a path selection layer that sees the features and the
 * cost constraint. Kernels, widths and names are those of the inference network.
 */
public final class Pam implements AutoCloseable {
    private static final int[] GRIDS = PamArchitecture.pyramidGrids();
    private static final double NORM_EPSILON = 1e-6;
    private static final double EMBEDDING_LENGTH = 4; // GMACs over which a feature of the embedding stays alike
    private static final String EMBEDDING = "cost_embedding.weight";
    private static final float[] MEAN = {0.485f, 0.456f, 0.406f};
    private static final float[] DEVIATION = {0.229f, 0.224f, 0.225f};

    /** Sides of a batch are multiples of it: the deepest stage works at 1/32. */
    public static final int COARSEST = 32;

    /**
     * What a walk gives.
     *
     * @param alpha [B, 1, H, W] in float32, not clamped
     * @param path the decisions taken
     * @param logits one [B, 2] per segment, the classes bypass and keep
     */
    public record Prediction(Tensor alpha, PamPath path, List<Tensor> logits) {}

    /** Whether a parameter is there for the choice of a path, which alpha depends on little or not at all. */
    static boolean chooses(String parameter) {
        return parameter.contains(".select.hidden.")
                || parameter.contains(".select.decide.")
                || parameter.equals(EMBEDDING);
    }

    private final Parameters parameters;
    private final Layers layers;

    /** @param device where it lies and computes */
    public Pam(Device device) {
        parameters = new Parameters(PamArchitecture.PAM.parameterShapes(), device);
        layers = new Layers(parameters);
    }

    /**
     * Initial values: Kaiming normal by fan-in with the activation's slope; biases 0, norms 1 and 0; the attention starts
     * near 0.9 and alpha at 0.5. The embedding's features are N(0, 1) like independent ones, but smooth over the budgets, so
     * that what is learned for one budget holds for its neighbours.
     */
    public void initialise(long seed) {
        try (PointerScope temporaries = new PointerScope();
                NoGradGuard guard = new NoGradGuard()) {
            torch.manual_seed(seed);
            for (Map.Entry<String, long[]> entry : parameters.shapes().entrySet()) {
                String name = entry.getKey();
                long[] shape = entry.getValue();
                Tensor values = parameters.get(name);
                if (name.equals(EMBEDDING)) {
                    values.copy_(smoothCurves(shape[0], shape[1]));
                } else if (shape.length > 1) {
                    double fanIn = (double) Parameters.elements(shape) / shape[0];
                    values.normal_()
                            .mul_(new Scalar(Math.sqrt(2 / (1 + PamArchitecture.LEAK * PamArchitecture.LEAK) / fanIn)));
                } else if (name.endsWith("norm.weight")) {
                    values.fill_(new Scalar(1.0));
                } else if (name.endsWith("attend.bias")) {
                    values.fill_(new Scalar(2.0));
                } else if (name.equals("alpha.bias")) {
                    values.fill_(new Scalar(0.5));
                } else {
                    values.zero_();
                }
            }
        }
    }

    /** Each column a Gaussian process of variance 1 over the rows. */
    private static Tensor smoothCurves(long rows, long columns) {
        Tensor at = torch.arange(new Scalar((double) rows)).div(new Scalar(EMBEDDING_LENGTH));
        Tensor distance = at.unsqueeze(1).sub(at.unsqueeze(0));
        Tensor covariance = distance.square().mul(new Scalar(-0.5)).exp();
        Tensor noise = torch.eye(rows).mul(new Scalar(1e-4)); // keeps the factor real
        return torch.linalg_cholesky(covariance.add(noise)).mm(torch.randn(rows, columns));
    }

    public Parameters parameters() {
        return parameters;
    }

    /**
     * Walks the network along one path for the whole batch.
     *
     * @param image [B, 3, H, W] in 0..1; sides are multiples of {@link #COARSEST}
     * @param trimap [B, 1, H, W]: exactly 0 background, exactly 1 foreground, everything else unknown
     * @param gmacs the constraint, in GMACs at 1024x1024, at least {@link PamArchitecture#leastGmacs}
     */
    public Prediction forward(Tensor image, Tensor trimap, int gmacs, Decisions decisions) {
        Tensor feature = layers.row("cost_embedding", PamArchitecture.embeddingRow(gmacs));
        Walk walk = new Walk(decisions, feature.expand(image.size(0), PamArchitecture.COST_FEATURES));
        Tensor planes = planes(image, trimap).contiguous(torch.MemoryFormat.ChannelsLast);
        Tensor full = activate(layers.convolution("stem_full", planes, 1, 1, 1));
        Tensor half = pair("stem_half", full, 2);
        Tensor x = half;
        List<Tensor> skips = new ArrayList<>();
        for (Stage stage : PamArchitecture.encoder()) {
            x = walk.stage(stage, x);
            skips.add(x);
        }
        for (int p = 0; p < PamArchitecture.PYRAMIDS; p++) {
            x = pyramid("pyramid." + p, x);
        }
        int finer = skips.size() - 1;
        for (Stage stage : PamArchitecture.decoder()) {
            Tensor skip = skips.get(--finer);
            x = walk.stage(stage, concatenate(Layers.upsample(x, skip), skip));
        }
        x = pair("refine_half", concatenate(Layers.upsample(x, half), half), 1);
        x = pair("refine_full", concatenate(Layers.upsample(x, full), full, planes), 1);
        try (MixedPrecision exact = new MixedPrecision(false)) {
            Tensor alpha = layers.convolution("alpha", x.to(torch.ScalarType.Float), 1, 1, 1);
            return new Prediction(alpha, walk.path, List.copyOf(walk.logits));
        }
    }

    private static Tensor planes(Tensor image, Tensor trimap) {
        Tensor mean = Layers.constant(image, MEAN, 1, 3, 1, 1);
        Tensor deviation = Layers.constant(image, DEVIATION, 1, 3, 1, 1);
        Tensor background = trimap.eq(new Scalar(0.0));
        Tensor foreground = trimap.eq(new Scalar(1.0));
        Tensor unknown = background.logical_or(foreground).logical_not();
        Tensor hot = concatenate(background, unknown, foreground).to(torch.ScalarType.Float);
        return concatenate(image.sub(mean).div(deviation), hot);
    }

    private static Tensor concatenate(Tensor... maps) {
        return torch.cat(new TensorVector(maps), 1);
    }

    private static Tensor activate(Tensor x) {
        return Layers.leakyRelu(x, PamArchitecture.LEAK);
    }

    private Tensor pair(String name, Tensor x, int stride) {
        Tensor first = activate(layers.convolution(name + ".first", x, stride, 1, 1));
        return activate(layers.convolution(name + ".second", first, 1, 1, 1));
    }

    private Tensor pyramid(String name, Tensor x) {
        Tensor[] parts = new Tensor[1 + GRIDS.length];
        parts[0] = x;
        for (int b = 0; b < GRIDS.length; b++) {
            Tensor pooled = torch.adaptive_avg_pool2d(x, GRIDS[b], GRIDS[b]);
            parts[b + 1] = Layers.upsample(activate(layers.pointwise(name + ".branches." + b, pooled)), x);
        }
        return x.add(activate(layers.pointwise(name + ".fuse", concatenate(parts))));
    }

    @Override
    public void close() {
        parameters.close();
    }

    /** One walk: asks for a decision at each segment and runs only the branch chosen. */
    private final class Walk {
        final Decisions decisions;
        final Tensor costFeature;
        final List<Tensor> logits = new ArrayList<>();
        PamPath path = PamPath.BYPASS_ALL;

        Walk(Decisions decisions, Tensor costFeature) {
            this.decisions = decisions;
            this.costFeature = costFeature;
        }

        Tensor stage(Stage stage, Tensor x) {
            int padding = (stage.kernel() - 1) / 2;
            Tensor features = layers.channelNorm(
                    stage.name() + ".norm",
                    layers.convolution(stage.name() + ".entry", x, stage.kernel() == 1 ? 1 : 2, padding, 1),
                    NORM_EPSILON);
            int behind = stage.firstSegment() + stage.segments();
            for (int segment = stage.firstSegment(); segment < behind; segment++) {
                features = segment(stage.segment(segment), features);
            }
            return features;
        }

        private Tensor segment(String name, Tensor x) {
            Tensor pooled = x.mean(2, 3);
            Tensor semantics = activate(layers.linear(
                    name + ".select.reduce", concatenate(pooled.to(torch.ScalarType.Float), costFeature)));
            Tensor attention = torch.sigmoid(layers.linear(name + ".select.attend", semantics));
            Tensor estimate = layers.linear(
                            name + ".select.decide", activate(layers.linear(name + ".select.hidden", semantics)))
                    .to(torch.ScalarType.Float);
            boolean keep = decisions.keep(logits.size(), estimate.detach().narrow(0, 0, 1));
            path = keep ? path.keeping(logits.size()) : path;
            logits.add(estimate);
            Tensor refined = x.mul(attention.unsqueeze(2).unsqueeze(3).to(x.scalar_type()));
            return keep ? modules(name, refined) : connect(name + ".connect", refined);
        }

        private Tensor modules(String segment, Tensor x) {
            for (int m = 0; m < PamArchitecture.MODULES; m++) {
                String name = segment + ".layers." + m;
                int channels = Math.toIntExact(x.size(1));
                Tensor wide = layers.convolution(name + ".depthwise", x, 1, PamArchitecture.LARGE_KERNEL / 2, channels);
                Tensor expanded = activate(
                        layers.pointwise(name + ".expand", layers.channelNorm(name + ".norm", wide, NORM_EPSILON)));
                x = x.add(layers.pointwise(name + ".project", expanded));
            }
            return x;
        }

        private Tensor connect(String name, Tensor x) {
            return x.add(layers.pointwise(name + ".second", activate(layers.pointwise(name + ".first", x))));
        }
    }
}
