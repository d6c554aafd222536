package org.jmatte.cpu;

import org.jmatte.MatteRequest;
import org.jmatte.execution.VitSettings;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitArchitecture;
import org.jmatte.weights.Checkpoint;

/** The layers of MEMatte or ViTMatte. */
final class VitModel extends CpuModel {
    private final VitSettings settings;
    private final PatchEmbedding embedding;
    private final WindowAttention[] windowAttention = new WindowAttention[VitArchitecture.DEPTH];
    private final GlobalAttention[] globalAttention = new GlobalAttention[VitArchitecture.DEPTH];
    private final TokenRouter[] routers = new TokenRouter[VitArchitecture.DEPTH];
    private final Refinement[] refinements = new Refinement[VitArchitecture.DEPTH];
    private final Mlp[] mlps = new Mlp[VitArchitecture.DEPTH];
    private final Bottleneck[] bottlenecks = new Bottleneck[VitArchitecture.DEPTH];
    private final Decoder decoder;

    /** @param checkpoint the weights, or null for sizes alone */
    VitModel(VitSettings settings, Checkpoint checkpoint, ElementType operands) {
        super(settings, checkpoint, operands);
        this.settings = settings;
        VitArchitecture network = settings.network();
        try {
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

    @Override
    VitSettings settings() {
        return settings;
    }

    @Override
    Job job(Geometry geometry, MatteRequest request) {
        return new VitJob(this, geometry, settings.policy(geometry, request));
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
