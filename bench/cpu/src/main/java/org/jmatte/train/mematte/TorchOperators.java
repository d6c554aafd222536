package org.jmatte.train.mematte;

import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitArchitecture;
import org.jmatte.network.VitOps;
import org.jmatte.train.torch.Layers;
import org.jmatte.train.torch.MixedPrecision;
import org.jmatte.train.torch.Parameters;

/**
 * The operators of MEMatte and ViTMatte as a PyTorch user writes them, over one residual stream [1, H, W, C]: what ours are
 * timed against, one by one. What the trainer's network has in one piece (windows, dense attention, decoder) is taken from
 * there.
 */
public final class TorchOperators implements VitOps, AutoCloseable {
    private static final double NORM_EPSILON = 1e-6;
    private static final double ROUTER_EPSILON = 1e-5;
    private static final int POSITIONS = 14; // side of the grid of position embeddings
    private static final int DEPTHWISE_RADIUS = 2;

    private final Parameters parameters;
    private final Layers layers;
    private final Attention attention;
    private final Encoder encoder;
    private final Decoder decoder;
    private final Geometry geometry;
    private final int mostTokens;
    private final boolean bfloat16;
    private final Tensor pixels;
    private Tensor stream;
    private Tensor selected;
    private Tensor refined;
    private Tensor attended;
    private Tensor alpha;

    /**
     * @param network with all its weights; closed by whoever opened it
     * @param pixels normalised photo and trimap, [1, 4, H, W]
     * @param mostTokens the most that attend globally in a routed block
     * @param bfloat16 whether convolutions and products compute in bfloat16, by libtorch's autocast
     */
    public TorchOperators(MeMatte network, Tensor pixels, int mostTokens, boolean bfloat16) {
        parameters = network.parameters();
        layers = new Layers(parameters);
        attention = new Attention(parameters);
        encoder = new Encoder(parameters, attention);
        decoder = new Decoder(parameters);
        geometry = Geometry.of(
                (int) pixels.size(2),
                (int) pixels.size(3),
                false,
                network.architecture().routed());
        this.mostTokens = mostTokens;
        this.bfloat16 = bfloat16;
        this.pixels = computed(null, () -> padded(pixels, geometry.paddedHeight(), geometry.paddedWidth()));
    }

    /** The result of {@link #decode}, [1, 1, H, W] in 0..1. */
    public Tensor alpha() {
        return alpha.narrow(2, 0, geometry.height()).narrow(3, 0, geometry.width());
    }

    /** Computes what takes the place of {@code before}, without gradients, and frees all that was made on the way. */
    private Tensor computed(Tensor before, Supplier<Tensor> operator) {
        try (PointerScope temporaries = new PointerScope();
                NoGradGuard guard = new NoGradGuard();
                MixedPrecision precision = new MixedPrecision(bfloat16)) {
            Tensor result = operator.get().retainReference();
            if (before != null) {
                before.releaseReference();
            }
            return result;
        }
    }

    @Override
    public void embedPatches() {
        stream = computed(stream, () -> {
            Tensor patches = layers.convolution("backbone.patch_embed.proj", pixels, VitArchitecture.PATCH, 0, 1)
                    .permute(0, 2, 3, 1);
            Tensor table = parameters
                    .get("backbone.pos_embed")
                    .narrow(1, 1, POSITIONS * POSITIONS) // the first belongs to a class token
                    .view(1, POSITIONS, POSITIONS, -1)
                    .permute(0, 3, 1, 2);
            long[] grid = {patches.size(1), patches.size(2)};
            return patches.add(torch.upsample_bicubic2d(table, grid, false).permute(0, 2, 3, 1));
        });
    }

    @Override
    public void windowAttention(int block) {
        stream = computed(
                stream,
                () -> stream.add(attention.windowed(Encoder.block(block) + ".attn", encoder.norm1(block, stream))));
    }

    @Override
    public void globalAttention(int block) {
        stream = computed(
                stream,
                () -> stream.add(attention.dense(Encoder.block(block) + ".attn", encoder.norm1(block, stream))));
    }

    @Override
    public void route(int block) {
        selected = computed(selected, () -> {
            Tensor margin = margin("backbone.routers." + VitArchitecture.router(block), stream.flatten(1, 2));
            Tensor positive = margin.gt(new Scalar(0.0)).nonzero().flatten();
            return positive.numel() <= mostTokens
                    ? positive
                    : margin.topk(mostTokens).get1().clone(); // which lies in the pair
        });
    }

    private Tensor margin(String name, Tensor tokens) {
        Tensor y = torch.gelu(
                layers.linear(name + ".in_conv.1", layers.layerNorm(name + ".in_conv.0", tokens, ROUTER_EPSILON)));
        long half = y.size(2) / 2;
        Tensor local = y.narrow(2, 0, half);
        Tensor pooled = y.narrow(2, half, half).mean(1).unsqueeze(1).expand_as(local);
        y = torch.gelu(layers.linear(name + ".out_conv.0", torch.cat(new TensorVector(local, pooled), 2)));
        y = torch.gelu(layers.linear(name + ".out_conv.2", y));
        Tensor scores = layers.linear(name + ".out_conv.4", y);
        return scores.select(2, 0).sub(scores.select(2, 1)).flatten();
    }

    @Override
    public void refine(int block) {
        String name = Encoder.block(block) + ".efficient_block";
        refined = computed(refined, () -> {
            Tensor wide = torch.gelu(layers.linear(name + ".fc1", stream)).permute(0, 3, 1, 2);
            Tensor local = layers.convolution(name + ".dwconv", wide, 1, DEPTHWISE_RADIUS, (int) wide.size(1));
            Tensor y = Layers.widened(
                    layers.linear(name + ".fc2", torch.gelu(local).permute(0, 2, 3, 1)));
            Tensor taps = parameters.get(name + ".eca.conv.weight");
            Tensor gate = torch.conv1d(
                    y.mean(1, 2).unsqueeze(1),
                    taps,
                    new TensorOptional(),
                    new long[] {1},
                    new long[] {taps.size(2) / 2},
                    new long[] {1},
                    1);
            return y.add(y.mul(gate.sigmoid().unsqueeze(1)));
        });
    }

    @Override
    public void routedAttention(int block) {
        String name = Encoder.block(block) + ".attn";
        attended = computed(attended, () -> {
            Tensor tokens = stream.flatten(1, 2).index_select(1, selected);
            long heads = tokens.size(2) / VitArchitecture.HEAD_DIM;
            Tensor qkv = layers.linear(name + ".qkv", encoder.norm1(block, tokens))
                    .view(1, tokens.size(1), 3, heads, VitArchitecture.HEAD_DIM)
                    .permute(2, 0, 3, 1, 4);
            Tensor joined = torch.scaled_dot_product_attention(qkv.select(0, 0), qkv.select(0, 1), qkv.select(0, 2));
            return Layers.widened(
                    layers.linear(name + ".proj", joined.transpose(1, 2).reshape(tokens.sizes())));
        });
    }

    @Override
    public void merge(int block) {
        stream = computed(
                stream,
                () -> stream.add(
                        refined.flatten(1, 2).index_copy(1, selected, attended).view_as(stream)));
    }

    @Override
    public void mlp(int block) {
        String name = Encoder.block(block);
        stream = computed(stream, () -> {
            Tensor hidden = layers.linear(name + ".mlp.fc1", layers.layerNorm(name + ".norm2", stream, NORM_EPSILON));
            return stream.add(layers.linear(name + ".mlp.fc2", torch.gelu(hidden)));
        });
    }

    @Override
    public void bottleneck(int block) {
        String name = Encoder.block(block) + ".residual";
        stream = computed(stream, () -> {
            Tensor y = torch.gelu(normedConvolution(name, 1, stream.permute(0, 3, 1, 2), 0));
            y = torch.gelu(normedConvolution(name, 2, y, 1));
            return stream.add(normedConvolution(name, 3, y, 0).permute(0, 2, 3, 1));
        });
    }

    private Tensor normedConvolution(String name, int number, Tensor x, int padding) {
        Tensor y = layers.convolution(name + ".conv" + number, x, 1, padding, 1);
        return layers.channelNorm(name + ".norm" + number, y, NORM_EPSILON);
    }

    @Override
    public void decode() {
        alpha = computed(alpha, () -> {
            int height = geometry.canvasHeight();
            int width = geometry.canvasWidth();
            Tensor features =
                    padded(stream.permute(0, 3, 1, 2), height / VitArchitecture.PATCH, width / VitArchitecture.PATCH);
            return decoder.decode(features, padded(pixels, height, width), false);
        });
    }

    private static Tensor padded(Tensor x, long height, long width) {
        return torch.constant_pad_nd(x, 0, width - x.size(3), 0, height - x.size(2));
    }

    @Override
    public void close() {
        for (Tensor tensor : new Tensor[] {pixels, stream, selected, refined, attended, alpha}) {
            if (tensor != null) {
                tensor.releaseReference();
            }
        }
    }
}
