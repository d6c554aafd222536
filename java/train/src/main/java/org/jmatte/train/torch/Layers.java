package org.jmatte.train.torch;

import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** Layers over named {@link Parameters}: the layer NAME owns NAME.weight and perhaps NAME.bias. Maps are [B, C, H, W]. */
public final class Layers {
    private static final double BATCH_EPSILON = 1e-5;
    private static final double BATCH_MOMENTUM = 0.1;

    private final Parameters parameters;

    public Layers(Parameters parameters) {
        this.parameters = parameters;
    }

    private TensorOptional bias(String name) {
        return parameters.has(name + ".bias")
                ? new TensorOptional(parameters.get(name + ".bias"))
                : new TensorOptional();
    }

    /** Cross-correlation, zero padding on all sides. */
    public Tensor convolution(String name, Tensor x, int stride, int padding, int groups) {
        return torch.conv2d(
                x,
                parameters.get(name + ".weight"),
                bias(name),
                new long[] {stride, stride},
                new long[] {padding, padding},
                new long[] {1, 1},
                groups);
    }

    /** A 1x1 convolution. */
    public Tensor pointwise(String name, Tensor x) {
        return convolution(name, x, 1, 0, 1);
    }

    /** W v + b over the last axis. */
    public Tensor linear(String name, Tensor x) {
        return torch.linear(x, parameters.get(name + ".weight"), bias(name));
    }

    /** Layer norm over the last axis. */
    public Tensor layerNorm(String name, Tensor x, double epsilon) {
        Tensor weight = parameters.get(name + ".weight");
        return torch.layer_norm(x, new long[] {weight.numel()}, new TensorOptional(weight), bias(name), epsilon, false);
    }

    /** Layer norm over the channels of each position of a map. */
    public Tensor channelNorm(String name, Tensor x, double epsilon) {
        return layerNorm(name, x.permute(0, 2, 3, 1), epsilon).permute(0, 3, 1, 2);
    }

    /**
     * Batch norm of a map by NAME.running_mean and NAME.running_var.
     *
     * @param training normalises by the batch's own statistics, and moves the running ones a tenth of the way to them
     */
    public Tensor batchNorm(String name, Tensor x, boolean training) {
        return torch.batch_norm(
                x,
                new TensorOptional(parameters.get(name + ".weight")),
                bias(name),
                new TensorOptional(parameters.get(name + ".running_mean")),
                new TensorOptional(parameters.get(name + ".running_var")),
                training,
                BATCH_MOMENTUM,
                BATCH_EPSILON,
                false);
    }

    /** One row of an embedding table, as [1, features]. */
    public Tensor row(String name, int row) {
        return parameters.get(name + ".weight").narrow(0, row, 1);
    }

    public static Tensor leakyRelu(Tensor x, double slope) {
        return torch.leaky_relu(x, new Scalar(slope));
    }

    /** Bilinear, half-pixel centres, to the height and width of another map. */
    public static Tensor upsample(Tensor x, Tensor like) {
        return torch.upsample_bilinear2d(x, new long[] {like.size(2), like.size(3)}, false);
    }

    /** Numbers, row-major, as a tensor of another's type and device; a card takes them without being waited for. */
    public static Tensor constant(Tensor like, float[] numbers, long... shape) {
        return Tensor.create(numbers, shape).to(like, true, false, new MemoryFormatOptional());
    }

    /** The same of integers, which keep their type. */
    public static Tensor indices(Tensor like, long[] numbers) {
        return Tensor.create(numbers).to(like.device(), torch.ScalarType.Long, true, false, new MemoryFormatOptional());
    }

    /** Cross-correlation of a one-channel map with a fixed filter, row-major, zero padding on all sides. */
    public static Tensor filter(Tensor x, float[] filter, int height, int width, int padding) {
        return torch.conv2d(
                x,
                constant(x, filter, 1, 1, height, width),
                new TensorOptional(),
                new long[] {1, 1},
                new long[] {padding, padding},
                new long[] {1, 1},
                1);
    }

    /** A map in bfloat16 as float32, any other as it is: for sums and exponentials. */
    public static Tensor widened(Tensor x) {
        return x.scalar_type().intern() == torch.ScalarType.BFloat16 ? x.to(torch.ScalarType.Float) : x;
    }
}
