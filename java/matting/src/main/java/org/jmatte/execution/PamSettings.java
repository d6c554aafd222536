package org.jmatte.execution;

import org.jmatte.InvalidInputException;
import org.jmatte.MatteRequest;
import org.jmatte.MattingOptions;
import org.jmatte.Padding;
import org.jmatte.network.Geometry;
import org.jmatte.network.PamArchitecture;
import org.jmatte.weights.ModelSource;

/** How path-adaptive matting is to run. */
public final class PamSettings extends NetworkSettings {
    private final int gmacs;

    PamSettings(ModelSource source, MattingOptions options) {
        super(source);
        refuse(options.keep().isPresent(), "keep", "has no routers");
        refuse(options.maxTokens() != MattingOptions.DEFAULT_MAX_TOKENS, "max tokens", "has no tokens");
        refuse(options.padding() != Padding.AUTO, "padding", "has one way of padding only");
        gmacs = options.gmacs().orElse(PamArchitecture.largestGmacs());
        PamArchitecture.embeddingRow(gmacs); // refuses what is too small
    }

    @Override
    public Geometry geometry(int height, int width) {
        return Geometry.pam(height, width);
    }

    /**
     * The compute budget of a matte, in GMACs per 1024x1024 pixels.
     *
     * @throws InvalidInputException if it is too small, or the request asks for what this network does not have
     */
    public int gmacs(MatteRequest request) {
        refuse(!request.forcedTokens().isEmpty(), "forced tokens", "has no routers");
        int budget = request.gmacs().orElse(gmacs);
        PamArchitecture.embeddingRow(budget);
        return Math.min(budget, PamArchitecture.largestGmacs());
    }
}
