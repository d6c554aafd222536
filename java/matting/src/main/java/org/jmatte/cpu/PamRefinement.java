package org.jmatte.cpu;

import java.util.List;
import org.jmatte.cpu.CpuWeights.Channels;
import org.jmatte.cpu.Linear.Epilogue;
import org.jmatte.execution.ActiveArea;
import org.jmatte.image.Alpha;
import org.jmatte.network.PamArchitecture;

/**
 * The convolutions from the decoder's features to alpha, in strips: two at half resolution of these features and of the
 * encoder's, two at full resolution of their result, the stem's first map and the input planes, and the last. Blocks
 * from which no wanted pixel can be reached are skipped.
 */
final class PamRefinement {
    private final Linear halfDetail;
    private final Linear halfUp;
    private final Linear halfSecond;
    private final Linear fullDetail;
    private final Linear fullUp;
    private final Linear fullSecond;
    private final long alphaWeights;
    private final float alphaBias;

    PamRefinement(CpuWeights weights) {
        int half = (int) weights.shape("refine_half.first.weight")[1];
        int quarter = half - PamArchitecture.HALF;
        halfUp = weights.tapProducts("refine_half.first", 0, quarter);
        halfDetail = weights.convolution("refine_half.first", Channels.of(quarter, half));
        halfSecond = weights.convolution("refine_half.second");
        int refined = PamArchitecture.REFINED_HALF;
        int planes = refined + PamArchitecture.FULL;
        fullUp = weights.tapProducts("refine_full.first", 0, refined);
        fullDetail = weights.convolution(
                "refine_full.first",
                Channels.of(refined, planes),
                new Channels(planes, planes + PamArchitecture.PLANES, InputPlanes.CHANNELS));
        fullSecond = weights.convolution("refine_full.second");
        alphaWeights = weights.filters("alpha");
        alphaBias = weights.array("alpha.bias")[0];
    }

    /**
     * @param stem computes its first map again
     * @param x the decoder's features at a quarter of the resolution
     * @param half the encoder's at half
     * @param active where pixels are wanted
     * @param alpha the result; null while planning
     * @param keepKnown whether the trimap's known values replace the result
     * @throws ArithmeticException if the result is not a number somewhere
     */
    void run(
            CpuRun run,
            PamStem stem,
            FeatureMap x,
            FeatureMap half,
            Pixels pixels,
            ActiveArea active,
            Alpha alpha,
            boolean keepKnown) {
        float slope = PamArchitecture.LEAK;
        long mark = run.arena().mark();
        // Rows ahead and reach follow from the 3x3 convolutions and the bilinear taps below each map.
        FeatureMap planes = FeatureMap.take(run, InputPlanes.CHANNELS, 1, 4, 0, 4);
        FeatureMap fine = FeatureMap.take(run, PamArchitecture.FULL, 1, 3, 0, 3);
        FeatureMap half1 = FeatureMap.take(run, PamArchitecture.REFINED_HALF, 2, 4, 0, 6);
        FeatureMap half2 = FeatureMap.take(run, PamArchitecture.REFINED_HALF, 2, 2, 0, 4);
        FeatureMap full1 = FeatureMap.take(run, PamArchitecture.REFINED_FIRST, 1, 2, 0, 2);
        FeatureMap full2 = FeatureMap.take(run, PamArchitecture.REFINED_SECOND, 1, 1, 1, 1);
        List<StripStage> stages = List.of(
                new InputPlanes(run, active, pixels, planes),
                new StripConvolution(run, active, stem.full(), Epilogue.LEAKY, fine, planes.convolution(1)),
                new Fusion(run, active, slope, halfDetail, halfUp, x, half1, half.convolution(1)),
                new StripConvolution(run, active, halfSecond, Epilogue.LEAKY, half2, half1.convolution(1)),
                new Fusion(run, active, slope, fullDetail, fullUp, half2, full1, fine.convolutionWith(planes)),
                new StripConvolution(run, active, fullSecond, Epilogue.LEAKY, full2, full1.convolution(1)),
                new AlphaConvolution(
                        run, active, alphaWeights, alphaBias, full2, alpha, keepKnown ? pixels.trimapAddress() : 0));
        StripStage.produce(run, stages, run.geometry().height());
        run.arena().release(mark);
    }
}
