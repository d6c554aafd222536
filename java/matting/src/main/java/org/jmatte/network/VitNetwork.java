package org.jmatte.network;

/** MEMatte and ViTMatte as a straight list of operators. */
public final class VitNetwork {
    private final VitArchitecture architecture;

    public VitNetwork(VitArchitecture architecture) {
        this.architecture = architecture;
    }

    /** Runs, or plans, or whatever the operators do. */
    public void run(VitOps ops) {
        ops.embedPatches();
        for (int block = 0; block < VitArchitecture.DEPTH; block++) {
            if (!VitArchitecture.isGlobal(block)) {
                ops.windowAttention(block);
                ops.mlp(block);
            } else {
                if (architecture.routed()) {
                    ops.route(block);
                    ops.refine(block);
                    ops.routedAttention(block);
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
