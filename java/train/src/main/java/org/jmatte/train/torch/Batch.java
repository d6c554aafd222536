package org.jmatte.train.torch;

import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.train.data.Sample;

/**
 * Samples of one size as tensors, [B, 3, H, W] and [B, 1, H, W].
 *
 * @param unknown 1 where the trimap is neither 0 nor 1, else 0
 */
public record Batch(Tensor image, Tensor foreground, Tensor background, Tensor alpha, Tensor trimap, Tensor unknown) {

    /** @param device where the tensors lie */
    public static Batch of(List<Sample> samples, Device device) {
        Tensor trimap = stack(samples, Sample::trimap, 1, device);
        Tensor unknown = trimap.mul(trimap.neg().add(new Scalar(1.0))).ceil(); // 0 for 0 and 1 only
        return new Batch(
                stack(samples, Sample::image, 3, device),
                stack(samples, Sample::foreground, 3, device),
                stack(samples, Sample::background, 3, device),
                stack(samples, Sample::alpha, 1, device),
                trimap,
                unknown);
    }

    private static Tensor stack(List<Sample> samples, Function<Sample, float[]> plane, int channels, Device device) {
        TensorVector all = new TensorVector();
        for (Sample sample : samples) {
            all.push_back(Tensor.create(plane.apply(sample), 1, channels, sample.height(), sample.width()));
        }
        return torch.cat(all, 0).to(device, torch.ScalarType.Float);
    }
}
