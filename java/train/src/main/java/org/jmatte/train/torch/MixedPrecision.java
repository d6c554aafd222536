package org.jmatte.train.torch;

import java.util.List;
import org.bytedeco.pytorch.global.torch;

/**
 * While open, convolutions and matrix products of this thread compute in bfloat16 (libtorch's autocast); parameters,
 * norms' statistics and gradients of parameters stay in float32.
 */
public final class MixedPrecision implements AutoCloseable {
    private static final List<torch.DeviceType> DEVICES = List.of(torch.DeviceType.CPU, torch.DeviceType.CUDA);

    private final boolean before = torch.is_autocast_enabled(DEVICES.get(0));

    /** @param bfloat16 false computes in float32, also inside an open region */
    public MixedPrecision(boolean bfloat16) {
        torch.set_autocast_cache_enabled(false); // a cached copy of a weight would outlive the optimizer's step
        for (torch.DeviceType device : DEVICES) {
            torch.set_autocast_dtype(device, torch.ScalarType.BFloat16);
        }
        enable(bfloat16);
    }

    @Override
    public void close() {
        enable(before);
    }

    private static void enable(boolean bfloat16) {
        for (torch.DeviceType device : DEVICES) {
            torch.set_autocast_enabled(device, bfloat16);
        }
    }
}
