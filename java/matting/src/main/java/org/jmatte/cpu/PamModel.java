package org.jmatte.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jmatte.MatteRequest;
import org.jmatte.MattingOptions;
import org.jmatte.Padding;
import org.jmatte.network.Geometry;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamArchitecture.Stage;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.ModelSource;

/** The layers of path-adaptive matting. */
final class PamModel extends CpuModel {
    private final int gmacs;
    private final PamStem stem;
    private final Map<Stage, StageLayers> stages = new HashMap<>();
    private final List<PyramidPooling> pyramids = new ArrayList<>();
    private final PamRefinement refinement;
    private final float[] embedding;

    /** @param checkpoint the source's weights, or null for sizes alone */
    PamModel(ModelSource source, Checkpoint checkpoint, MattingOptions options) {
        super(source, checkpoint, ElementType.of(options.precision()));
        try {
            refuse(options.keep().isPresent(), "keep", "has no routers");
            refuse(options.maxTokens() != MattingOptions.DEFAULT_MAX_TOKENS, "max tokens", "has no tokens");
            refuse(options.padding() != Padding.AUTO, "padding", "has one way of padding only");
            gmacs = options.gmacs().orElse(PamArchitecture.largestGmacs());
            PamArchitecture.embeddingRow(gmacs);
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
    Geometry geometry(int height, int width) {
        return Geometry.pam(height, width);
    }

    @Override
    Job job(Geometry geometry, MatteRequest request) {
        refuse(!request.forcedTokens().isEmpty(), "forced tokens", "has no routers");
        int budget = request.gmacs().orElse(gmacs);
        PamArchitecture.embeddingRow(budget);
        return new PamJob(this, Math.min(budget, PamArchitecture.largestGmacs()), request.forcedPath());
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
