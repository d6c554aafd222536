package org.jmatte.cpu;

import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.execution.ActiveArea;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamArchitecture.Stage;
import org.jmatte.network.PamOps;

/** The operators of path-adaptive matting on the CPU, over the memory of one {@link CpuRun}: planning or computing. */
final class PamCpuOps implements PamOps {
    private final PamModel model;
    private final CpuRun run;
    private final Pixels pixels;
    private final Alpha alpha;
    private final float[] costFeature;
    private final FeatureMap half;
    private final Map<Integer, FeatureMap> skipped = new HashMap<>();
    /** The features of the present stage. */
    private FeatureMap x;

    private StageRun stage;
    /** Where the arena's part ends that later stages need. */
    private long kept;

    private PamCpuOps(PamModel model, CpuRun run, Pixels pixels, Alpha alpha, float[] costFeature) {
        this.model = model;
        this.run = run;
        this.pixels = pixels;
        this.alpha = alpha;
        this.costFeature = costFeature;
        half = FeatureMap.whole(run, PamArchitecture.HALF, 2);
        kept = run.arena().mark();
    }

    static PamCpuOps planning(PamModel model, CpuRun run) {
        return new PamCpuOps(model, run, Pixels.planned(run), null, null);
    }

    /** @param alpha takes the result */
    static PamCpuOps computing(PamModel model, CpuRun run, int gmacs, Photo photo, Trimap trimap, Alpha alpha) {
        Pixels pixels = Pixels.of(run, photo, trimap, model.settings());
        return new PamCpuOps(model, run, pixels, alpha, model.costFeature(gmacs));
    }

    @Override
    public void stage(String name, Runnable work) {
        run.stage(name, work);
    }

    @Override
    public void reached(String name) {
        if (run.listener() != null) {
            run.listener().tensor(name, x.values(), x.height(), x.width(), x.channels());
        }
    }

    @Override
    public void stem() {
        model.stem().run(run, pixels, half);
    }

    @Override
    public void encode(Stage next) {
        FeatureMap from = x == null ? half : x;
        x = take(next);
        StageRun.Source source = next.kernel() == 3
                ? (y, left, rows, columns, to) -> {
                    from.unfold(2, y, left, rows, columns, to, 9L * from.channels());
                    return to;
                }
                : (y, left, rows, columns, to) -> {
                    CpuKernels.unfold2x2(
                            from.address(),
                            from.type().code(),
                            from.height(),
                            from.width(),
                            from.channels(),
                            y,
                            left,
                            rows,
                            columns,
                            to);
                    return to;
                };
        enter(next, source, null);
        skipped.put(next.scale(), x);
    }

    @Override
    public void decode(Stage next) {
        FeatureMap coarser = x;
        FeatureMap skip = skipped.get(next.scale());
        run.arena().release(kept);
        // The entry is pointwise in the skipped map, which nobody needs after it.
        x = skip.channels() == next.channels() ? skip : take(next);
        enter(next, (y, left, rows, columns, to) -> skip.at(y, left), coarser);
    }

    private FeatureMap take(Stage next) {
        run.arena().release(kept);
        FeatureMap map = FeatureMap.whole(run, next.channels(), next.scale());
        kept = run.arena().mark();
        return map;
    }

    private void enter(Stage next, StageRun.Source source, FeatureMap coarser) {
        stage = new StageRun(run, model.stage(next), x, source, coarser);
        stage.enter();
    }

    @Override
    public boolean select(Stage present, int segment) {
        double margin = stage.select(segment, costFeature);
        if (run.listener() != null) {
            run.listener().tensor("segment" + segment + ".margin", FloatBuffer.wrap(new float[] {(float) margin}), 1);
        }
        return margin > 0;
    }

    @Override
    public void keep(Stage present, int segment) {
        stage.keep(segment);
    }

    @Override
    public void bypass(Stage present, int segment) {
        stage.bypass(segment);
    }

    @Override
    public void pool(int pyramid) {
        run.arena().release(kept);
        model.pyramid(pyramid).run(run, x);
    }

    @Override
    public void refine() {
        run.arena().release(kept);
        boolean planning = run.planning();
        ActiveArea active =
                planning || run.request().decodeAll() ? ActiveArea.everything() : ActiveArea.unknown(pixels.trimap());
        boolean keepKnown = !planning && run.request().keepKnown();
        model.refinement().run(run, model.stem(), x, half, pixels, active, alpha, keepKnown);
    }
}
