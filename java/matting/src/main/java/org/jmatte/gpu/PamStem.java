package org.jmatte.gpu;

import java.util.List;
import java.util.function.Consumer;
import org.jmatte.execution.ActiveArea;
import org.jmatte.kernels.Conv3x3;
import org.jmatte.kernels.FeatureMap;
import org.jmatte.kernels.ImagePlanes;
import org.jmatte.kernels.MapOptions;
import org.jmatte.kernels.PhotoPlanes;
import org.jmatte.kernels.Tensor;
import org.jmatte.network.PamArchitecture;

/**
 * The convolutions from the input planes to features at half resolution, in strips. These features are the largest map
 * of the network, wanted by the encoder at its beginning and by the refinement at its end: they are kept, or made again.
 */
final class PamStem {
    /** Channels of the map of input planes: six and two of zeros, for whole packs. */
    static final int PLANE_CHANNELS = 8;

    private static final int FULL = PamArchitecture.FULL;

    private final Conv full;
    private final Conv first;
    private final Conv second;

    /** A 3x3 convolution followed by the leaky activation. */
    record Conv(Tensor weight, Tensor bias) {
        static Conv of(GpuWeights weights, String name) {
            int inputs = (int) weights.parameters().shape(name + ".weight")[1];
            return of(weights, name, 0, inputs, inputs);
        }

        /** Of the input channels {@code from} to {@code to} - 1 of a map that holds more, which count as zeros. */
        static Conv of(GpuWeights weights, String name, int from, int to, int held) {
            return new Conv(weights.convolution(name, from, to, held), weights.bias(name));
        }

        void run(GpuRun run, FeatureMap out, FeatureMap in, int stride, MapOptions options) {
            MapOptions activated = options.leakyRelu(PamArchitecture.LEAK);
            Conv3x3.run(run.device(), out, in, weight, bias, stride, activated, run.stream());
        }
    }

    PamStem(GpuWeights weights) {
        full = Conv.of(weights, "stem_full", 0, PamArchitecture.PLANES, PLANE_CHANNELS);
        first = Conv.of(weights, "stem_half.first");
        second = Conv.of(weights, "stem_half.second");
    }

    /**
     * The first convolution's result and, beside it, the input planes that it is made of, so that one convolution can
     * read both.
     *
     * @param ahead rows of the result below a strip's end
     */
    static StripMap fineMap(GpuRun run, int ahead, int reach) {
        return StripMap.of(run, FULL + PLANE_CHANNELS, 1, ahead + 1, 0, reach);
    }

    /** Adds what fills {@link #fineMap}. */
    void addFine(GpuRun run, Strips strips, StripMap map, PhotoPlanes photo) {
        FeatureMap fine = map.map().slice(0, FULL);
        FeatureMap planes = map.map().slice(FULL, PLANE_CHANNELS);
        strips.add(map, (from, to, columns) -> ImagePlanes.rows(run.device(), planes, photo, from, to, run.stream()));
        strips.add(map.later(1), (from, to, columns) -> full.run(run, fine, planes, 1, Strips.part(from, to, columns)));
    }

    /** All maps of the stem. Rows ahead and reach follow from the 3x3 convolutions below each. */
    final class Maps {
        final StripMap fine;
        final StripMap half;
        private final StripMap middle;

        /** @param half the result: whole, or a ring of it */
        Maps(GpuRun run, StripMap half) {
            this.half = half;
            int ahead = half.ahead() + 1;
            middle = StripMap.of(run, PamArchitecture.HALF, 2, ahead, 1, half.reach() + 2);
            fine = fineMap(run, 2 * ahead, half.reach() + 4);
        }

        List<StripMap> all() {
            return List.of(fine, middle, half);
        }

        /** Adds what fills them. */
        void add(GpuRun run, Strips strips, PhotoPlanes photo) {
            addFine(run, strips, fine, photo);
            FeatureMap features = fine.map().slice(0, FULL);
            strips.add(
                    middle,
                    (from, to, columns) -> first.run(run, middle.map(), features, 2, Strips.part(from, to, columns)));
            strips.add(
                    half,
                    (from, to, columns) ->
                            second.run(run, half.map(), middle.map(), 1, Strips.part(from, to, columns)));
        }
    }

    /** A ring of the result. @param ahead rows that later maps need below a strip's end */
    static StripMap halfMap(GpuRun run, int ahead, int reach) {
        return StripMap.of(run, PamArchitecture.HALF, 2, ahead, 1, reach);
    }

    /** Fills the map {@code half}. */
    void run(GpuRun run, DeviceImages images, FeatureMap half) {
        produce(run, images, new Maps(run, StripMap.whole(half, 2)), strips -> {});
    }

    /** x = what a stage makes of the result, of which no more than a strip exists. */
    void run(GpuRun run, DeviceImages images, PamStage stage, FeatureMap x) {
        Maps maps = new Maps(run, halfMap(run, 0, 0));
        produce(
                run,
                images,
                maps,
                strips -> strips.add(
                        StripMap.whole(x, stage.scale()),
                        (from, to, columns) -> stage.encode(run, x, maps.half.map(), from, to)));
    }

    private void produce(GpuRun run, DeviceImages images, Maps maps, Consumer<Strips> then) {
        run.scratch(() -> {
            Strips strips =
                    new Strips(run, ActiveArea.everything(), run.geometry().paddedHeight(), maps.all());
            maps.add(run, strips, images.planes());
            then.accept(strips);
            strips.produce();
        });
    }
}
