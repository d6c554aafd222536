package org.jmatte.cpu;

import org.jmatte.network.Architecture;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.ModelSource;

/** A network's layers with their weights laid out, shared by all runs. */
final class CpuModel implements AutoCloseable {
    private final Architecture architecture;
    private final float[] mean;
    private final float[] std;
    private final CpuWeights weights;
    private final PatchEmbedding embedding;
    private final WindowAttention[] windowAttention = new WindowAttention[Architecture.DEPTH];
    private final GlobalAttention[] globalAttention = new GlobalAttention[Architecture.DEPTH];
    private final TokenRouter[] routers = new TokenRouter[Architecture.DEPTH];
    private final Refinement[] refinements = new Refinement[Architecture.DEPTH];
    private final Mlp[] mlps = new Mlp[Architecture.DEPTH];
    private final Bottleneck[] bottlenecks = new Bottleneck[Architecture.DEPTH];
    private final Decoder decoder;

    /** @param checkpoint the source's weights, or null for sizes alone */
    CpuModel(ModelSource source, Checkpoint checkpoint, ElementType operands) {
        architecture = source.architecture();
        mean = source.mean();
        std = source.std();
        weights = new CpuWeights(architecture, checkpoint, operands);
        try {
            embedding = new PatchEmbedding(weights);
            for (int i = 0; i < Architecture.DEPTH; i++) {
                String block = "backbone.blocks." + i;
                mlps[i] = new Mlp(weights, block);
                if (!Architecture.isGlobal(i)) {
                    windowAttention[i] = new WindowAttention(weights, block);
                    continue;
                }
                globalAttention[i] = new GlobalAttention(weights, block);
                bottlenecks[i] = new Bottleneck(weights, block);
                if (architecture.routed()) {
                    routers[i] = new TokenRouter(weights, Architecture.router(i));
                    refinements[i] = new Refinement(weights, block);
                }
            }
            decoder = new Decoder(weights, architecture.width());
        } catch (Throwable t) {
            weights.close();
            throw t;
        }
    }

    Architecture architecture() {
        return architecture;
    }

    float[] mean() {
        return mean;
    }

    float[] std() {
        return std;
    }

    /** Bytes of the weights as laid out. */
    long bytes() {
        return weights.bytes();
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

    @Override
    public void close() {
        weights.close();
    }
}
