package org.jmatte.train.mematte;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.InvalidInputException;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitArchitecture;
import org.jmatte.train.torch.Layers;
import org.jmatte.train.torch.Parameters;
import org.jmatte.train.torch.ParametersFile;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.ModelSource;

/**
 * MEMatte (Y. Lin et al., AAAI 2025), or without routers its teacher ViTMatte (J. Yao et al., 2023), on libtorch: a vision
 * transformer whose global blocks route each token to attention or to a light refinement, and a convolutional decoder.
 * Names and values are those of the inference network, and of the authors' checkpoints.
 */
public final class MeMatte implements AutoCloseable {
    /** Sides of what {@link #train} and {@link #features} take are multiples of it. */
    public static final int MULTIPLE = 32;

    private final VitArchitecture architecture;
    private final float[] mean;
    private final float[] deviation;
    private final Parameters parameters;
    private final Encoder encoder;
    private final Attention attention;
    private final Routing routing;
    private final Decoder decoder;

    /**
     * What the network gives.
     *
     * @param alpha in 0..1, [B, 1, H, W]
     * @param features the encoder's, [B, C, H/16, W/16]
     * @param kept per router the tokens that attend globally, [B, N]: 1, or 0 for those refined; empty for ViTMatte
     */
    public record Prediction(Tensor alpha, Tensor features, List<Tensor> kept) {}

    private MeMatte(
            VitArchitecture architecture,
            Map<String, long[]> shapes,
            Predicate<String> trainable,
            torch.ScalarType type,
            Device device,
            ModelSource photos) {
        this.architecture = architecture;
        mean = photos.mean();
        deviation = photos.std();
        parameters = new Parameters(shapes, trainable, type, device);
        attention = new Attention(parameters);
        encoder = new Encoder(parameters, attention);
        routing = new Routing(parameters, encoder, attention);
        decoder = new Decoder(parameters);
    }

    /**
     * A network with all its weights, none of them trainable.
     *
     * @param device where they lie
     * @throws InvalidInputException if they are neither MEMatte's nor ViTMatte's
     */
    public static MeMatte frozen(ModelSource source, Device device) {
        if (!(source.architecture() instanceof VitArchitecture architecture)) {
            throw new InvalidInputException(source.checkpoint().description()
                    + ": expected the weights of a MEMatte or ViTMatte, got " + source.architecture());
        }
        Map<String, long[]> shapes = new LinkedHashMap<>(); // as they are: unrouted tables may have another length
        architecture
                .parameterShapes()
                .keySet()
                .forEach(name ->
                        shapes.put(name, source.checkpoint().tensors().get(name).shape()));
        MeMatte network = new MeMatte(architecture, shapes, name -> false, torch.ScalarType.Float, device, source);
        ParametersFile.read(source.checkpoint(), network.parameters);
        return network;
    }

    /**
     * A trainable MEMatte that starts from ViTMatte's weights; see {@link FreshWeights} for what ViTMatte lacks.
     *
     * @param type of the numbers: Float, or Double to check gradients
     * @param device where they lie
     * @throws InvalidInputException as {@link #checkTeacher}
     */
    public static MeMatte student(ModelSource teacher, long seed, torch.ScalarType type, Device device) {
        VitArchitecture architecture = VitArchitecture.of(checkTeacher(teacher).width(), true);
        Checkpoint weights = teacher.checkpoint();
        MeMatte network = new MeMatte(
                architecture,
                architecture.parameterShapes(),
                name -> !name.contains(".running_"),
                type,
                device,
                teacher);
        ParametersFile.read(weights, network.parameters, weights.tensors()::containsKey);
        SplittableRandom random = new SplittableRandom(seed);
        network.parameters.shapes().keySet().stream()
                .filter(name -> !weights.tensors().containsKey(name))
                .forEach(name -> FreshWeights.fill(network.parameters, name, random));
        return network;
    }

    /** @throws InvalidInputException if these are not the weights of a ViTMatte */
    public static VitArchitecture checkTeacher(ModelSource source) {
        if (source.architecture() instanceof VitArchitecture teacher && !teacher.routed()) {
            return teacher;
        }
        throw new InvalidInputException(source.checkpoint().description() + ": expected a ViTMatte to start from, got "
                + source.architecture() + "; give ViTMatte's weights");
    }

    public VitArchitecture architecture() {
        return architecture;
    }

    /** Of photos in 0..1 per channel, subtracted from them. */
    public float[] mean() {
        return mean.clone();
    }

    /** The standard deviation of photos in 0..1 per channel, by which they are divided. */
    public float[] deviation() {
        return deviation.clone();
    }

    /** All tensors; the running statistics of batch norms among them take no gradients. */
    public Parameters parameters() {
        return parameters;
    }

    /**
     * MEMatte as it is trained: both branches of every global block, mixed by a policy; batch norms by the batch.
     *
     * @param image [B, 3, H, W] in 0..1; sides are multiples of {@link #MULTIPLE}
     * @param trimap [B, 1, H, W] in 0..1
     */
    public Prediction train(Tensor image, Tensor trimap, Policy policy) {
        Tensor pixels = pixels(image, trimap);
        List<Tensor> kept = new ArrayList<>();
        Tensor features = encoder.encode(pixels, (block, x) -> routing.mixed(block, x, policy, kept));
        return new Prediction(decoder.decode(features, pixels, true), features, List.copyOf(kept));
    }

    /** ViTMatte's features of such images. */
    public Tensor features(Tensor image, Tensor trimap) {
        return encoder.encode(pixels(image, trimap), this::dense);
    }

    /**
     * The network as it infers, on images of any size.
     *
     * @param image [B, 3, H, W] in 0..1
     * @param trimap [B, 1, H, W] in 0..1
     * @param huggingface pad photos as Hugging Face does, instead of as the authors do
     * @param maxTokens most tokens that attend globally in each routed block
     */
    public Prediction infer(Tensor image, Tensor trimap, boolean huggingface, int maxTokens) {
        int height = Math.toIntExact(image.size(2));
        int width = Math.toIntExact(image.size(3));
        Geometry geometry = Geometry.of(height, width, huggingface, architecture.routed());
        Tensor pixels = padded(pixels(image, trimap), geometry.paddedHeight(), geometry.paddedWidth());
        List<Tensor> kept = new ArrayList<>();
        Tensor features = encoder.encode(
                pixels, architecture.routed() ? (block, x) -> routing.chosen(block, x, maxTokens, kept) : this::dense);
        int rows = geometry.canvasHeight();
        int columns = geometry.canvasWidth();
        Tensor canvas = padded(features, rows / VitArchitecture.PATCH, columns / VitArchitecture.PATCH);
        Tensor alpha = decoder.decode(canvas, padded(pixels, rows, columns), false);
        return new Prediction(alpha.narrow(2, 0, height).narrow(3, 0, width), features, List.copyOf(kept));
    }

    private Tensor dense(int block, Tensor x) {
        return attention.dense(Encoder.block(block) + ".attn", encoder.norm1(block, x));
    }

    private Tensor pixels(Tensor image, Tensor trimap) {
        Tensor normalised =
                image.sub(Layers.constant(image, mean, 1, 3, 1, 1)).div(Layers.constant(image, deviation, 1, 3, 1, 1));
        return torch.cat(new TensorVector(normalised, trimap), 1)
                .to(parameters.values().scalar_type());
    }

    private static Tensor padded(Tensor x, long height, long width) {
        return torch.constant_pad_nd(x, 0, width - x.size(3), 0, height - x.size(2));
    }

    @Override
    public void close() {
        parameters.close();
    }
}
