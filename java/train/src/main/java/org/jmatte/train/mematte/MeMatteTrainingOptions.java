package org.jmatte.train.mematte;

import com.fasterxml.jackson.annotation.JsonIgnore;
import org.jmatte.train.torch.Devices;

/**
 * What determines a training; on the processor the same options give the same model.
 *
 * @param init ViTMatte's weights, which student and teacher start from: a model source
 * @param seed of the fresh weights, the samples and the routers' noise
 * @param side height and width of the training images, a multiple of {@link MeMatte#MULTIPLE}
 * @param batch images per iteration
 * @param iterations length of the training
 * @param learningRate of the decoder, after the warm-up; see {@link Schedule}
 * @param bfloat16 whether convolutions and products compute in bfloat16
 * @param device that libtorch computes on, see {@link Devices#named}; a training may go on on another one
 * @param threads of libtorch
 * @param validationImages generated images that no training sees
 */
public record MeMatteTrainingOptions(
        String init,
        long seed,
        int side,
        int batch,
        long iterations,
        double learningRate,
        boolean bfloat16,
        @JsonIgnore String device,
        int threads,
        int validationImages) {}
