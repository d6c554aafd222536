package org.jmatte.train.torch;

import org.bytedeco.pytorch.global.torch;

/**
 * While open, convolutions and matrix products of this thread compute in bfloat16 (libtorch's autocast); parameters,
 * norms' statistics and gradients of parameters stay in float32.
 */
public final class MixedPrecision implements AutoCloseable {
    private final boolean before = torch.is_autocast_enabled(torch.DeviceType.CPU);

    /** @param bfloat16 false computes in float32, also inside an open region */
    public MixedPrecision(boolean bfloat16) {
        torch.set_autocast_cache_enabled(false); // a cached copy of a weight would outlive the optimizer's step
        torch.set_autocast_dtype(torch.DeviceType.CPU, torch.ScalarType.BFloat16);
        torch.set_autocast_enabled(torch.DeviceType.CPU, bfloat16);
    }

    @Override
    public void close() {
        torch.set_autocast_enabled(torch.DeviceType.CPU, before);
    }
}
