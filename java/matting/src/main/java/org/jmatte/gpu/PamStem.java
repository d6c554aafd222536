package org.jmatte.gpu;

import java.util.List;
import org.jmatte.execution.ActiveArea;
import org.jmatte.kernels.Conv3x3;
import org.jmatte.kernels.FeatureMap;
import org.jmatte.kernels.ImagePlanes;
import org.jmatte.kernels.MapOptions;
import org.jmatte.kernels.PhotoPlanes;
import org.jmatte.kernels.Tensor;
import org.jmatte.network.PamArchitecture;

/** The convolutions from the input planes to features at half resolution, in strips. */
final class PamStem {
    /** Channels of the map of input planes: six and two of zeros, for whole packs. */
    static final int PLANE_CHANNELS = 8;

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

    /** The first convolution, at full resolution; the refinement computes it again instead of keeping it. */
    Conv full() {
        return full;
    }

    /** Fills the map {@code half}. */
    void run(GpuRun run, DeviceImages images, FeatureMap half) {
        // Rows ahead and behind follow from the 3x3 convolutions below each map.
        StripMap planes = StripMap.of(run, PLANE_CHANNELS, 1, 3, 0, 0);
        StripMap fine = StripMap.of(run, PamArchitecture.FULL, 1, 2, 0, 0);
        StripMap middle = StripMap.of(run, PamArchitecture.HALF, 2, 1, 1, 0);
        int height = run.geometry().paddedHeight();
        run.scratch(() -> {
            Strips strips = new Strips(run, ActiveArea.everything(), height, List.of(planes, fine, middle));
            PhotoPlanes photo = images.planes();
            strips.add(
                    planes,
                    (from, to, columns) -> ImagePlanes.rows(run.device(), planes.map(), photo, from, to, run.stream()));
            strips.add(
                    fine,
                    (from, to, columns) -> full.run(run, fine.map(), planes.map(), 1, Strips.part(from, to, columns)));
            strips.add(
                    middle,
                    (from, to, columns) -> first.run(run, middle.map(), fine.map(), 2, Strips.part(from, to, columns)));
            strips.add(
                    StripMap.whole(half, 2),
                    (from, to, columns) -> second.run(run, half, middle.map(), 1, Strips.part(from, to, columns)));
            strips.produce();
        });
    }
}
