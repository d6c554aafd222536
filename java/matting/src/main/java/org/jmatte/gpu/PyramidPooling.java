package org.jmatte.gpu;

import java.util.ArrayList;
import java.util.List;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.FeatureMap;
import org.jmatte.kernels.Gemm;
import org.jmatte.kernels.Pooling;
import org.jmatte.kernels.Resample;
import org.jmatte.kernels.Tensor;
import org.jmatte.network.PamArchitecture;

/** x += act(fuse(x, b1, b2, b3, b6)) with bn = upsampled act(branch(x pooled to n x n)). */
final class PyramidPooling {
    private static final int[] GRIDS = PamArchitecture.pyramidGrids();

    private final Linear fuse;
    private final List<Linear> branches = new ArrayList<>();

    PyramidPooling(GpuWeights weights, String name) {
        fuse = weights.linear(name + ".fuse");
        for (int i = 0; i < GRIDS.length; i++) {
            branches.add(weights.linear(name + ".branches." + i));
        }
    }

    void run(GpuRun run, FeatureMap x) {
        Gemm.Options activated = Gemm.Options.NONE.leakyRelu(PamArchitecture.LEAK);
        run.scratch(() -> {
            // x and the branches' maps beside each other, which one product then reads. Resampling to the same size
            // copies.
            FeatureMap all = FeatureMap.of(run.take(x.height(), x.width(), fuse.inputs()));
            Resample.run(run.device(), all.slice(0, x.channels()), x, run.stream());
            int at = x.channels();
            for (int i = 0; i < GRIDS.length; i++) {
                int n = GRIDS[i];
                Linear branch = branches.get(i);
                FeatureMap target = all.slice(at, branch.outputs());
                at += branch.outputs();
                run.scratch(() -> {
                    Tensor pooled = run.take(n, n, x.channels());
                    Tensor scratch = run.take(ElementType.U8, Pooling.scratchBytes(x.height(), x.channels(), n));
                    FeatureMap result = FeatureMap.of(run.take(n, n, branch.outputs()));
                    Pooling.run(run.device(), pooled, x, scratch, run.stream());
                    branch.run(run, PamStage.rows(result), PamStage.rows(FeatureMap.of(pooled)), activated);
                    Resample.run(run.device(), target, result, run.stream());
                });
            }
            fuse.run(run, PamStage.rows(x), PamStage.rows(all), activated.add(PamStage.rows(x)));
        });
    }
}
