package org.jmatte.train.mematte;

import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitArchitecture;
import org.jmatte.network.VitOps;
import org.jmatte.train.torch.Layers;
import org.jmatte.train.torch.MixedPrecision;
import org.jmatte.train.torch.Parameters;

/**
 * The operators of MEMatte and ViTMatte as a PyTorch user writes them, over one residual stream [1, H, W, C]: what ours are
 * timed against, one by one. They are the parts of the network that the trainer trains.
 */
public final class TorchOperators implements VitOps, AutoCloseable {
    private final Layers layers;
    private final Attention attention;
    private final Encoder encoder;
    private final Routing routing;
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
        Parameters parameters = network.parameters();
        layers = new Layers(parameters);
        attention = new Attention(parameters);
        encoder = new Encoder(parameters, attention);
        routing = new Routing(parameters, encoder, attention);
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
        stream = computed(stream, () -> encoder.embedPatches(pixels));
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
            Tensor margin = routing.margin(VitArchitecture.router(block), stream.flatten(1, 2))
                    .flatten();
            return Routing.positive(margin, mostTokens).clone(); // which may lie in a pair
        });
    }

    @Override
    public void refine(int block) {
        refined = computed(refined, () -> routing.refine(block, stream));
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
        stream = computed(stream, () -> encoder.mlp(block, stream));
    }

    @Override
    public void bottleneck(int block) {
        stream = computed(stream, () -> encoder.bottleneck(block, stream));
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
