package org.jmatte.bench;

import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.jmatte.kernels.ElementType.U8;

import java.util.ArrayList;
import java.util.List;
import org.jmatte.kernels.Conv3x3;
import org.jmatte.kernels.DetailCapture;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.EmbedPatches;
import org.jmatte.kernels.FeatureMap;
import org.jmatte.kernels.Gemm;
import org.jmatte.kernels.LayerNorm;
import org.jmatte.kernels.Ltrm;
import org.jmatte.kernels.MapOptions;
import org.jmatte.kernels.MergeTokens;
import org.jmatte.kernels.PhotoPlanes;
import org.jmatte.kernels.SparseAttention;
import org.jmatte.kernels.Tensor;
import org.jmatte.kernels.TokenRouting;
import org.jmatte.kernels.WindowAttention;

/**
 * What MEMatte S calls of the kernels for one photo: each kind of call once, in the network's order. The residual stream
 * has the type of the operands, and nothing is cut into chunks, bands or strips.
 */
final class MematteCalls {
    private static final int CHANNELS = 384;
    private static final int HEADS = 6;
    private static final int HIDDEN = 4 * CHANNELS;
    private static final int REFINED = 2 * CHANNELS;
    private static final int HALF = CHANNELS / 2;
    private static final int[] STREAM = {PhotoPlanes.PLANES, 48, 96, 192};
    private static final int[] FUSED = {256, 128, 64, 32};
    private static final int DEPTH = CHANNELS / HEADS;
    private static final int OFFSETS = 2 * WindowAttention.WINDOW - 1;
    private static final float EPS = 1e-6f;
    private static final MapOptions RELU = MapOptions.NONE.relu();

    private final ElementType type;
    private final int height;
    private final int width;
    private final int gridHeight;
    private final int gridWidth;
    private final int tokens;
    private final int kept;
    private final List<KernelCall> calls = new ArrayList<>();
    private String stage;

    private MematteCalls(int height, int width, double keep, ElementType type) {
        this.type = type;
        this.height = height;
        this.width = width;
        boolean padded = height % 32 != 0 || width % 32 != 0; // then both sides are
        gridHeight = (padded ? height + 32 - height % 32 : height) / EmbedPatches.PATCH;
        gridWidth = (padded ? width + 32 - width % 32 : width) / EmbedPatches.PATCH;
        tokens = Math.multiplyExact(gridHeight, gridWidth);
        kept = (int) (tokens * keep);
    }

    /**
     * The calls for a photo.
     *
     * @param keep fraction of the tokens that routers keep
     * @param type of activations and weights: fp32, fp16 or bf16
     */
    static List<KernelCall> of(int height, int width, double keep, ElementType type) {
        MematteCalls all = new MematteCalls(height, width, keep, type);
        all.embedPatches();
        all.windowBlock();
        all.router();
        all.refinement();
        all.globalAttention();
        all.mergeAndMlp();
        all.bottleneck();
        all.decoder();
        return all.calls;
    }

    private void add(String name, String shape, KernelCall.Preparation preparation) {
        calls.add(new KernelCall(stage, name, shape, preparation));
    }

    // ---------------------------------------------------------------- encoder

    private void embedPatches() {
        stage = "patch embed + pos";
        add("unfold", height + "x" + width + " to [" + tokens + ", 1024]", in -> {
            Tensor out = in.empty(type, tokens, EmbedPatches.PATCH_VALUES);
            Tensor photo = in.random(U8, height, width, 3);
            Tensor trimap = in.random(U8, height, width);
            float[] half = {0.5f, 0.5f, 0.5f};
            EmbedPatches.Planes planes = EmbedPatches.Planes.exact(half, half, 8, true);
            return s -> EmbedPatches.unfold(in.device(), out, photo, trimap, planes, gridWidth, 0, s);
        });
        linear("patches", tokens, EmbedPatches.PATCH_VALUES, CHANNELS, (in, d) -> Gemm.Options.NONE);
        add("position", "[" + tokens + ", " + CHANNELS + "]", in -> {
            Tensor x = in.random(type, tokens, CHANNELS);
            Tensor table = in.random(FP32, EmbedPatches.TABLE * EmbedPatches.TABLE, CHANNELS);
            return s -> EmbedPatches.position(in.device(), x, table, gridHeight, gridWidth, 0, s);
        });
    }

    private void windowBlock() {
        stage = "win: LN+qkv";
        norm("norm", tokens, CHANNELS);
        linear("qkv", tokens, CHANNELS, 3 * CHANNELS, (in, d) -> Gemm.Options.NONE);
        stage = "win: attention 14x14 + rel pos";
        add("window attention", gridHeight + "x" + gridWidth + ", " + HEADS + " heads", in -> {
            Tensor out = in.empty(type, tokens, CHANNELS);
            Tensor qkv = in.random(type, tokens, 3, HEADS, DEPTH);
            Tensor bias = in.random(FP32, 3, HEADS, DEPTH);
            Tensor relH = in.random(type, OFFSETS, DEPTH);
            Tensor relW = in.random(type, OFFSETS, DEPTH);
            return s -> WindowAttention.run(in.device(), out, qkv, bias, relH, relW, gridHeight, gridWidth, s);
        });
        stage = "win: proj + residual";
        linear("projection", tokens, CHANNELS, CHANNELS, (in, d) -> Gemm.Options.NONE.add(d));
        stage = "win: LN+MLP + residual";
        norm("norm", tokens, CHANNELS);
        mlp();
    }

    private void mlp() {
        linear("fc1", tokens, CHANNELS, HIDDEN, (in, d) -> Gemm.Options.NONE.gelu());
        linear("fc2", tokens, HIDDEN, CHANNELS, (in, d) -> Gemm.Options.NONE.add(d));
    }

    private void router() {
        stage = "glob: router";
        norm("norm", tokens, CHANNELS);
        // In fp32 from the mean on and from the last sum on: what is near a threshold stays on its side.
        linear("input", FP32, tokens, CHANNELS, CHANNELS, (in, d) -> Gemm.Options.NONE.gelu());
        add("mean of the global half", "[" + tokens + ", " + CHANNELS + "]", in -> {
            Tensor hidden = in.random(FP32, tokens, CHANNELS);
            Tensor local = in.empty(type, tokens, HALF);
            Tensor partial = in.empty(FP32, TokenRouting.partialRows(tokens), HALF);
            Tensor mean = in.empty(FP32, HALF);
            Tensor weight = in.weights(FP32, CHANNELS, HALF, CHANNELS);
            Tensor bias = in.random(FP32, HALF);
            Tensor folded = in.empty(FP32, HALF);
            return s -> {
                TokenRouting.pool(in.device(), local, partial, hidden, s);
                TokenRouting.mean(in.device(), mean, partial, tokens, s);
                TokenRouting.fold(in.device(), folded, weight, bias, mean, s);
            };
        });
        linear("first", tokens, HALF, HALF, (in, d) -> Gemm.Options.NONE.gelu());
        linear("second", FP32, tokens, HALF, HALF / 2, (in, d) -> Gemm.Options.NONE.gelu());
        add("margins", "[" + tokens + ", " + HALF / 2 + "]", in -> {
            Tensor margin = in.empty(FP32, tokens);
            Tensor y = in.random(FP32, tokens, HALF / 2);
            Tensor weight = in.weights(FP32, HALF / 2, HALF / 2);
            return s -> TokenRouting.margins(in.device(), margin, y, weight, 0, s);
        });
        add("selection", kept + " of " + tokens + ", the cap decides", in -> {
            Tensor selected = in.empty(I32, kept);
            Tensor rest = in.empty(I32, tokens);
            Tensor inverse = in.empty(I32, tokens);
            Tensor result = in.empty(I32, 4);
            Tensor margin = in.random(FP32, tokens);
            Tensor scratch = in.empty(U8, TokenRouting.scratchBytes(tokens));
            return s -> TokenRouting.select(in.device(), selected, rest, inverse, result, margin, scratch, s);
        });
    }

    private void refinement() {
        stage = "glob: LTRM fc1+dw5x5 (all N)";
        linear("fc1", tokens, CHANNELS, REFINED, (in, d) -> Gemm.Options.NONE.gelu());
        add("depthwise 5x5", "[" + gridHeight + ", " + gridWidth + ", " + REFINED + "]", in -> {
            Tensor out = in.empty(type, gridHeight, gridWidth, REFINED);
            Tensor map = in.random(type, gridHeight, gridWidth, REFINED);
            long parts = Ltrm.partialRows(in.device(), gridHeight, gridWidth, REFINED);
            Tensor partial = in.empty(FP32, parts, REFINED);
            Tensor weight = in.weights(FP32, 25, 5, 5, REFINED);
            Tensor bias = in.random(FP32, REFINED);
            return s -> Ltrm.depthwise(in.device(), out, partial, map, weight, bias, gridHeight, 0, s);
        });
        stage = "glob: LTRM fc2+ECA (N-M)";
        add("fc2 of the rest", "[" + (tokens - kept) + ", " + REFINED + "] to " + CHANNELS, in -> {
            Tensor d = in.empty(type, tokens - kept, CHANNELS);
            Tensor a = in.random(type, tokens, REFINED);
            Tensor w = in.weights(type, REFINED, CHANNELS, REFINED);
            Tensor bias = in.random(FP32, CHANNELS);
            Gemm.Options options = Gemm.Options.NONE.gather(in.integers(choice().rest()));
            return s -> Gemm.run(in.device(), d, a, w, bias, options, s);
        });
        add("gate", "[" + CHANNELS + "]", in -> {
            Tensor scale = in.empty(FP32, CHANNELS);
            Tensor weight = in.weights(type, REFINED, CHANNELS, REFINED);
            Tensor bias = in.random(FP32, CHANNELS);
            Tensor mean = in.random(FP32, REFINED);
            Tensor kernel = in.random(FP32, 5);
            return s -> Ltrm.gate(in.device(), scale, weight, bias, mean, kernel, s);
        });
    }

    private void globalAttention() {
        stage = "glob: gather+LN+qkv (M)";
        add("gather + norm", "[" + kept + ", " + CHANNELS + "] of " + tokens, in -> {
            Tensor out = in.empty(type, kept, CHANNELS);
            Tensor x = in.random(type, tokens, CHANNELS);
            Tensor weight = in.random(FP32, CHANNELS);
            Tensor bias = in.random(FP32, CHANNELS);
            Tensor index = in.integers(choice().selected());
            return s -> LayerNorm.gather(in.device(), out, x, weight, bias, index, null, EPS, s);
        });
        linear("qkv", kept, CHANNELS, 3 * CHANNELS, (in, d) -> Gemm.Options.NONE);
        stage = "glob: attention over M";
        add("sparse attention", kept + " tokens, " + HEADS + " heads", in -> {
            Tensor out = in.empty(type, kept, CHANNELS);
            Tensor qkv = in.random(type, kept, 3, HEADS, DEPTH);
            return s -> SparseAttention.run(in.device(), out, qkv, null, s);
        });
        stage = "glob: proj+scatter (M)";
        add("projection + scatter", "[" + kept + ", " + CHANNELS + "] to " + CHANNELS, in -> {
            Tensor d = in.empty(type, tokens, CHANNELS);
            Tensor a = in.random(type, kept, CHANNELS);
            Tensor w = in.weights(type, CHANNELS, CHANNELS, CHANNELS);
            Tensor bias = in.random(FP32, CHANNELS);
            Gemm.Options options = Gemm.Options.NONE.scatter(in.integers(choice().selected()));
            return s -> Gemm.run(in.device(), d, a, w, bias, options, s);
        });
    }

    private void mergeAndMlp() {
        stage = "glob: LN+MLP + residuals";
        add("merge + norm", "[" + tokens + ", " + CHANNELS + "]", in -> {
            Tensor x = in.random(type, tokens, CHANNELS);
            Tensor out = in.empty(type, tokens, CHANNELS);
            Tensor attention = in.random(type, tokens, CHANNELS);
            Tensor refined = in.random(type, tokens - kept, CHANNELS);
            Tensor gate = in.random(FP32, CHANNELS);
            Tensor inverse = in.integers(choice().inverse());
            Tensor weight = in.random(FP32, CHANNELS);
            Tensor bias = in.random(FP32, CHANNELS);
            MergeTokens.Rows inPlace = MergeTokens.Rows.IN_PLACE;
            MergeTokens.Rows compact = MergeTokens.Rows.COMPACT;
            return s -> MergeTokens.run(
                    in.device(), x, out, attention, inPlace, refined, compact, gate, inverse, weight, bias, EPS, s);
        });
        mlp();
    }

    private void bottleneck() {
        stage = "glob: residual bottleneck";
        linear("conv1", tokens, CHANNELS, HALF, (in, d) -> Gemm.Options.NONE);
        norm("norm", tokens, HALF);
        boolean takesNorm = Conv3x3.takesNorm(type, HALF, 1);
        convolution(takesNorm ? "conv2 + norm" : "conv2", gridHeight, gridWidth, HALF, HALF, 1, takesNorm);
        if (!takesNorm) {
            norm("norm", tokens, HALF);
        }
        linear("conv3", tokens, HALF, CHANNELS, (in, d) -> Gemm.Options.NONE);
        add("norm + residual", "[" + tokens + ", " + CHANNELS + "]", in -> {
            Tensor x = in.random(type, tokens, CHANNELS);
            Tensor out = in.random(type, tokens, CHANNELS);
            Tensor weight = in.random(FP32, CHANNELS);
            Tensor bias = in.random(FP32, CHANNELS);
            return s -> LayerNorm.residual(in.device(), out, x, out, weight, bias, EPS, s);
        });
    }

    // ---------------------------------------------------------------- decoder

    private void decoder() {
        int fullHeight = gridHeight * EmbedPatches.PATCH;
        int fullWidth = gridWidth * EmbedPatches.PATCH;
        stage = "dec: 3 stride-2 convs";
        String first = "[" + fullHeight + ", " + fullWidth + ", 4] to " + STREAM[1];
        add("details 1/2", first, in -> {
            FeatureMap out = FeatureMap.of(in.empty(type, fullHeight / 2, fullWidth / 2, STREAM[1]));
            Tensor weight = in.weights(type, 9 * STREAM[0], STREAM[1], 9, STREAM[0]);
            Tensor bias = in.random(FP32, STREAM[1]);
            PhotoPlanes photo = photo(in);
            return s -> Conv3x3.photo(in.device(), out, photo, weight, bias, 2, RELU, s);
        });
        convolution("details 1/4", fullHeight / 2, fullWidth / 2, STREAM[1], STREAM[2], 2, false);
        convolution("details 1/8", fullHeight / 4, fullWidth / 4, STREAM[2], STREAM[3], 2, false);
        for (int i = 0; i < FUSED.length; i++) {
            int low = i == 0 ? CHANNELS : FUSED[i - 1];
            int details = STREAM[3 - i];
            stage = "dec: fusion %d (%d+%d->%d)".formatted(i, low, details, FUSED[i]);
            int scale = 8 >> i;
            if (scale > 1) {
                convolution("details", fullHeight / scale, fullWidth / scale, details, FUSED[i], 1, false);
            }
            fusion(fullHeight / scale, fullWidth / scale, low, FUSED[i], scale == 1);
        }
        stage = "dec: head + sigmoid";
        add("head", height + "x" + width, in -> {
            Tensor alpha = in.empty(U8, height, width);
            FeatureMap map = in.map(type, fullHeight, fullWidth, FUSED[3]);
            Tensor weight = in.weights(type, 9 * FUSED[3], 16, 9, FUSED[3]);
            Tensor bias = in.random(FP32, 16);
            Tensor weight2 = in.weights(FP32, 16, 16);
            Tensor trimap = in.random(U8, height, width);
            Tensor notNumbers = in.integers(0);
            return s -> DetailCapture.head(
                    in.device(), alpha, map, weight, bias, weight2, 0, trimap, notNumbers, MapOptions.NONE, s);
        });
    }

    private void fusion(int outHeight, int outWidth, int low, int outputs, boolean ofPhoto) {
        String shape = "[" + outHeight / 2 + ", " + outWidth / 2 + ", " + low + "] to " + outputs;
        add("upsampled part", shape, in -> {
            FeatureMap out = in.map(type, outHeight, outWidth, outputs);
            FeatureMap map = in.map(type, outHeight / 2, outWidth / 2, low);
            Tensor weight = in.weights(type, 9L * low, outputs, 9, low);
            Tensor bias = in.random(FP32, outputs);
            if (!ofPhoto) {
                return s -> DetailCapture.fuse(in.device(), out, map, weight, bias, RELU, s);
            }
            PhotoPlanes photo = photo(in);
            Tensor photoWeight = in.weights(type, 9 * PhotoPlanes.PLANES, outputs, 9, PhotoPlanes.PLANES);
            return s -> DetailCapture.fusePhoto(in.device(), out, map, weight, photo, photoWeight, bias, RELU, s);
        });
    }

    private PhotoPlanes photo(Inputs in) {
        float[] scale = {1f / 64, 1f / 64, 1f / 64};
        float[] shift = {-2, -2, -2};
        return new PhotoPlanes(in.random(U8, height, 3L * width), in.random(U8, height, width), true, scale, shift);
    }

    // ---------------------------------------------------------------- operators

    /** Options of a product, which may take its result's tensor for the residual. */
    private interface Epilogue {
        Gemm.Options options(Inputs in, Tensor d);
    }

    private void linear(String name, long rows, long inputs, long outputs, Epilogue epilogue) {
        linear(name, type, rows, inputs, outputs, epilogue);
    }

    private void linear(String name, ElementType to, long rows, long inputs, long outputs, Epilogue epilogue) {
        add(name, "[" + rows + ", " + inputs + "] to " + outputs, in -> {
            Tensor d = in.random(to, rows, outputs);
            Tensor a = in.random(type, rows, inputs);
            Tensor w = in.weights(type, inputs, outputs, inputs);
            Tensor bias = in.random(FP32, outputs);
            Gemm.Options options = epilogue.options(in, d);
            return s -> Gemm.run(in.device(), d, a, w, bias, options, s);
        });
    }

    private void norm(String name, long rows, long channels) {
        add(name, "[" + rows + ", " + channels + "]", in -> {
            Tensor out = in.empty(type, rows, channels);
            Tensor x = in.random(type, rows, channels);
            Tensor weight = in.random(FP32, channels);
            Tensor bias = in.random(FP32, channels);
            return s -> LayerNorm.run(in.device(), out, x, weight, bias, EPS, s);
        });
    }

    private void convolution(
            String name, int inHeight, int inWidth, int inputs, int outputs, int stride, boolean norm) {
        String shape = "[" + inHeight + ", " + inWidth + ", " + inputs + "] to " + outputs;
        add(name, stride == 1 ? shape : shape + ", stride 2", in -> {
            FeatureMap out = FeatureMap.of(in.empty(type, inHeight / stride, inWidth / stride, outputs));
            FeatureMap map = in.map(type, inHeight, inWidth, inputs);
            Tensor weight = in.weights(type, 9L * inputs, outputs, 9, inputs);
            Tensor bias = in.random(FP32, outputs);
            MapOptions options = norm
                    ? MapOptions.NONE
                            .norm(in.random(FP32, outputs), in.random(FP32, outputs), EPS)
                            .gelu()
                    : RELU;
            return s -> Conv3x3.run(in.device(), out, map, weight, bias, stride, options, s);
        });
    }

    private TokenChoice choice() {
        return TokenChoice.random(tokens, kept);
    }
}
