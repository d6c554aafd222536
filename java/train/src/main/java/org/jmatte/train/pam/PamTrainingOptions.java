package org.jmatte.train.pam;

import com.fasterxml.jackson.annotation.JsonIgnore;

/**
 * What determines a training; the same options give the same model on the same kind of machine.
 *
 * @param initial a PAM checkpoint to start from, null for random weights
 * @param seed of random initial weights, the samples and the walks
 * @param side height and width of the training images, a multiple of 32
 * @param batch images per optimizer step
 * @param fullImages length of the first stage: the full network
 * @param warmUpImages length of the second stage: random paths, distilled from the full one
 * @param pathImages length of the third stage: performance-aware path learning
 * @param learningRate at the start of each stage; it falls to zero along a cosine
 * @param bfloat16 whether convolutions and products compute in bfloat16
 * @param threads of libtorch
 * @param priorImages simulated images that vote on the optimal paths
 * @param priorPaths paths tried per constraint
 * @param validationImages generated images that no training sees
 */
public record PamTrainingOptions(
        String initial,
        long seed,
        int side,
        int batch,
        long fullImages,
        long warmUpImages,
        long pathImages,
        double learningRate,
        boolean bfloat16,
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
}
