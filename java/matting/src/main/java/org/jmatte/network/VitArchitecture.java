package org.jmatte.network;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jmatte.InvalidInputException;

/**
 * MEMatte (routed) or ViTMatte, by the embedding width C of its transformer.
 *
 * @param name such as {@code mematte_s}; other widths than the known ones have theirs in the name, {@code mematte_192}
 * @param width C, a multiple of {@link #HEAD_DIM} up to 4096
 * @param routed whether routers choose, per token, between global attention and the light path
 */
public record VitArchitecture(String name, int width, boolean routed) implements Architecture {
    /** Side of the square patch, in pixels, that becomes one token. */
    public static final int PATCH = 16;
    /** Side, in tokens, of the windows that local blocks attend in. */
    public static final int WINDOW = 14;
    /** Channels per attention head. */
    public static final int HEAD_DIM = 64;
    /** Transformer blocks. */
    public static final int DEPTH = 12;
    /** Rows of a global block's relative position tables, unrouted: a training grid of 32 x 32 tokens. */
    public static final int GLOBAL_OFFSETS = 2 * 32 - 1;

    private static final int WIDEST = 4096;
    private static final int[] GLOBAL_BLOCKS = {2, 5, 8, 11};
    static final Map<String, VitArchitecture> KNOWN = known();

    public VitArchitecture {
        if (width < HEAD_DIM || width > WIDEST || width % HEAD_DIM != 0) {
            throw new InvalidInputException("Embedding width: expected a multiple of " + HEAD_DIM + " up to " + WIDEST
                    + ", found " + width + ". Use the weights of a MEMatte or ViTMatte network.");
        }
    }

    /** The network of this width: named as the releases are, where there is one. */
    public static VitArchitecture of(int width, boolean routed) {
        for (VitArchitecture known : KNOWN.values()) {
            if (known.width == width && known.routed == routed) {
                return known;
            }
        }
        return new VitArchitecture((routed ? "mematte_" : "vitmatte_") + width, width, routed);
    }

    /** The blocks that attend across the whole picture; all others attend inside windows. */
    public static int[] globalBlocks() {
        return GLOBAL_BLOCKS.clone();
    }

    /** Whether block {@code block} attends across the whole picture. */
    public static boolean isGlobal(int block) {
        return block % 3 == 2;
    }

    /** The position among {@link #globalBlocks()}: the number of that block's router. */
    public static int router(int block) {
        return Arrays.binarySearch(GLOBAL_BLOCKS, block);
    }

    /** Taps of the efficient channel attention: floor(log2(channels) / 2 + 0.5), or one more where that is even. */
    public static int ecaKernel(int channels) {
        int log2 = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(channels);
        return (log2 + 1) / 2 | 1;
    }

    /** Attention heads, C / 64. */
    public int heads() {
        return width / HEAD_DIM;
    }

    @Override
    public Map<String, long[]> parameterShapes() {
        return new Parameters(width, routed).shapes();
    }

    @Override
    public String toString() {
        return name;
    }

    private static Map<String, VitArchitecture> known() {
        Map<String, VitArchitecture> known = new LinkedHashMap<>();
        Map<String, Integer> widths = new LinkedHashMap<>();
        widths.put("s", 384);
        widths.put("b", 768);
        widths.put("tiny", 128);
        for (String network : new String[] {"mematte", "vitmatte"}) {
            widths.forEach((size, width) -> {
                String name = network + "_" + size;
                known.put(name, new VitArchitecture(name, width, network.equals("mematte")));
            });
        }
        return known;
    }

    /** The shapes, layer by layer. */
    private static final class Parameters extends ParameterShapes {
        Parameters(int c, boolean routed) {
            put("backbone.pos_embed", 1, 197, c); // 14 x 14 positions behind an unused one
            conv("backbone.patch_embed.proj", 4, c, PATCH);
            for (int i = 0; i < DEPTH; i++) {
                block("backbone.blocks." + i + ".", c, isGlobal(i), routed);
            }
            for (int i = 0; routed && i < GLOBAL_BLOCKS.length; i++) {
                router("backbone.routers." + i + ".", c);
            }
            decoder(c);
        }

        private void block(String block, int c, boolean global, boolean routed) {
            norm(block + "norm1", c);
            if (!global || !routed) {
                int offsets = global ? GLOBAL_OFFSETS : 2 * WINDOW - 1;
                put(block + "attn.rel_pos_h", offsets, HEAD_DIM);
                put(block + "attn.rel_pos_w", offsets, HEAD_DIM);
            }
            linear(block + "attn.qkv", c, 3 * c);
            linear(block + "attn.proj", c, c);
            norm(block + "norm2", c);
            linear(block + "mlp.fc1", c, 4 * c);
            linear(block + "mlp.fc2", 4 * c, c);
            if (global && routed) {
                linear(block + "efficient_block.fc1", c, 2 * c);
                conv(block + "efficient_block.dwconv", 1, 2 * c, 5);
                linear(block + "efficient_block.fc2", 2 * c, c);
                put(block + "efficient_block.eca.conv.weight", 1, 1, ecaKernel(c));
            }
            if (global) {
                put(block + "residual.conv1.weight", c / 2, c, 1, 1);
                norm(block + "residual.norm1", c / 2);
                put(block + "residual.conv2.weight", c / 2, c / 2, 3, 3);
                norm(block + "residual.norm2", c / 2);
                put(block + "residual.conv3.weight", c, c / 2, 1, 1);
                norm(block + "residual.norm3", c);
            }
        }

        private void router(String router, int c) {
            norm(router + "in_conv.0", c);
            linear(router + "in_conv.1", c, c);
            linear(router + "out_conv.0", c, c / 2);
            linear(router + "out_conv.2", c / 2, c / 4);
            linear(router + "out_conv.4", c / 4, 2);
        }

        private void decoder(int c) {
            int[] detail = {4, 48, 96, 192}; // channels at full, half, quarter and eighth resolution
            int[] fused = {c, 256, 128, 64, 32};
            for (int i = 0; i < 3; i++) {
                convNormalised("decoder.convstream.convs." + i, detail[i], detail[i + 1]);
            }
            for (int i = 0; i < 4; i++) {
                convNormalised("decoder.fusion_blks." + i + ".conv", fused[i] + detail[3 - i], fused[i + 1]);
            }
            String head = "decoder.matting_head.matting_convs.";
            conv(head + "0", 32, 16, 3);
            batchNorm(head + "1", 16);
            conv(head + "3", 16, 1, 1);
        }

        private void convNormalised(String name, int in, int out) {
            put(name + ".conv.weight", out, in, 3, 3);
            batchNorm(name + ".bn", out);
        }

        private void batchNorm(String name, int c) {
            norm(name, c);
            put(name + ".running_mean", c);
            put(name + ".running_var", c);
        }
    }
}
