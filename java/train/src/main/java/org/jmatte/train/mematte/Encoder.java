package org.jmatte.train.mematte;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.network.VitArchitecture;
import org.jmatte.train.torch.Layers;
import org.jmatte.train.torch.Parameters;
import org.jmatte.train.torch.Scoped;

/** The plain vision transformer that ViTMatte and MEMatte share; tokens are maps [B, H, W, C]. */
final class Encoder {
    private static final double NORM_EPSILON = 1e-6;

    private static final int POSITIONS = 14; // side of the grid of position embeddings

    private final Parameters parameters;
    private final Layers layers;
    private final Attention attention;

    Encoder(Parameters parameters, Attention attention) {
        this.parameters = parameters;
        this.attention = attention;
        layers = new Layers(parameters);
    }

    static String block(int block) {
        return "backbone.blocks." + block;
    }

    /**
     * @param pixels [B, 4, H, W], sides multiples of 32
     * @param global mixes tokens in the global blocks
     * @return features [B, C, H/16, W/16]
     */
    Tensor encode(Tensor pixels, TokenMixing global) {
        Tensor x = embedPatches(pixels);
        for (int i = 0; i < VitArchitecture.DEPTH; i++) {
            x = block(i, x, global);
        }
        return x.permute(0, 3, 1, 2);
    }

    /** The tokens of the pixels, with their positions, [B, H/16, W/16, C]. */
    Tensor embedPatches(Tensor pixels) {
        Tensor patches = layers.convolution("backbone.patch_embed.proj", pixels, VitArchitecture.PATCH, 0, 1)
                .permute(0, 2, 3, 1);
        return patches.add(positions(patches.size(1), patches.size(2)));
    }

    private Tensor positions(long height, long width) {
        Tensor grid = parameters
                .get("backbone.pos_embed")
                .narrow(1, 1, POSITIONS * POSITIONS) // the first belongs to a class token
                .view(1, POSITIONS, POSITIONS, -1);
        return height == POSITIONS && width == POSITIONS
                ? grid
                : torch.upsample_bicubic2d(grid.permute(0, 3, 1, 2), new long[] {height, width}, false)
                        .permute(0, 2, 3, 1);
    }

    private Tensor block(int i, Tensor x, TokenMixing global) {
        String name = block(i);
        if (!VitArchitecture.isGlobal(i)) {
            return mlp(i, x.add(attention.windowed(name + ".attn", norm1(i, x))));
        }
        return bottleneck(i, mlp(i, x.add(global.mix(i, x))));
    }

    /** The norm before a block's attention. */
    Tensor norm1(int block, Tensor x) {
        return layers.layerNorm(block(block) + ".norm1", x, NORM_EPSILON);
    }

    /** The MLP of a block, with its residual connection. */
    Tensor mlp(int block, Tensor x) {
        String name = block(block);
        return Scoped.result(() -> {
            Tensor hidden = layers.linear(name + ".mlp.fc1", layers.layerNorm(name + ".norm2", x, NORM_EPSILON));
            return x.add(layers.linear(name + ".mlp.fc2", torch.gelu(hidden)));
        });
    }

    /** The convolutions behind a global block, with their residual connection. */
    Tensor bottleneck(int block, Tensor x) {
        String name = block(block) + ".residual";
        return Scoped.result(() -> {
            Tensor y = torch.gelu(normedConvolution(name, 1, x.permute(0, 3, 1, 2), 0));
            y = torch.gelu(normedConvolution(name, 2, y, 1));
            return x.add(normedConvolution(name, 3, y, 0).permute(0, 2, 3, 1));
        });
    }

    private Tensor normedConvolution(String name, int number, Tensor x, int padding) {
        Tensor y = layers.convolution(name + ".conv" + number, x, 1, padding, 1);
        return layers.channelNorm(name + ".norm" + number, y, NORM_EPSILON);
    }
}
