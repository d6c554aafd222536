package org.jmatte.train.pam;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.train.torch.Layers;
import org.jmatte.train.torch.MixedPrecision;
import org.jmatte.train.torch.Parameters;

/**
 * PAM, path-adaptive matting (Q. Liu et al., AAAI 2025), on libtorch: a super-network whose segments of two depthwise
 * modules may each be replaced by a cheap connect layer, decided by a path selection layer that sees the features and the
 * cost constraint. Kernels, widths and names are those of the inference network.
 */
public final class Pam implements AutoCloseable {
    private static final int PLANES = 6;
    private static final int FULL = 24;
    private static final int HALF = 48;
    private static final int REFINE_HALF = 32;
    private static final int[] REFINE_FULL = {24, 16};
    private static final List<Stage> ENCODER = List.of(
            new Stage("encoder.quarter", 4, HALF, 64, 3, 3),
            new Stage("encoder.eighth", 8, 64, 128, 2, 3),
            new Stage("encoder.sixteenth", 16, 128, 256, 2, 4),
            new Stage("encoder.thirtysecond", 32, 256, 320, 2, 1));
    private static final List<Stage> DECODER = List.of(
            new Stage("decoder.sixteenth", 16, 320 + 256, 224, 1, 1),
            new Stage("decoder.eighth", 8, 224 + 128, 128, 1, 1),
            new Stage("decoder.quarter", 4, 128 + 64, 64, 1, 1));
    private static final int MODULES = 2;
    private static final int LARGE_KERNEL = 7;
    private static final int EXPANSION = 2;
    private static final int PYRAMIDS = 3;
    private static final int[] PYRAMID_GRIDS = {1, 2, 3, 6};
    private static final int COST_FEATURES = 32;
    private static final long REFERENCE_SIDE = 1024; // costs are stated for an image of this height and width
    private static final double NORM_EPSILON = 1e-6;
    private static final double LEAK = 0.1;
    private static final float[] MEAN = {0.485f, 0.456f, 0.406f};
    private static final float[] DEVIATION = {0.229f, 0.224f, 0.225f};

    /** Sides of a batch are multiples of it: the deepest stage works at 1/32. */
    public static final int COARSEST = 32;

    /** Segments at one resolution, entered through a convolution (kernel x kernel, stride 2 if above 1) and a norm. */
    private record Stage(String name, int scale, int inputs, int channels, int kernel, int segments) {
        int stride() {
            return kernel == 1 ? 1 : 2;
        }

        int semantics() {
            return Math.max(16, channels / 8);
        }
    }

    /**
     * What a walk gives.
     *
     * @param alpha [B, 1, H, W] in float32, not clamped
     * @param path the decisions taken, bit k set where segment k was kept
     * @param logits one [B, 2] per segment, the classes bypass and keep
     */
    public record Prediction(Tensor alpha, int path, List<Tensor> logits) {}

    private final Parameters parameters = new Parameters(shapes());
    private final Layers layers = new Layers(parameters);
    private final PamCosts costs = countCosts();

    /** The shapes of all parameters by name. */
    public static Map<String, long[]> shapes() {
        Shapes shapes = new Shapes();
        shapes.convolution("stem_full", PLANES, FULL, 3);
        shapes.convolution("stem_half.first", FULL, HALF, 3);
        shapes.convolution("stem_half.second", HALF, HALF, 3);
        ENCODER.forEach(shapes::stage);
        int deepest = ENCODER.get(ENCODER.size() - 1).channels;
        int branch = deepest / PYRAMID_GRIDS.length;
        for (int p = 0; p < PYRAMIDS; p++) {
            for (int b = 0; b < PYRAMID_GRIDS.length; b++) {
                shapes.convolution("pyramid." + p + ".branches." + b, deepest, branch, 1);
            }
            shapes.convolution("pyramid." + p + ".fuse", 2 * deepest, deepest, 1);
        }
        DECODER.forEach(shapes::stage);
        int quarter = DECODER.get(DECODER.size() - 1).channels;
        shapes.convolution("refine_half.first", quarter + HALF, REFINE_HALF, 3);
        shapes.convolution("refine_half.second", REFINE_HALF, REFINE_HALF, 3);
        shapes.convolution("refine_full.first", REFINE_HALF + FULL + PLANES, REFINE_FULL[0], 3);
        shapes.convolution("refine_full.second", REFINE_FULL[0], REFINE_FULL[1], 3);
        shapes.convolution("alpha", REFINE_FULL[1], 1, 3);
        PamCosts costs = countCosts(shapes.all);
        int constraints = costs.largestConstraint() - costs.leastConstraint() + 1;
        shapes.all.put("cost_embedding.weight", new long[] {constraints, COST_FEATURES});
        return shapes.all;
    }

    private static final class Shapes {
        final Map<String, long[]> all = new LinkedHashMap<>();

        void convolution(String name, int inputs, int outputs, int kernel) {
            all.put(name + ".weight", new long[] {outputs, inputs, kernel, kernel});
            all.put(name + ".bias", new long[] {outputs});
        }

        void linear(String name, int inputs, int outputs) {
            all.put(name + ".weight", new long[] {outputs, inputs});
            all.put(name + ".bias", new long[] {outputs});
        }

        void norm(String name, int channels) {
            all.put(name + ".weight", new long[] {channels});
            all.put(name + ".bias", new long[] {channels});
        }

        void stage(Stage stage) {
            int channels = stage.channels;
            convolution(stage.name + ".entry", stage.inputs, channels, stage.kernel);
            norm(stage.name + ".norm", channels);
            for (int s = 0; s < stage.segments; s++) {
                String segment = stage.name + ".segments." + s;
                linear(segment + ".select.reduce", channels + COST_FEATURES, stage.semantics());
                linear(segment + ".select.attend", stage.semantics(), channels);
                linear(segment + ".select.hidden", stage.semantics(), stage.semantics());
                linear(segment + ".select.decide", stage.semantics(), 2);
                for (int m = 0; m < MODULES; m++) {
                    String module = segment + ".layers." + m;
                    all.put(module + ".depthwise.weight", new long[] {channels, 1, LARGE_KERNEL, LARGE_KERNEL});
                    all.put(module + ".depthwise.bias", new long[] {channels});
                    norm(module + ".norm", channels);
                    convolution(module + ".expand", channels, EXPANSION * channels, 1);
                    convolution(module + ".project", EXPANSION * channels, channels, 1);
                }
                convolution(segment + ".connect.first", channels, channels, 1);
                convolution(segment + ".connect.second", channels, channels, 1);
            }
        }
    }

    private static List<Stage> stages() {
        List<Stage> stages = new ArrayList<>(ENCODER);
        stages.addAll(DECODER);
        return stages;
    }

    private PamCosts countCosts() {
        return countCosts(parameters.shapes());
    }

    private static PamCosts countCosts(Map<String, long[]> shapes) {
        long[] fixed = {
            weights(shapes, "stem_full.") * pixels(1)
                    + weights(shapes, "stem_half.") * pixels(2)
                    + weights(shapes, "refine_half.") * pixels(2)
                    + (weights(shapes, "refine_full.") + weights(shapes, "alpha.")) * pixels(1)
        };
        for (int p = 0; p < PYRAMIDS; p++) {
            fixed[0] += weights(shapes, "pyramid." + p + ".fuse.") * pixels(COARSEST);
            for (int b = 0; b < PYRAMID_GRIDS.length; b++) {
                long positions = (long) PYRAMID_GRIDS[b] * PYRAMID_GRIDS[b];
                fixed[0] += weights(shapes, "pyramid." + p + ".branches." + b + ".") * positions;
            }
        }
        List<Long> bypass = new ArrayList<>();
        List<Long> keep = new ArrayList<>();
        for (Stage stage : stages()) {
            fixed[0] += weights(shapes, stage.name + ".entry.") * pixels(stage.scale);
            for (int s = 0; s < stage.segments; s++) {
                String segment = stage.name + ".segments." + s;
                fixed[0] += weights(shapes, segment + ".select."); // applied once an image
                bypass.add(weights(shapes, segment + ".connect.") * pixels(stage.scale));
                keep.add(weights(shapes, segment + ".layers.") * pixels(stage.scale));
            }
        }
        return new PamCosts(fixed[0], List.copyOf(bypass), List.copyOf(keep));
    }

    private static long pixels(int scale) {
        return (REFERENCE_SIDE / scale) * (REFERENCE_SIDE / scale);
    }

    /** The multiply-accumulates at one position of all convolutions and linear maps below a name. */
    private static long weights(Map<String, long[]> shapes, String prefix) {
        return shapes.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(prefix) && entry.getValue().length > 1)
                .mapToLong(entry -> Parameters.elements(entry.getValue()))
                .sum();
    }

    /**
     * Initial values: Kaiming normal by fan-in with the activation's slope; biases 0, norms 1 and 0, the embedding N(0, 1);
     * the attention starts near 0.9 and alpha at 0.5.
     */
    public void initialise(long seed) {
        try (PointerScope temporaries = new PointerScope();
                NoGradGuard guard = new NoGradGuard()) {
            torch.manual_seed(seed);
            for (Map.Entry<String, long[]> entry : parameters.shapes().entrySet()) {
                String name = entry.getKey();
                long[] shape = entry.getValue();
                Tensor values = parameters.get(name);
                if (name.equals("cost_embedding.weight")) {
                    values.normal_();
                } else if (shape.length > 1) {
                    double fanIn = (double) Parameters.elements(shape) / shape[0];
                    values.normal_().mul_(new Scalar(Math.sqrt(2 / (1 + LEAK * LEAK) / fanIn)));
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

    public Parameters parameters() {
        return parameters;
    }

    public PamCosts costs() {
        return costs;
    }

    /**
     * Walks the network along one path for the whole batch.
     *
     * @param image [B, 3, H, W] in 0..1; sides are multiples of {@link #COARSEST}
     * @param trimap [B, 1, H, W]: exactly 0 background, exactly 1 foreground, everything else unknown
     * @param constraint GMACs at 1024x1024, at least {@link PamCosts#leastConstraint}
     */
    public Prediction forward(Tensor image, Tensor trimap, int constraint, Decisions decisions) {
        int row = Math.min(constraint, costs.largestConstraint()) - costs.leastConstraint();
        Walk walk = new Walk(decisions, layers.row("cost_embedding", row).expand(image.size(0), COST_FEATURES));
        Tensor planes = planes(image, trimap).contiguous(torch.MemoryFormat.ChannelsLast);
        Tensor full = activate(layers.convolution("stem_full", planes, 1, 1, 1));
        Tensor half = pair("stem_half", full, 2);
        Tensor x = half;
        List<Tensor> skips = new ArrayList<>();
        for (Stage stage : ENCODER) {
            x = walk.stage(stage, x);
            skips.add(x);
        }
        for (int p = 0; p < PYRAMIDS; p++) {
            x = pyramid("pyramid." + p, x);
        }
        for (int i = 0; i < DECODER.size(); i++) {
            Tensor skip = skips.get(ENCODER.size() - 2 - i);
            x = walk.stage(DECODER.get(i), concatenate(Layers.upsample(x, skip), skip));
        }
        x = pair("refine_half", concatenate(Layers.upsample(x, half), half), 1);
        x = pair("refine_full", concatenate(Layers.upsample(x, full), full, planes), 1);
        try (MixedPrecision exact = new MixedPrecision(false)) {
            Tensor alpha = layers.convolution("alpha", x.to(torch.ScalarType.Float), 1, 1, 1);
            return new Prediction(alpha, walk.path, List.copyOf(walk.logits));
        }
    }

    private static Tensor planes(Tensor image, Tensor trimap) {
        Tensor mean = Tensor.create(MEAN, 1, 3, 1, 1);
        Tensor deviation = Tensor.create(DEVIATION, 1, 3, 1, 1);
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
        return Layers.leakyRelu(x, LEAK);
    }

    private Tensor pair(String name, Tensor x, int stride) {
        Tensor first = activate(layers.convolution(name + ".first", x, stride, 1, 1));
        return activate(layers.convolution(name + ".second", first, 1, 1, 1));
    }

    private Tensor pyramid(String name, Tensor x) {
        Tensor[] parts = new Tensor[1 + PYRAMID_GRIDS.length];
        parts[0] = x;
        for (int b = 0; b < PYRAMID_GRIDS.length; b++) {
            Tensor pooled = torch.adaptive_avg_pool2d(x, PYRAMID_GRIDS[b], PYRAMID_GRIDS[b]);
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
        int path;

        Walk(Decisions decisions, Tensor costFeature) {
            this.decisions = decisions;
            this.costFeature = costFeature;
        }

        Tensor stage(Stage stage, Tensor x) {
            int padding = (stage.kernel - 1) / 2;
            Tensor features = layers.channelNorm(
                    stage.name + ".norm",
                    layers.convolution(stage.name + ".entry", x, stage.stride(), padding, 1),
                    NORM_EPSILON);
            for (int s = 0; s < stage.segments; s++) {
                features = segment(stage.name + ".segments." + s, features);
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
            float[] first = Parameters.toArray(estimate.detach().narrow(0, 0, 1));
            boolean keep = decisions.keep(logits.size(), first[0], first[1]);
            path |= (keep ? 1 : 0) << logits.size();
            logits.add(estimate);
            Tensor refined = x.mul(attention.unsqueeze(2).unsqueeze(3).to(x.scalar_type()));
            return keep ? modules(name, refined) : connect(name + ".connect", refined);
        }

        private Tensor modules(String segment, Tensor x) {
            for (int m = 0; m < MODULES; m++) {
                String name = segment + ".layers." + m;
                int channels = Math.toIntExact(x.size(1));
                Tensor wide = layers.convolution(name + ".depthwise", x, 1, LARGE_KERNEL / 2, channels);
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
