package org.jmatte.cpu;

import java.util.List;
import org.jmatte.cpu.CpuWeights.Channels;
import org.jmatte.cpu.Linear.Epilogue;
import org.jmatte.execution.ActiveArea;
import org.jmatte.network.PamArchitecture;

/** The convolutions from the input planes to features at half resolution, in strips. */
final class PamStem {
    private final Linear full;
    private final Linear first;
    private final Linear second;

    PamStem(CpuWeights weights) {
        full = weights.convolution("stem_full", new Channels(0, PamArchitecture.PLANES, InputPlanes.CHANNELS));
        first = weights.convolution("stem_half.first");
        second = weights.convolution("stem_half.second");
    }

    /** The first convolution, at full resolution; the refinement computes it again instead of keeping it. */
    Linear full() {
        return full;
    }

    /** Fills the map {@code half}. */
    void run(CpuRun run, Pixels pixels, FeatureMap half) {
        ActiveArea all = ActiveArea.everything();
        long mark = run.arena().mark();
        // Rows ahead and behind follow from the 3x3 convolutions below each map.
        FeatureMap planes = FeatureMap.take(run, InputPlanes.CHANNELS, 1, 3, 0, 0);
        FeatureMap fine = FeatureMap.take(run, PamArchitecture.FULL, 1, 2, 0, 0);
        FeatureMap middle = FeatureMap.take(run, PamArchitecture.HALF, 2, 1, 1, 0);
        List<StripStage> stages = List.of(
                new InputPlanes(run, all, pixels, planes),
                new StripConvolution(run, all, full, Epilogue.LEAKY, fine, planes.convolution(1)),
                new StripConvolution(run, all, first, Epilogue.LEAKY, middle, fine.convolution(2)),
                new StripConvolution(run, all, second, Epilogue.LEAKY, half, middle.convolution(1)));
        StripStage.produce(run, stages, run.geometry().paddedHeight());
        run.arena().release(mark);
    }
}
