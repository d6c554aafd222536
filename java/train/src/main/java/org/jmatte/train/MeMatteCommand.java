package org.jmatte.train;

import static org.jmatte.train.CommonOptions.require;

import java.util.Locale;
import java.util.concurrent.Callable;
import org.jmatte.train.data.RandomCrops;
import org.jmatte.train.data.SampleSource;
import org.jmatte.train.mematte.MeMatte;
import org.jmatte.train.mematte.MeMatteTraining;
import org.jmatte.train.mematte.MeMatteTrainingOptions;
import org.jmatte.weights.ModelSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code jmatte train mematte}. */
@Command(
        name = "mematte",
        sortOptions = false,
        sortSynopsis = false,
        description = {
            "Train MEMatte from ViTMatte's weights: routers and light refinement, distilled from ViTMatte.",
            "Without folders of images it trains on generated ones."
        })
final class MeMatteCommand implements Callable<Integer> {
    private static final float CROPPED = 0.25f; // share of patches that may hold known pixels alone

    @Spec
    private CommandSpec spec;

    @Mixin
    private CommonOptions common;

    @Option(
            names = "--init",
            required = true,
            paramLabel = "MODEL",
            description = "ViTMatte's weights, which student and teacher start from: a file, a folder, or seeded:NAME.")
    private String init;

    @Option(
            names = "--side",
            defaultValue = "512",
            description = "Height and width of training images. Default: ${DEFAULT-VALUE}.")
    private int side;

    @Option(
            names = "--batch",
            defaultValue = "4",
            description = "Images of an iteration; the authors take 32. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Option(
            names = "--iterations",
            defaultValue = "40000",
            description = "Length of the training. Default: ${DEFAULT-VALUE}.")
    private long iterations;

    @Option(
            names = "--learning-rate",
            defaultValue = "5e-4",
            description = "Of the decoder, after the warm-up. Default: ${DEFAULT-VALUE}.")
    private double learningRate;

    @Option(
            names = "--validation-images",
            defaultValue = "16",
            description = "Of a fixed set, generated. Default: ${DEFAULT-VALUE}.")
    private int validationImages;

    @Option(
            names = "--checkpoint-iterations",
            defaultValue = "500",
            description = "Between two checkpoints. Default: ${DEFAULT-VALUE}.")
    private long checkpointIterations;

    @Override
    public Integer call() throws InterruptedException {
        MeMatteTrainingOptions options = options();
        SampleSource samples = new RandomCrops(common.seed(), CROPPED, side, common.samples());
        SampleSource unseen = common.unseen().apply(side);
        common.prepareFolder(options);
        try (MeMatteTraining training = new MeMatteTraining(options, samples, unseen, common.out())) {
            return common.run(
                    spec,
                    "mematte.safetensors",
                    (log, stop) -> training.run(
                            checkpointIterations,
                            (iteration, loss, kept, imagesPerSecond) -> log.printf(
                                    Locale.ROOT,
                                    "%d of %d iterations: loss %.5f, %.3f of the tokens kept, %.2f images per second%n",
                                    iteration,
                                    options.iterations(),
                                    loss,
                                    kept,
                                    imagesPerSecond),
                            stop));
        }
    }

    private MeMatteTrainingOptions options() {
        int multiple = MeMatte.MULTIPLE;
        require(side >= 2 * multiple && side % multiple == 0, "--side", "a multiple of 32 from 64 on", side);
        try (ModelSource source = ModelSource.open(init)) {
            MeMatte.checkTeacher(source); // before the folder is made
        }
        require(batch >= 1, "--batch", "at least 1", batch);
        require(iterations >= 1, "--iterations", "at least 1", iterations);
        require(learningRate > 0, "--learning-rate", "a positive number", learningRate);
        require(validationImages >= 1, "--validation-images", "at least 1", validationImages);
        require(checkpointIterations >= 1, "--checkpoint-iterations", "at least 1", checkpointIterations);
        return new MeMatteTrainingOptions(
                init,
                common.seed(),
                side,
                batch,
                iterations,
                learningRate,
                common.bfloat16(),
                common.device(),
                common.threads(),
                validationImages);
    }
}
