package org.jmatte.train.mematte;

import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.network.VitArchitecture;
import org.jmatte.train.torch.Layers;
import org.jmatte.train.torch.Parameters;
import org.jmatte.train.torch.Scoped;

/** The global blocks of MEMatte: routers send each token to attention or to the lightweight token refinement (LTRM). */
final class Routing {
    private static final double ROUTER_EPSILON = 1e-5;
    private static final int DEPTHWISE_RADIUS = 2;

    private final Parameters parameters;
    private final Layers layers;
    private final Encoder encoder;
    private final Attention attention;

    Routing(Parameters parameters, Encoder encoder, Attention attention) {
        this.parameters = parameters;
        this.encoder = encoder;
        this.attention = attention;
        layers = new Layers(parameters);
    }

    /** How a block is trained: both branches run on all tokens and mix, p * attention + (1 - p) * LTRM; p is collected. */
    Tensor mixed(int block, Tensor x, Policy policy, List<Tensor> kept) {
        int router = VitArchitecture.router(block);
        Tensor tokens = x.flatten(1, 2);
        Tensor p = policy.decide(router, margin(router, tokens));
        kept.add(p);
        String name = Encoder.block(block);
        Tensor attended = attention.under(p, name + ".attn", encoder.norm1(block, tokens));
        Tensor refined = refine(block, x);
        Tensor share = p.view(x.size(0), x.size(1), x.size(2), 1);
        return refined.add(share.mul(attended.view_as(refined).sub(refined)));
    }

    /**
     * How a block infers: tokens with a positive margin, at most {@code maxTokens} and then those of largest, attend among
     * themselves; the others are refined. What was kept is collected as 0 and 1.
     */
    Tensor chosen(int block, Tensor x, int maxTokens, List<Tensor> kept) {
        int router = VitArchitecture.router(block);
        Tensor tokens = x.flatten(1, 2);
        Tensor margin = margin(router, tokens);
        Tensor keep = torch.zeros_like(margin);
        Tensor refined = refine(block, x).flatten(1, 2);
        TensorVector images = new TensorVector();
        for (long b = 0; b < x.size(0); b++) {
            Tensor index = positive(margin.select(0, b), maxTokens);
            keep.select(0, b).index_fill_(0, index, new Scalar(1.0));
            Tensor chosen = tokens.select(0, b).index_select(0, index).unsqueeze(0);
            Tensor all = refined.select(0, b);
            images.push_back(
                    index.numel() == 0
                            ? all
                            : all.index_copy(0, index, attend(block, chosen).select(0, 0)));
        }
        kept.add(keep);
        return torch.stack(images, 0).view_as(x);
    }

    private Tensor attend(int block, Tensor tokens) {
        return Layers.widened(attention.plain(Encoder.block(block) + ".attn", encoder.norm1(block, tokens)));
    }

    /** The tokens of positive margin [N]; of more than {@code most} those of largest. */
    static Tensor positive(Tensor margin, int most) {
        Tensor index = margin.gt(new Scalar(0.0)).nonzero().flatten();
        return index.numel() <= most ? index : margin.topk(most).get1();
    }

    /** The score of attending less that of being refined, [B, N] of tokens [B, N, C], in float32. */
    Tensor margin(int router, Tensor tokens) {
        return Scoped.result(() -> {
            String name = "backbone.routers." + router;
            Tensor normed = layers.layerNorm(name + ".in_conv.0", tokens, ROUTER_EPSILON);
            Tensor y = torch.gelu(layers.linear(name + ".in_conv.1", normed));
            long half = y.size(2) / 2;
            Tensor pooled = y.narrow(2, half, half).mean(1).unsqueeze(1);
            Tensor joined =
                    torch.cat(new TensorVector(y.narrow(2, 0, half), pooled.expand_as(y.narrow(2, half, half))), 2);
            y = torch.gelu(layers.linear(name + ".out_conv.0", joined));
            y = torch.gelu(layers.linear(name + ".out_conv.2", y));
            Tensor scores = Layers.widened(layers.linear(name + ".out_conv.4", y));
            return scores.select(2, 0).sub(scores.select(2, 1));
        });
    }

    /** LTRM of a map [B, H, W, C]: an MLP with a depthwise 5x5 convolution, its channels gated by their means. */
    Tensor refine(int block, Tensor x) {
        String name = Encoder.block(block) + ".efficient_block";
        return Scoped.result(() -> {
            Tensor wide = torch.gelu(layers.linear(name + ".fc1", x)).permute(0, 3, 1, 2);
            int channels = Math.toIntExact(wide.size(1));
            Tensor local = layers.convolution(name + ".dwconv", wide, 1, DEPTHWISE_RADIUS, channels);
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
                            1)
                    .sigmoid();
            return y.add(y.mul(gate.unsqueeze(1)));
        });
    }
}
