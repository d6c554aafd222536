package org.jmatte.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jmatte.MatteRequest;
import org.jmatte.execution.PamSettings;
import org.jmatte.network.Geometry;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamArchitecture.Stage;
import org.jmatte.weights.Checkpoint;

/** The layers of path-adaptive matting. */
final class PamModel extends CpuModel {
    private final PamSettings settings;
    private final PamStem stem;
    private final Map<Stage, StageLayers> stages = new HashMap<>();
    private final List<PyramidPooling> pyramids = new ArrayList<>();
    private final PamRefinement refinement;
    private final float[] embedding;

    /** @param checkpoint the weights, or null for sizes alone */
    PamModel(PamSettings settings, Checkpoint checkpoint, ElementType operands) {
        super(settings, checkpoint, operands);
        this.settings = settings;
        try {
            stem = new PamStem(weights);
            for (Stage stage : PamArchitecture.encoder()) {
                stages.put(stage, StageLayers.encoder(weights, stage));
            }
            for (int i = 0; i < PamArchitecture.PYRAMIDS; i++) {
                pyramids.add(new PyramidPooling(weights, "pyramid." + i));
            }
            for (Stage stage : PamArchitecture.decoder()) {
                stages.put(stage, StageLayers.decoder(weights, stage));
            }
            refinement = new PamRefinement(weights);
            embedding = weights.array("cost_embedding.weight");
        } catch (Throwable t) {
            close();
            throw t;
        }
    }

    @Override
    PamSettings settings() {
        return settings;
    }

    @Override
    Job job(Geometry geometry, MatteRequest request) {
        return new PamJob(this, settings.gmacs(request), request.forcedPath());
    }

    PamStem stem() {
        return stem;
    }

    StageLayers stage(Stage stage) {
        return stages.get(stage);
    }

    PyramidPooling pyramid(int pyramid) {
        return pyramids.get(pyramid);
    }

    PamRefinement refinement() {
        return refinement;
    }

    /** What the path selection layers see of a budget. */
    float[] costFeature(int gmacs) {
        int from = PamArchitecture.embeddingRow(gmacs) * PamArchitecture.COST_FEATURES;
        return Arrays.copyOfRange(embedding, from, from + PamArchitecture.COST_FEATURES);
    }
}
