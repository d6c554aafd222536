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
    /** Rows that the depthwise convolution reads above its own, and below. */
    private static final int REACH = KERNEL / 2;

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

    int scale() {
        return stage.scale();
    }

    /** x = norm(convolution of the map before), rows {@code first} to {@code end} - 1. */
    void encode(GpuRun run, FeatureMap x, FeatureMap from, int first, int end) {
        MapOptions part = MapOptions.NONE.rows(first, end);
        if (stage.kernel() == 3) {
            boolean whole = Conv3x3.takesNorm(x.type(), x.channels(), 2);
            MapOptions options = whole ? part.norm(norm.weight(), norm.bias(), norm.eps()) : part;
            Conv3x3.run(run.device(), x, from, entry.weight(), entry.bias(), 2, options, run.stream());
            if (whole) {
                return;
            }
        } else {
            Conv2x2.run(run.device(), x, from, entry.weight(), entry.bias(), part, run.stream());
        }
        Tensor rows = rows(x, first, end - first);
        norm.run(run, rows, rows);
    }

    /**
     * x = norm(1x1 convolution of the coarser map, upsampled, and the skipped one), band by band.
     *
     * @param x in the skipped map's memory, with as many channels or fewer: its rows end before those still to be read
     */
    void decode(GpuRun run, FeatureMap x, FeatureMap coarser, FeatureMap skipped) {
        run.scratch(() -> {
            FeatureMap share = FeatureMap.of(run.take(coarser.height(), coarser.width(), x.channels()));
            up.run(run, rows(share), rows(coarser));
            int band = band(run, x, x.channels());
            FeatureMap sum = new FeatureMap(run.take(band, x.width(), x.channels()), x.height(), x.channels());
            run.parts(x.height(), band, (top, rows) -> {
                Resample.rows(run.device(), sum, share, top, top + rows, run.stream());
                Tensor sums = sum.rows().rows(0, rows).reshape((long) rows * x.width(), x.channels());
                entry.run(run, sums, rows(skipped, top, rows), Gemm.Options.NONE.add(sums));
                norm.run(run, rows(x, top, rows), sums);
            });
        });
    }

    /** Rows of a map at once, of which each takes so many values per position. */
    private static int band(GpuRun run, FeatureMap x, long values) {
        long rowBytes = values * x.width() * x.type().bytes();
        return run.tiling().even(run.arena().mark(), rowBytes, run.tiling().band(), x.height());
    }

    /** As {@link PathSelection#run}. */
    float select(GpuRun run, int segment, FeatureMap x, Tensor feature, Tensor attention) {
        return segment(segment).selection.run(run, x, feature, attention);
    }

    /** x = the modules of a segment of x, its channels weighed. */
    void keep(GpuRun run, int segment, FeatureMap x, Tensor attention) {
        VectorLayers.scale(run.device(), x, x, attention, run.stream());
        run.scratch(() -> {
            int band = moduleBand(run, x);
            Tensor normed = takeNormed(run, x, band);
            segment(segment).modules.forEach(module -> add(run, x, module, normed, band));
        });
    }

    /**
     * x += project(act(expand(norm(depthwise(x))))), band by band. The convolution is ahead by the rows that it reads above
     * its own, so that it finds x as it was.
     */
    private void add(GpuRun run, FeatureMap x, Module module, Tensor normed, int band) {
        int height = x.height();
        DepthwiseConv.Options options =
                DepthwiseConv.Options.NONE.norm(module.norm.weight(), module.norm.bias(), module.norm.eps());
        int[] convolved = {0};
        run.parts(height, band, (top, rows) -> {
            int from = convolved[0];
            int end = Math.min(height, top + rows + REACH);
            if (end > from) {
                DepthwiseConv.run(
                        run.device(),
                        normed.rows(from - top, end - from),
                        x.rows(),
                        module.depthwise,
                        module.bias,
                        options.rows(from, end),
                        run.stream());
                convolved[0] = end;
            }
            add(run, rows(x, top, rows), rows(normed.rows(0, rows)), module.expand, module.project);
            Tensor ahead = normed.rows(rows, end - top - rows);
            run.device().copy(normed.pointer(), ahead.pointer(), ahead.bytes(), run.stream());
        });
    }

    /** x += second(act(first(x))), of x with its channels weighed. Takes the memory of {@link #keep}, as it is planned. */
    void bypass(GpuRun run, int segment, FeatureMap x, Tensor attention) {
        VectorLayers.scale(run.device(), x, x, attention, run.stream());
        run.scratch(() -> {
            int band = moduleBand(run, x);
            takeNormed(run, x, band);
            Segment layers = segment(segment);
            run.parts(x.height(), band, (top, rows) -> {
                Tensor part = rows(x, top, rows);
                add(run, part, part, layers.first, layers.second);
            });
        });
    }

    /** Rows of a map that pass through a module at once. */
    private int moduleBand(GpuRun run, FeatureMap x) {
        return band(run, x, x.channels() + widest());
    }

    /** Room for a band and what the next one finds of itself. */
    private static Tensor takeNormed(GpuRun run, FeatureMap x, int band) {
        return run.take(Math.min(x.height(), band + REACH), x.width(), x.channels());
    }

    private int widest() {
        return segments.get(0).modules.get(0).expand.outputs();
    }

    /** x += second(act(first(from))), chunk by chunk. */
    private void add(GpuRun run, Tensor x, Tensor from, Linear first, Linear second) {
        int positions = (int) x.size(0);
        int widest = widest();
        int chunk = run.chunk(positions, widest, second.outputs());
        run.scratch(() -> {
            Tensor room = run.take((long) chunk * widest); // for either branch of a segment
            Tensor hidden = Tensor.wrap(room.pointer(), room.type(), chunk, first.outputs());
            run.parts(positions, chunk, (at, rows) -> {
                Tensor to = x.rows(at, rows);
                first.run(
                        run,
                        hidden.rows(0, rows),
                        from.rows(at, rows),
                        Gemm.Options.NONE.leakyRelu(PamArchitecture.LEAK));
                second.addTo(run, to, hidden.rows(0, rows), Overflow.features());
            });
        });
    }

    /** The positions of a whole map as rows. */
    static Tensor rows(FeatureMap map) {
        return rows(map.rows());
    }

    /** The positions of some rows of a whole map. */
    private static Tensor rows(FeatureMap map, int first, int count) {
        return rows(map.rows().rows(first, count));
    }

    private static Tensor rows(Tensor map) {
        return map.reshape(map.size(0) * map.size(1), map.size(2));
    }
}
