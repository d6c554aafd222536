package org.jmatte.cpu;

import java.util.List;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.cpu.Linear.Epilogue;
import org.jmatte.execution.ActiveArea;
import org.jmatte.image.Alpha;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitArchitecture;
import org.jmatte.weights.Parameters.Scale;

/**
 * Detail capture: three stride-2 convolutions of the photo, four fusions of their maps with the twofold upsampled
 * features, and the matting head. Every convolution has its batch norm folded in and is followed by ReLU.
 *
 * <p>Blocks from which no wanted pixel can be reached are skipped.
 */
final class Decoder {
    private static final int[] DETAIL = {48, 96, 192};
    private static final int[] FUSED = {256, 128, 64, 32};
    private static final float RELU_SLOPE = 0;

    private final int features;
    private final Linear[] details = new Linear[DETAIL.length];
    private final Linear[] fusedDetail = new Linear[FUSED.length];
    private final Linear[] fusedUp = new Linear[FUSED.length];
    private final Linear head;
    private final long headWeights;
    private final float headBias;

    Decoder(CpuWeights weights, int features) {
        this.features = features;
        for (int i = 0; i < DETAIL.length; i++) {
            String name = "decoder.convstream.convs." + i + ".";
            int inputs = i == 0 ? Pixels.PLANES : DETAIL[i - 1];
            details[i] = weights.foldedConvolution(name + "conv", weights.batchNorm(name + "bn"), 0, inputs);
        }
        for (int i = 0; i < FUSED.length; i++) {
            String name = "decoder.fusion_blks." + i + ".conv.";
            int detailChannels = i < DETAIL.length ? DETAIL[DETAIL.length - 1 - i] : Pixels.PLANES;
            Scale norm = weights.batchNorm(name + "bn");
            fusedDetail[i] = weights.foldedConvolution(name + "conv", norm, 0, detailChannels);
            fusedUp[i] = weights.tapProducts(
                    name + "conv", norm, detailChannels, detailChannels + (i == 0 ? features : FUSED[i - 1]));
        }
        String matting = "decoder.matting_head.matting_convs.";
        head = weights.foldedConvolution(matting + "0", weights.batchNorm(matting + "1"), 0, FUSED[FUSED.length - 1]);
        headWeights = weights.vector(matting + "3.weight");
        headBias = weights.values(matting + "3.bias")[0];
    }

    /**
     * Decodes the stream into {@code alpha}.
     *
     * @param x the residual stream
     * @param active where pixels are wanted
     * @param alpha the result; null while planning
     * @param keepKnown whether the trimap's known values replace the result
     * @throws ArithmeticException if the result is not a number somewhere
     */
    void run(CpuRun run, long x, Pixels pixels, ActiveArea active, Alpha alpha, boolean keepKnown) {
        long mark = run.arena().mark();
        FeatureMap encoded = encoded(run, x);
        // Rows ahead and reach follow from the 3x3 convolutions and the bilinear taps below each map.
        FeatureMap d1 = FeatureMap.take(run, DETAIL[0], 2, 12, 0, 40);
        FeatureMap d2 = FeatureMap.take(run, DETAIL[1], 4, 6, 0, 36);
        FeatureMap d3 = FeatureMap.take(run, DETAIL[2], 8, 3, 0, 24);
        FeatureMap f0 = FeatureMap.take(run, FUSED[0], 8, 2, 0, 16);
        FeatureMap f1 = FeatureMap.take(run, FUSED[1], 4, 2, 0, 8);
        FeatureMap f2 = FeatureMap.take(run, FUSED[2], 2, 2, 0, 4);
        FeatureMap f3 = FeatureMap.take(run, FUSED[3], 1, 2, 1, 2);
        List<StripStage> stages = List.of(
                new StripConvolution(run, active, details[0], Epilogue.RELU, d1, pixels.convolution(2)),
                new StripConvolution(run, active, details[1], Epilogue.RELU, d2, d1.convolution(2)),
                new StripConvolution(run, active, details[2], Epilogue.RELU, d3, d2.convolution(2)),
                new Fusion(run, active, RELU_SLOPE, fusedDetail[0], fusedUp[0], encoded, f0, d3.convolution(1)),
                new Fusion(run, active, RELU_SLOPE, fusedDetail[1], fusedUp[1], f0, f1, d2.convolution(1)),
                new Fusion(run, active, RELU_SLOPE, fusedDetail[2], fusedUp[2], f1, f2, d1.convolution(1)),
                new Fusion(run, active, RELU_SLOPE, fusedDetail[3], fusedUp[3], f2, f3, pixels.convolution(1)),
                new MattingHead(
                        run, active, head, headWeights, headBias, f3, alpha, keepKnown ? pixels.trimapAddress() : 0));
        StripStage.produce(run, stages, run.geometry().height());
        run.arena().release(mark);
    }

    /** The stream as operands, with zeros where the canvas is larger than the padded photo. */
    private FeatureMap encoded(CpuRun run, long x) {
        Geometry geometry = run.geometry();
        int height = geometry.canvasHeight() / VitArchitecture.PATCH;
        int width = geometry.canvasWidth() / VitArchitecture.PATCH;
        ElementType type = run.operands();
        long address = run.arena().take(type.bytes((long) height * width * features));
        FeatureMap map = new FeatureMap(height, width, features, VitArchitecture.PATCH, 0, 0, height, type, address);
        int gridHeight = geometry.gridHeight();
        int gridWidth = geometry.gridWidth();
        run.forEach(height, (row, slot) -> {
            int y = (int) row;
            int filled = y < gridHeight ? gridWidth : 0;
            long source = x + (long) y * gridWidth * features * Float.BYTES;
            CpuKernels.convert_rows(source, (long) filled * features, map.at(y, 0), type.code());
            NativeMemory.clear(map.at(y, filled), type.bytes((long) (width - filled) * features));
        });
        return map;
    }
}
