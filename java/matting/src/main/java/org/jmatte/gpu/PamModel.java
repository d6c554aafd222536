package org.jmatte.gpu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jmatte.MatteRequest;
import org.jmatte.execution.NetworkSettings;
import org.jmatte.execution.PamSettings;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.Tensor;
import org.jmatte.network.Geometry;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamArchitecture.Stage;

/** The layers of path-adaptive matting. */
final class PamModel implements GpuModel {
    private final PamStem stem;
    private final Map<Stage, PamStage> stages = new HashMap<>();
    private final List<PyramidPooling> pyramids = new ArrayList<>();
    private final PamRefinement refinement;
    /** [budgets, features] fp32 */
    private final Tensor embedding;

    PamModel(GpuWeights weights) {
        stem = new PamStem(weights);
        PamArchitecture.encoder().forEach(stage -> stages.put(stage, new PamStage(weights, stage)));
        for (int i = 0; i < PamArchitecture.PYRAMIDS; i++) {
            pyramids.add(new PyramidPooling(weights, "pyramid." + i));
        }
        PamArchitecture.decoder().forEach(stage -> stages.put(stage, new PamStage(weights, stage)));
        refinement = new PamRefinement(weights, stem);
        String name = "cost_embedding.weight";
        embedding = weights.put(
                ElementType.FP32,
                () -> weights.parameters().values(name),
                weights.parameters().shape(name));
    }

    @Override
    public Job job(NetworkSettings settings, Geometry geometry, MatteRequest request) {
        return new PamJob(this, ((PamSettings) settings).gmacs(request), request.forcedPath());
    }

    PamStem stem() {
        return stem;
    }

    PamStage stage(Stage stage) {
        return stages.get(stage);
    }

    PyramidPooling pyramid(int pyramid) {
        return pyramids.get(pyramid);
    }

    PamRefinement refinement() {
        return refinement;
    }

    /** What the path selection layers see of a budget. */
    Tensor costFeature(int budget) {
        return embedding.rows(PamArchitecture.embeddingRow(budget), 1).reshape(PamArchitecture.COST_FEATURES);
    }
}
