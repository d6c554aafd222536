package org.jmatte.bench;

import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.U8;

import java.util.ArrayList;
import java.util.List;
import org.jmatte.kernels.Conv2x2;
import org.jmatte.kernels.Convert;
import org.jmatte.kernels.DepthwiseConv;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.FeatureMap;
import org.jmatte.kernels.ImagePlanes;
import org.jmatte.kernels.MapOptions;
import org.jmatte.kernels.PhotoPlanes;
import org.jmatte.kernels.Pooling;
import org.jmatte.kernels.Resample;
import org.jmatte.kernels.Tensor;
import org.jmatte.kernels.TokenRouting;
import org.jmatte.kernels.VectorLayers;

/** Calls that {@link MematteCalls} does without: rows that are moved or converted alone, and PAM's operators. */
final class OtherCalls {
    private static final float EPS = 1e-6f;
    private static final float SLOPE = 0.1f;
    private static final int ROUTED_CHANNELS = 384;

    private final ElementType type;
    private final int height;
    private final int width;
    private final List<KernelCall> calls = new ArrayList<>();

    private OtherCalls(int height, int width, ElementType type) {
        this.type = type;
        this.height = (height + 31) / 32 * 32;
        this.width = (width + 31) / 32 * 32;
    }

    /** The calls for a photo of so many pixels, whose routers keep a fraction of the tokens. */
    static List<KernelCall> of(int height, int width, double keep, ElementType type) {
        OtherCalls all = new OtherCalls(height, width, type);
        all.rows(keep);
        if (type != FP32) {
            all.conversion();
        }
        all.planes(height, width);
        all.depthwise(4, 64);
        all.depthwise(16, 256);
        all.entry(8, 128, 256);
        all.resample(4, 64);
        all.pooling(32, 320);
        all.scale(4, 64);
        return all.calls;
    }

    private void add(String stage, String name, String shape, KernelCall.Preparation preparation) {
        calls.add(new KernelCall(stage, name, shape, preparation));
    }

    private String shape(int scale, int channels) {
        return "[" + height / scale + ", " + width / scale + ", " + channels + "]";
    }

    private FeatureMap map(Inputs in, int scale, int channels) {
        return in.map(type, height / scale, width / scale, channels);
    }

    private void rows(double keep) {
        int tokens = height / 16 * (width / 16);
        int kept = (int) (tokens * keep);
        for (String what : List.of("gather", "scatter")) {
            add("rows", what, "[" + kept + ", " + ROUTED_CHANNELS + "] of " + tokens, in -> {
                Tensor all = in.random(type, tokens, ROUTED_CHANNELS);
                Tensor some = in.random(type, kept, ROUTED_CHANNELS);
                Tensor index = in.integers(TokenChoice.random(tokens, kept).selected());
                return what.equals("gather")
                        ? s -> TokenRouting.gather(in.device(), some, all, index, null, s)
                        : s -> TokenRouting.scatter(in.device(), all, some, index, null, s);
            });
        }
    }

    private void conversion() {
        int tokens = height / 16 * (width / 16);
        add("rows", "operands of an fp32 stream", "[" + tokens + ", " + ROUTED_CHANNELS + "]", in -> {
            Tensor out = in.empty(type, tokens, ROUTED_CHANNELS);
            Tensor stream = in.random(FP32, tokens, ROUTED_CHANNELS);
            return s -> Convert.run(in.device(), out, stream, s);
        });
    }

    private void planes(int photoHeight, int photoWidth) {
        add("PAM: input", "image planes", shape(1, 6), in -> {
            FeatureMap out = map(in, 1, 8);
            float[] ones = {1f / 64, 1f / 64, 1f / 64};
            Tensor rgb = in.random(U8, photoHeight, 3L * photoWidth);
            PhotoPlanes photo = new PhotoPlanes(rgb, in.random(U8, photoHeight, photoWidth), true, ones, new float[3]);
            return s -> ImagePlanes.run(in.device(), out, photo, s);
        });
    }

    private void depthwise(int scale, int channels) {
        add("PAM: segment", "depthwise 7x7 + norm", shape(scale, channels), in -> {
            Tensor x = map(in, scale, channels).rows();
            Tensor out = in.empty(type, x.shape());
            Tensor weight = in.weights(FP32, 49, 7, 7, channels);
            Tensor bias = in.random(FP32, channels);
            DepthwiseConv.Options options =
                    DepthwiseConv.Options.NONE.norm(in.random(FP32, channels), in.random(FP32, channels), EPS);
            return s -> DepthwiseConv.run(in.device(), out, x, weight, bias, options, s);
        });
    }

    private void entry(int scale, int inputs, int outputs) {
        add("PAM: stage", "conv 2x2", shape(scale, inputs) + " to " + outputs, in -> {
            FeatureMap out = map(in, 2 * scale, outputs);
            FeatureMap map = map(in, scale, inputs);
            Tensor weight = in.weights(type, 4L * inputs, outputs, 4, inputs);
            Tensor bias = in.random(FP32, outputs);
            return s -> Conv2x2.run(in.device(), out, map, weight, bias, MapOptions.NONE.leakyRelu(SLOPE), s);
        });
    }

    private void resample(int scale, int channels) {
        add("PAM: decoder", "resample", shape(scale, channels) + " twofold", in -> {
            FeatureMap out = map(in, scale / 2, channels);
            FeatureMap map = map(in, scale, channels);
            return s -> Resample.run(in.device(), out, map, s);
        });
    }

    private void pooling(int scale, int channels) {
        add("PAM: pyramid", "pooling", shape(scale, channels) + " to 6x6", in -> {
            FeatureMap map = map(in, scale, channels);
            Tensor out = in.empty(type, 6, 6, channels);
            Tensor scratch = in.empty(U8, Pooling.scratchBytes(map.height(), channels, 6));
            return s -> Pooling.run(in.device(), out, map, scratch, s);
        });
    }

    private void scale(int scale, int channels) {
        add("PAM: segment", "scaling", shape(scale, channels), in -> {
            FeatureMap out = map(in, scale, channels);
            FeatureMap map = map(in, scale, channels);
            Tensor factors = in.random(FP32, channels);
            return s -> VectorLayers.scale(in.device(), out, map, factors, s);
        });
    }
}
