package org.jmatte.train.mematte;

import org.bytedeco.pytorch.Tensor;

/** What a global block adds to its tokens before its MLP. */
@FunctionalInterface
interface TokenMixing {
    /** @param x [B, H, W, C], not normalised; the result is like it */
    Tensor mix(int block, Tensor x);
}
