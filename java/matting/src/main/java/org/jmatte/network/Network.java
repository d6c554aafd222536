package org.jmatte.network;

/** A matting network as a straight list of operators. */
public final class Network {
    private final Architecture architecture;

    public Network(Architecture architecture) {
        this.architecture = architecture;
    }

    /** Runs, or plans, or whatever the operators do. */
    public void run(Ops ops) {
        ops.embedPatches();
        for (int block = 0; block < Architecture.DEPTH; block++) {
            if (!Architecture.isGlobal(block)) {
                ops.windowAttention(block);
                ops.mlp(block);
            } else {
                if (architecture.routed()) {
                    ops.route(block);
                    ops.routedAttention(block);
                    ops.refine(block);
                    ops.merge(block);
                } else {
                    ops.globalAttention(block);
                }
                ops.mlp(block);
                ops.bottleneck(block);
            }
        }
        ops.decode();
    }
}
