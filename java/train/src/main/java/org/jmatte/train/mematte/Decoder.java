package org.jmatte.train.mematte;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.train.torch.Layers;
import org.jmatte.train.torch.MixedPrecision;
import org.jmatte.train.torch.Parameters;
import org.jmatte.train.torch.Scoped;

/** Detail capture: the features, enlarged step by step, meet convolutions of the pixels at each resolution. */
final class Decoder {
    private static final int DETAILS = 3; // at 1/2, 1/4 and 1/8

    private final Layers layers;

    Decoder(Parameters parameters) {
        layers = new Layers(parameters);
    }

    /**
     * @param features [B, C, H/16, W/16]
     * @param pixels [B, 4, H, W]
     * @param training whether batch norms take the batch's statistics, and move the running ones
     * @return alpha in 0..1, [B, 1, H, W]
     */
    Tensor decode(Tensor features, Tensor pixels, boolean training) {
        Tensor[] detail = new Tensor[DETAILS + 1];
        detail[0] = pixels.contiguous(torch.MemoryFormat.ChannelsLast);
        for (int i = 0; i < DETAILS; i++) {
            detail[i + 1] = convolution("decoder.convstream.convs." + i, detail[i], 2, training);
        }
        Tensor x = features;
        for (int i = 0; i <= DETAILS; i++) {
            x = fuse("decoder.fusion_blks." + i + ".conv", x, detail[DETAILS - i], training);
        }
        return head(x, training);
    }

    private Tensor convolution(String name, Tensor x, int stride, boolean training) {
        return Scoped.result(
                () -> layers.batchNorm(name + ".bn", layers.convolution(name + ".conv", x, stride, 1, 1), training)
                        .relu());
    }

    private Tensor fuse(String name, Tensor x, Tensor detail, boolean training) {
        Tensor enlarged = Layers.upsample(x, detail);
        return convolution(name, torch.cat(new TensorVector(detail, enlarged), 1), 1, training);
    }

    private Tensor head(Tensor x, boolean training) {
        String name = "decoder.matting_head.matting_convs.";
        Tensor hidden = layers.batchNorm(name + 1, layers.convolution(name + 0, x, 1, 1, 1), training)
                .relu();
        try (MixedPrecision exact = new MixedPrecision(false)) {
            return layers.pointwise(name + 3, Layers.widened(hidden)).sigmoid();
        }
    }
}
