package org.jmatte.execution;

import java.util.OptionalDouble;
import org.jmatte.InvalidInputException;
import org.jmatte.MatteRequest;
import org.jmatte.MattingOptions;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitArchitecture;
import org.jmatte.weights.ModelSource;

/** How MEMatte or ViTMatte is to run. */
public final class VitSettings extends NetworkSettings {
    private static final String ONE_PATH = "always runs whole";

    private final VitArchitecture network;
    private final boolean huggingface;
    private final int maxTokens;
    private final OptionalDouble keep;

    VitSettings(ModelSource source, VitArchitecture network, MattingOptions options) {
        super(source);
        refuse(options.gmacs().isPresent(), "gmacs", ONE_PATH);
        this.network = network;
        huggingface = options.padding().isHuggingface(source.origin());
        maxTokens = options.maxTokens();
        keep = options.keep();
    }

    public VitArchitecture network() {
        return network;
    }

    @Override
    public Geometry geometry(int height, int width) {
        return Geometry.of(height, width, huggingface, network.routed());
    }

    /** @throws InvalidInputException if the request asks for what this network does not have */
    public TokenPolicy policy(Geometry geometry, MatteRequest request) {
        refuse(request.gmacs().isPresent(), "gmacs", ONE_PATH);
        refuse(request.forcedPath() != null, "forced path", ONE_PATH);
        TokenPolicy policy = new TokenPolicy(maxTokens, keep, request.forcedTokens());
        policy.check(geometry, network.routed() ? VitArchitecture.globalBlocks().length : 0);
        return policy;
    }
}
