package org.jmatte.train.pam;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import org.jmatte.train.torch.Devices;
import org.jmatte.weights.ModelSource;

/**
 * What determines a training; on the processor the same options give the same model.
 *
 * @param initial PAM's weights to start from, a {@link ModelSource}; null for random weights
 * @param seed of random initial weights, the samples and the walks
 * @param sides heights and widths of the training images, multiples of 32; each step draws one
 * @param batch images per optimizer step
 * @param fullImages length of the first stage: the full network
 * @param warmUpImages length of the second stage: random paths, distilled from the full one
 * @param pathImages length of the third stage: performance-aware path learning
 * @param learningRates at the start of each stage; they fall to zero along a cosine
 * @param bfloat16 whether convolutions and products compute in bfloat16
 * @param device that libtorch computes on, see {@link Devices#named}; a training may go on on another one
 * @param threads of libtorch
 * @param priorImages simulated images that paths are tried on for the prior; the best are, on four times as many
 * @param priorPaths random and expected paths tried per constraint
 * @param validationImages generated images that no training sees
 */
public record PamTrainingOptions(
        String initial,
        long seed,
        List<Integer> sides,
        int batch,
        long fullImages,
        long warmUpImages,
        long pathImages,
        List<Double> learningRates,
        boolean bfloat16,
        @JsonIgnore String device,
        int threads,
        int priorImages,
        int priorPaths,
        int validationImages) {

    /** The images of one stage. */
    @JsonIgnore
    public long images(Stage stage) {
        return switch (stage) {
            case FULL -> fullImages;
            case WARM_UP -> warmUpImages;
            case PATHS -> pathImages;
        };
    }

    /** The learning rate of a stage after so many of its images. */
    double learningRate(Stage stage, long images) {
        return learningRates.get(stage.ordinal()) * (1 + Math.cos(Math.PI * images / images(stage))) / 2;
    }
}
