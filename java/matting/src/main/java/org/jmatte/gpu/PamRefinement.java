package org.jmatte.gpu;

import java.util.ArrayList;
import java.util.List;
import org.jmatte.execution.ActiveArea;
import org.jmatte.gpu.PamStem.Conv;
import org.jmatte.kernels.Conv3x3;
import org.jmatte.kernels.DetailCapture;
import org.jmatte.kernels.FeatureMap;
import org.jmatte.kernels.MapOptions;
import org.jmatte.kernels.PhotoPlanes;
import org.jmatte.kernels.Tensor;
import org.jmatte.network.PamArchitecture;

/**
 * The convolutions from the decoder's features to alpha, in strips: two at half resolution of these features and of the
 * encoder's, two at full resolution of their result, the stem's first map and the input planes, and the last.
 */
final class PamRefinement {
    private static final int FULL = PamArchitecture.FULL;

    private final PamStem stem;
    private final Fused half;
    private final Conv halfSecond;
    private final Fused full;
    private final Conv fullSecond;
    private final Tensor alphaWeights;
    private final float alphaBias;

    /** A convolution of an upsampled map and of details of the result's size. */
    private record Fused(Tensor up, Tensor detail, Tensor bias) {
        void run(GpuRun run, FeatureMap out, FeatureMap low, FeatureMap details, MapOptions part) {
            Conv3x3.run(run.device(), out, details, detail, null, 1, part, run.stream());
            DetailCapture.fuse(run.device(), out, low, up, bias, part.leakyRelu(PamArchitecture.LEAK), run.stream());
        }
    }

    /** @param stem computes its maps again, as far as they were not kept */
    PamRefinement(GpuWeights weights, PamStem stem) {
        this.stem = stem;
        half = fused(weights, "refine_half.first", PamArchitecture.HALF, PamArchitecture.HALF);
        halfSecond = Conv.of(weights, "refine_half.second");
        full = fused(weights, "refine_full.first", FULL + PamArchitecture.PLANES, FULL + PamStem.PLANE_CHANNELS);
        fullSecond = Conv.of(weights, "refine_full.second");
        alphaWeights = Conv.of(weights, "alpha").weight();
        alphaBias = weights.parameters().values("alpha.bias")[0];
    }

    /** The last {@code details} channels are the details', of a map that holds more. */
    private static Fused fused(GpuWeights weights, String name, int details, int held) {
        int inputs = (int) weights.parameters().shape(name + ".weight")[1];
        int low = inputs - details;
        return new Fused(
                weights.convolution(name, 0, low, low),
                weights.convolution(name, low, inputs, held),
                weights.bias(name));
    }

    /**
     * Writes alpha.
     *
     * @param x the decoder's features at a quarter of the resolution
     * @param encoded the encoder's at half, or null to make them again
     * @param active where pixels are wanted
     */
    void run(GpuRun run, FeatureMap x, FeatureMap encoded, DeviceImages images, ActiveArea active) {
        boolean keepKnown = run.request().keepKnown();
        // Rows ahead and reach follow from the 3x3 convolutions and the bilinear taps below each map.
        StripMap half1 = StripMap.of(run, PamArchitecture.REFINED_HALF, 2, 4, 0, 6);
        StripMap half2 = StripMap.of(run, PamArchitecture.REFINED_HALF, 2, 2, 0, 4);
        StripMap full1 = StripMap.of(run, PamArchitecture.REFINED_FIRST, 1, 2, 0, 2);
        StripMap full2 = StripMap.of(run, PamArchitecture.REFINED_SECOND, 1, 1, 1, 1);
        PamStem.Maps again = encoded == null ? stem.new Maps(run, PamStem.halfMap(run, 5, 8)) : null;
        StripMap fine = again == null ? PamStem.fineMap(run, 3, 4) : again.fine;
        List<StripMap> maps = new ArrayList<>(again == null ? List.of(fine) : again.all());
        maps.addAll(List.of(half1, half2, full1, full2));
        run.scratch(() -> {
            int height = run.geometry().height();
            Strips strips = new Strips(run, active, height, maps);
            PhotoPlanes photo = images.planes();
            if (again == null) {
                stem.addFine(run, strips, fine, photo);
            } else {
                again.add(run, strips, photo);
            }
            FeatureMap details = again == null ? encoded : again.half.map();
            strips.add(
                    half1,
                    (from, to, columns) -> half.run(run, half1.map(), x, details, Strips.part(from, to, columns)));
            strips.add(
                    half2,
                    (from, to, columns) ->
                            halfSecond.run(run, half2.map(), half1.map(), 1, Strips.part(from, to, columns)));
            strips.add(
                    full1,
                    (from, to, columns) ->
                            full.run(run, full1.map(), half2.map(), fine.map(), Strips.part(from, to, columns)));
            strips.add(
                    full2,
                    (from, to, columns) ->
                            fullSecond.run(run, full2.map(), full1.map(), 1, Strips.part(from, to, columns)));
            strips.addResult(
                    full2,
                    run.geometry().width(),
                    (from, to, columns) -> DetailCapture.alpha(
                            run.device(),
                            images.alpha(),
                            full2.map(),
                            alphaWeights,
                            alphaBias,
                            keepKnown ? images.trimap() : null,
                            run.notNumbers(),
                            Strips.part(from, to, columns),
                            run.stream()));
            strips.produce();
            run.countDecoded((long) full1.producedUpTo(height) * full1.width());
        });
    }
}
