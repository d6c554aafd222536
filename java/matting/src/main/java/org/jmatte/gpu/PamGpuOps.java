package org.jmatte.gpu;

import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jmatte.execution.ActiveArea;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.Event;
import org.jmatte.kernels.FeatureMap;
import org.jmatte.kernels.Tensor;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamArchitecture.Stage;
import org.jmatte.network.PamOps;

/**
 * The operators of path-adaptive matting on a device, over the memory of one {@link GpuRun}. What must be there at once, but
 * for weights, images and bands, is what the encoder hands the decoder: per pixel of the padded photo 64/16 + 128/64 +
 * 256/256 + 320/1024 = 7.3 values. The stem's features, 12 values per pixel, are kept only if the tiling says so.
 */
final class PamGpuOps implements PamOps {
    private final PamModel model;
    private final GpuRun run;
    private final DeviceImages images;
    private final ActiveArea active;
    private final Event encoded;
    private final Tensor feature;
    /** The stem's features, or null if they are made again where they are wanted. */
    private final FeatureMap half;
    /** The encoder's maps by their scale. */
    private final Map<Integer, Skipped> skipped = new HashMap<>();
    /** The features of the present stage. */
    private FeatureMap x;

    private Tensor attention;

    /** A map that the decoder takes up, and the arena's mark behind it. */
    private record Skipped(FeatureMap map, long mark) {}

    /** @param encoded is recorded when the decoder's features are complete */
    PamGpuOps(PamModel model, GpuRun run, int gmacs, DeviceImages images, ActiveArea active, Event encoded) {
        this.model = model;
        this.run = run;
        this.images = images;
        this.active = active;
        this.encoded = encoded;
        feature = model.costFeature(gmacs);
        half = run.tiling().stemTwice() ? null : take(PamArchitecture.HALF, 2);
    }

    private FeatureMap take(int channels, int scale) {
        int height = run.geometry().paddedHeight() / scale;
        int width = run.geometry().paddedWidth() / scale;
        return FeatureMap.of(run.take(height, width, channels));
    }

    @Override
    public void stage(String name, Runnable work) {
        run.stage(name, work);
    }

    @Override
    public void reached(String name) {
        if (run.listener() != null) {
            run.listener()
                    .tensor(name, run.readFloats(x.rows()).asReadOnlyBuffer(), x.height(), x.width(), x.channels());
        }
    }

    @Override
    public void stem() {
        if (half != null) {
            model.stem().run(run, images, half);
        }
    }

    @Override
    public void encode(Stage stage) {
        FeatureMap from = x == null ? half : x;
        x = take(stage.channels(), stage.scale());
        skipped.put(stage.scale(), new Skipped(x, run.arena().mark()));
        attention = run.take(ElementType.FP32, stage.channels());
        if (from == null) {
            model.stem().run(run, images, model.stage(stage), x);
        } else {
            model.stage(stage).encode(run, x, from, 0, x.height());
        }
    }

    /** The result takes the place of the skipped map, and what lies behind is not needed any more. */
    @Override
    public void decode(Stage stage) {
        Skipped same = skipped.get(stage.scale());
        FeatureMap before = same.map;
        FeatureMap coarser = x;
        x = FeatureMap.of(
                Tensor.wrap(before.rows().pointer(), before.type(), before.height(), before.width(), stage.channels()));
        model.stage(stage).decode(run, x, coarser, before);
        run.arena().release(same.mark);
        attention = run.take(ElementType.FP32, stage.channels());
    }

    @Override
    public boolean select(Stage stage, int segment) {
        float margin = model.stage(stage).select(run, segment, x, feature, attention);
        if (run.listener() != null) {
            run.listener().tensor("segment" + segment + ".margin", FloatBuffer.wrap(new float[] {margin}), 1);
        }
        return margin > 0;
    }

    @Override
    public void keep(Stage stage, int segment) {
        model.stage(stage).keep(run, segment, x, attention);
    }

    @Override
    public void bypass(Stage stage, int segment) {
        model.stage(stage).bypass(run, segment, x, attention);
    }

    @Override
    public void pool(int pyramid) {
        model.pyramid(pyramid).run(run, x);
    }

    @Override
    public void refine() {
        run.stream().record(encoded);
        model.refinement().run(run, x, half, images, active);
    }
}
