package org.jmatte.train.torch;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.bytedeco.pytorch.Context;
import org.bytedeco.pytorch.global.torch;

/** What a test of training on a card needs. */
public final class TorchOnACard {
    private TorchOnACard() {}

    /** Skips the test, with the reason, unless libtorch was built with CUDA and sees a card. */
    public static void assume() {
        assumeTrue(Context.hasCUDART(), "libtorch is the one for processors; -Ptorch-cuda brings the other");
        assumeTrue(torch.cuda_device_count() > 0, "libtorch sees no card");
    }
}
