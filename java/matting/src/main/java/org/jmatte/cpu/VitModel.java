package org.jmatte.cpu;

import java.util.OptionalDouble;
import org.jmatte.MatteRequest;
import org.jmatte.MattingOptions;
import org.jmatte.execution.TokenPolicy;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitArchitecture;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.ModelSource;

/** The layers of MEMatte or ViTMatte. */
final class VitModel extends CpuModel {
    private static final String ONE_PATH = "always runs whole";

    private final VitArchitecture network;
    private final boolean huggingface;
    private final int maxTokens;
    private final OptionalDouble keep;
    private final PatchEmbedding embedding;
    private final WindowAttention[] windowAttention = new WindowAttention[VitArchitecture.DEPTH];
    private final GlobalAttention[] globalAttention = new GlobalAttention[VitArchitecture.DEPTH];
    private final TokenRouter[] routers = new TokenRouter[VitArchitecture.DEPTH];
    private final Refinement[] refinements = new Refinement[VitArchitecture.DEPTH];
    private final Mlp[] mlps = new Mlp[VitArchitecture.DEPTH];
    private final Bottleneck[] bottlenecks = new Bottleneck[VitArchitecture.DEPTH];
    private final Decoder decoder;

    /** @param checkpoint the source's weights, or null for sizes alone */
    VitModel(ModelSource source, VitArchitecture network, Checkpoint checkpoint, MattingOptions options) {
        super(source, checkpoint, ElementType.of(options.precision()));
        this.network = network;
        maxTokens = options.maxTokens();
        keep = options.keep();
        huggingface = options.padding().isHuggingface(source.origin());
        try {
            refuse(options.gmacs().isPresent(), "gmacs", ONE_PATH);
            embedding = new PatchEmbedding(weights);
            for (int i = 0; i < VitArchitecture.DEPTH; i++) {
                String block = "backbone.blocks." + i;
                mlps[i] = new Mlp(weights, block);
                if (!VitArchitecture.isGlobal(i)) {
                    windowAttention[i] = new WindowAttention(weights, block);
                    continue;
                }
                globalAttention[i] = new GlobalAttention(weights, block);
                bottlenecks[i] = new Bottleneck(weights, block);
                if (network.routed()) {
                    routers[i] = new TokenRouter(weights, VitArchitecture.router(i));
                    refinements[i] = new Refinement(weights, block);
                }
            }
            decoder = new Decoder(weights, network.width());
        } catch (Throwable t) {
            close();
            throw t;
        }
    }

    VitArchitecture network() {
        return network;
    }

    @Override
    Geometry geometry(int height, int width) {
        return Geometry.of(height, width, huggingface, network.routed());
    }

    @Override
    Job job(Geometry geometry, MatteRequest request) {
        refuse(request.gmacs().isPresent(), "gmacs", ONE_PATH);
        refuse(request.forcedPath() != null, "forced path", ONE_PATH);
        TokenPolicy policy = new TokenPolicy(maxTokens, keep, request.forcedTokens());
        policy.check(geometry, network.routed() ? VitArchitecture.globalBlocks().length : 0);
        return new VitJob(this, geometry, policy);
    }

    PatchEmbedding embedding() {
        return embedding;
    }

    WindowAttention windowAttention(int block) {
        return windowAttention[block];
    }

    GlobalAttention globalAttention(int block) {
        return globalAttention[block];
    }

    TokenRouter router(int block) {
        return routers[block];
    }

    Refinement refinement(int block) {
        return refinements[block];
    }

    Mlp mlp(int block) {
        return mlps[block];
    }

    Bottleneck bottleneck(int block) {
        return bottlenecks[block];
    }

    Decoder decoder() {
        return decoder;
    }
}
