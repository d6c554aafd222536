package org.jmatte.gpu;

import java.util.ArrayList;
import java.util.List;
import org.jmatte.kernels.Conv2x2;
import org.jmatte.kernels.Conv3x3;
import org.jmatte.kernels.DepthwiseConv;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.FeatureMap;
import org.jmatte.kernels.Gemm;
import org.jmatte.kernels.MapOptions;
import org.jmatte.kernels.Resample;
import org.jmatte.kernels.Tensor;
import org.jmatte.kernels.VectorLayers;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamArchitecture.Stage;

/** The layers of one stage of path-adaptive matting: its entry, and segments that are kept or bypassed. */
final class PamStage {
    private static final int KERNEL = PamArchitecture.LARGE_KERNEL;

    private final Stage stage;
    /** In the encoder, a convolution [C, taps, inputs]; in the decoder, a linear layer of the skipped map alone. */
    private final Linear entry;
    /** In the decoder, the entry's part for the coarser map; 1x1 convolution and upsampling commute. Else null. */
    private final Linear up;

    private final Norm norm;
    private final List<Segment> segments = new ArrayList<>();

    /** A large-kernel and two pointwise convolutions: x + project(act(expand(norm(depthwise(x))))). */
    private record Module(Tensor depthwise, Tensor bias, Norm norm, Linear expand, Linear project) {
        static Module of(GpuWeights weights, String name) {
            Linear expand = weights.linear(name + ".expand");
            Tensor depthwise = weights.put(
                    ElementType.FP32,
                    () -> weights.parameters().filters(name + ".depthwise.weight"),
                    KERNEL,
                    KERNEL,
                    expand.inputs());
            return new Module(
                    depthwise,
                    weights.bias(name + ".depthwise"),
                    weights.norm(name + ".norm", Norm.ENCODER_EPS),
                    expand,
                    weights.linear(name + ".project"));
        }
    }

    /** Path selection, the modules, and the connect layer that may replace them. */
    private record Segment(PathSelection selection, List<Module> modules, Linear first, Linear second) {}

    PamStage(GpuWeights weights, Stage stage) {
        this.stage = stage;
        String name = stage.name() + ".entry";
        if (stage.kernel() == 1) {
            int coarse = stage.inputs() - skippedChannels(stage);
            up = new Linear(weights.pointwise(name, 0, coarse), null);
            entry = new Linear(weights.pointwise(name, coarse, stage.inputs()), weights.bias(name));
        } else {
            up = null;
            entry = new Linear(weights.convolution(name, 0, stage.inputs(), stage.inputs()), weights.bias(name));
        }
        norm = weights.norm(stage.name() + ".norm", Norm.ENCODER_EPS);
        for (int s = stage.firstSegment(); s < stage.firstSegment() + stage.segments(); s++) {
            String segment = stage.segment(s);
            List<Module> modules = new ArrayList<>();
            for (int module = 0; module < PamArchitecture.MODULES; module++) {
                modules.add(Module.of(weights, segment + ".layers." + module));
            }
            segments.add(new Segment(
                    new PathSelection(weights, segment),
                    modules,
                    weights.linear(segment + ".connect.first"),
                    weights.linear(segment + ".connect.second")));
        }
    }

    private static int skippedChannels(Stage stage) {
        return PamArchitecture.encoder().stream()
                .filter(encoder -> encoder.scale() == stage.scale())
                .findFirst()
                .orElseThrow()
                .channels();
    }

    private Segment segment(int number) {
        return segments.get(number - stage.firstSegment());
    }

    /** x = norm(convolution of the map before). */
    void encode(GpuRun run, FeatureMap x, FeatureMap from) {
        if (stage.kernel() == 3) {
            boolean whole = Conv3x3.takesNorm(x.type(), x.channels(), 2);
            MapOptions options = whole ? MapOptions.NONE.norm(norm.weight(), norm.bias(), norm.eps()) : MapOptions.NONE;
            Conv3x3.run(run.device(), x, from, entry.weight(), entry.bias(), 2, options, run.stream());
            if (whole) {
                return;
            }
        } else {
            Conv2x2.run(run.device(), x, from, entry.weight(), entry.bias(), MapOptions.NONE, run.stream());
        }
        norm.run(run, rows(x), rows(x));
    }

    /** x = norm(1x1 convolution of the coarser map, upsampled, and the skipped one). */
    void decode(GpuRun run, FeatureMap x, FeatureMap coarser, FeatureMap skipped) {
        run.scratch(() -> {
            Tensor share = run.take(coarser.height(), coarser.width(), x.channels());
            up.run(run, rows(FeatureMap.of(share)), rows(coarser));
            Resample.run(run.device(), x, FeatureMap.of(share), run.stream());
        });
        entry.run(run, rows(x), rows(skipped), Gemm.Options.NONE.add(rows(x)));
        norm.run(run, rows(x), rows(x));
    }

    /** As {@link PathSelection#run}. */
    boolean select(GpuRun run, int segment, FeatureMap x, Tensor feature, Tensor attention) {
        return segment(segment).selection.run(run, x, feature, attention);
    }

    /** x = the modules of a segment of x, its channels weighed. */
    void keep(GpuRun run, int segment, FeatureMap x, Tensor attention) {
        VectorLayers.scale(run.device(), x, x, attention, run.stream());
        for (Module module : segment(segment).modules) {
            run.scratch(() -> {
                Tensor normed = run.take(x.height(), x.width(), x.channels());
                DepthwiseConv.run(
                        run.device(),
                        normed,
                        x.rows(),
                        module.depthwise,
                        module.bias,
                        DepthwiseConv.Options.NONE.norm(module.norm.weight(), module.norm.bias(), module.norm.eps()),
                        run.stream());
                add(run, rows(x), rows(FeatureMap.of(normed)), module.expand, module.project);
            });
        }
    }

    /** x += second(act(first(x))), of x with its channels weighed. Takes the memory of {@link #keep}, as it is planned. */
    void bypass(GpuRun run, int segment, FeatureMap x, Tensor attention) {
        VectorLayers.scale(run.device(), x, x, attention, run.stream());
        run.scratch(() -> {
            run.take(x.height(), x.width(), x.channels());
            add(run, rows(x), rows(x), segment(segment).first, segment(segment).second);
        });
    }

    /** x += second(act(first(from))), chunk by chunk. */
    private void add(GpuRun run, Tensor x, Tensor from, Linear first, Linear second) {
        int positions = (int) x.size(0);
        int widest = segments.get(0).modules.get(0).expand.outputs();
        int chunk = run.chunk(positions, widest, second.outputs());
        run.scratch(() -> {
            Tensor room = run.take((long) chunk * widest); // for either branch of a segment
            Tensor hidden = Tensor.wrap(room.pointer(), room.type(), chunk, first.outputs());
            GpuRun.parts(positions, chunk, (at, rows) -> {
                Tensor to = x.rows(at, rows);
                first.run(
                        run,
                        hidden.rows(0, rows),
                        from.rows(at, rows),
                        Gemm.Options.NONE.leakyRelu(PamArchitecture.LEAK));
                second.run(run, to, hidden.rows(0, rows), Gemm.Options.NONE.add(to));
            });
        });
    }

    /** The positions of a whole map as rows. */
    static Tensor rows(FeatureMap map) {
        return map.rows().reshape((long) map.height() * map.width(), map.channels());
    }
}
