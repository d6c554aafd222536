package org.jmatte.cpu;

import java.util.ArrayList;
import java.util.List;
import org.jmatte.cpu.CpuWeights.Channels;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamArchitecture.Stage;

/**
 * The layers of one stage of path-adaptive matting.
 *
 * @param entry the convolution that it is entered through; in the decoder, of the skipped map alone
 * @param up in the decoder, the entry's part for the coarser map, null in the encoder: 1x1 convolution and upsampling
 *     commute, so it runs at the coarser resolution
 * @param norm of the entry
 * @param segments in order
 */
record StageLayers(Stage stage, Linear entry, Linear up, LayerNorm norm, List<Segment> segments) {
    /** A segment: path selection, the depthwise modules, and the connect layer that may replace them. */
    record Segment(PathSelection selection, List<DepthwiseModule> modules, Linear first, Linear second) {}

    static StageLayers encoder(CpuWeights weights, Stage stage) {
        return of(weights, stage, weights.convolution(stage.name() + ".entry"), null);
    }

    static StageLayers decoder(CpuWeights weights, Stage stage) {
        String entry = stage.name() + ".entry";
        int coarse = stage.inputs() - skipped(stage).channels();
        return of(
                weights,
                stage,
                weights.convolution(entry, Channels.of(coarse, stage.inputs())),
                weights.tapProducts(entry, 0, coarse));
    }

    /** The encoder's stage of a decoder's stage's resolution. */
    static Stage skipped(Stage stage) {
        return PamArchitecture.encoder().stream()
                .filter(encoder -> encoder.scale() == stage.scale())
                .findFirst()
                .orElseThrow();
    }

    private static StageLayers of(CpuWeights weights, Stage stage, Linear entry, Linear up) {
        List<Segment> segments = new ArrayList<>();
        for (int s = stage.firstSegment(); s < stage.firstSegment() + stage.segments(); s++) {
            String name = stage.segment(s);
            List<DepthwiseModule> modules = new ArrayList<>();
            for (int module = 0; module < PamArchitecture.MODULES; module++) {
                modules.add(new DepthwiseModule(weights, name + ".layers." + module));
            }
            segments.add(new Segment(
                    new PathSelection(weights, name),
                    modules,
                    weights.linear(name + ".connect.first"),
                    weights.linear(name + ".connect.second")));
        }
        LayerNorm norm = new LayerNorm(weights, stage.name() + ".norm", LayerNorm.ENCODER_EPS);
        return new StageLayers(stage, entry, up, norm, segments);
    }

    Segment segment(int segment) {
        return segments.get(segment - stage.firstSegment());
    }
}
