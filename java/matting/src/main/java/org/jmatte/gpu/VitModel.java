package org.jmatte.gpu;

import org.jmatte.MatteRequest;
import org.jmatte.execution.NetworkSettings;
import org.jmatte.execution.VitSettings;
import org.jmatte.kernels.EmbedPatches.Planes;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitArchitecture;

/** The layers of MEMatte or ViTMatte. */
final class VitModel implements GpuModel {
    private final VitArchitecture network;
    private final PatchEmbedding embedding;
    private final LocalAttention[] localAttention = new LocalAttention[VitArchitecture.DEPTH];
    private final GlobalAttention[] globalAttention = new GlobalAttention[VitArchitecture.DEPTH];
    private final TokenRouter[] routers = new TokenRouter[VitArchitecture.DEPTH];
    private final Refinement[] refinements = new Refinement[VitArchitecture.DEPTH];
    private final Mlp[] mlps = new Mlp[VitArchitecture.DEPTH];
    private final Bottleneck[] bottlenecks = new Bottleneck[VitArchitecture.DEPTH];
    private final Decoder decoder;

    VitModel(VitSettings settings, GpuWeights weights) {
        network = settings.network();
        // Neither the bits of a sample nor the trimap's values change what the weights must make up for.
        Planes planes = DeviceImages.planes(weights.operands(), settings, Byte.SIZE, true);
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

    @Override
    public Job job(NetworkSettings settings, Geometry geometry, MatteRequest request) {
        return new VitJob(this, geometry, ((VitSettings) settings).policy(geometry, request));
    }

    VitArchitecture network() {
        return network;
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
