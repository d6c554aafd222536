package org.jmatte.gpu;

import java.util.OptionalDouble;
import org.jmatte.MatteRequest;
import org.jmatte.MattingOptions;
import org.jmatte.execution.TokenPolicy;
import org.jmatte.kernels.EmbedPatches.Planes;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitArchitecture;
import org.jmatte.weights.ModelSource;

/** The layers of MEMatte or ViTMatte. */
final class VitModel extends GpuModel {
    private static final String ONE_PATH = "always runs whole";

    private final VitArchitecture network;
    private final boolean huggingface;
    private final int maxTokens;
    private final OptionalDouble keep;
    private final PatchEmbedding embedding;
    private final LocalAttention[] localAttention = new LocalAttention[VitArchitecture.DEPTH];
    private final GlobalAttention[] globalAttention = new GlobalAttention[VitArchitecture.DEPTH];
    private final TokenRouter[] routers = new TokenRouter[VitArchitecture.DEPTH];
    private final Refinement[] refinements = new Refinement[VitArchitecture.DEPTH];
    private final Mlp[] mlps = new Mlp[VitArchitecture.DEPTH];
    private final Bottleneck[] bottlenecks = new Bottleneck[VitArchitecture.DEPTH];
    private final Decoder decoder;

    VitModel(ModelSource source, VitArchitecture network, MattingOptions options, GpuWeights weights) {
        super(source);
        refuse(options.gmacs().isPresent(), "gmacs", ONE_PATH);
        this.network = network;
        maxTokens = options.maxTokens();
        keep = options.keep();
        huggingface = options.padding().isHuggingface(source.origin());
        // Neither the bits of a sample nor the trimap's values change what the weights must make up for.
        Planes planes = DeviceImages.planes(weights.operands(), mean(), std(), Byte.SIZE, true);
        embedding = new PatchEmbedding(weights, planes);
        for (int i = 0; i < VitArchitecture.DEPTH; i++) {
            mlps[i] = new Mlp(weights, i);
            if (!VitArchitecture.isGlobal(i)) {
                localAttention[i] = new LocalAttention(weights, i);
                continue;
            }
            globalAttention[i] = new GlobalAttention(weights, i);
            bottlenecks[i] = new Bottleneck(weights, i);
            if (network.routed()) {
                routers[i] = new TokenRouter(weights, VitArchitecture.router(i));
                refinements[i] = new Refinement(weights, i);
            }
        }
        decoder = new Decoder(weights, network.width());
    }

    VitArchitecture network() {
        return network;
    }

    @Override
    Job job(Geometry geometry, MatteRequest request) {
        refuse(request.gmacs().isPresent(), "gmacs", ONE_PATH);
        refuse(request.forcedPath() != null, "forced path", ONE_PATH);
        TokenPolicy policy = new TokenPolicy(maxTokens, keep, request.forcedTokens());
        policy.check(geometry, network.routed() ? VitArchitecture.globalBlocks().length : 0);
        return new VitJob(this, geometry, policy);
    }

    @Override
    Geometry geometry(int height, int width) {
        return Geometry.of(height, width, huggingface, network.routed());
    }

    PatchEmbedding embedding() {
        return embedding;
    }

    LocalAttention localAttention(int block) {
        return localAttention[block];
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
