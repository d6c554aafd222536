package org.jmatte.network;

import java.util.function.IntConsumer;

/** MEMatte and ViTMatte as a straight list of operators. */
public final class VitNetwork {
    private final VitArchitecture architecture;

    public VitNetwork(VitArchitecture architecture) {
        this.architecture = architecture;
    }

    /** Runs, or plans, or whatever the operators do. */
    public void run(VitOps ops) {
        encode(ops);
        decode(ops);
    }

    /** From pixels to the stream that {@link #decode} starts from. */
    public void encode(VitOps ops) {
        ops.stage("embed patches", ops::embedPatches);
        ops.reached("embedding");
        for (int block = 0; block < VitArchitecture.DEPTH; block++) {
            if (!VitArchitecture.isGlobal(block)) {
                stage(ops, block, "window attention", ops::windowAttention);
                stage(ops, block, "mlp", ops::mlp);
            } else {
                if (architecture.routed()) {
                    stage(ops, block, "route", ops::route);
                    stage(ops, block, "refine", ops::refine);
                    stage(ops, block, "routed attention", ops::routedAttention);
                    stage(ops, block, "merge", ops::merge);
                } else {
                    stage(ops, block, "global attention", ops::globalAttention);
                }
                stage(ops, block, "mlp", ops::mlp);
                stage(ops, block, "bottleneck", ops::bottleneck);
            }
            ops.reached("block" + block);
        }
    }

    /** From the stream to alpha. */
    public void decode(VitOps ops) {
        ops.stage("decode", ops::decode);
    }

    private static void stage(VitOps ops, int block, String name, IntConsumer operator) {
        ops.stage("block " + block + " " + name, () -> operator.accept(block));
    }
}
