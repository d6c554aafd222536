package org.jmatte.train;

import static org.jmatte.train.CommonOptions.require;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jmatte.network.PamArchitecture;
import org.jmatte.train.data.MixedSizes;
import org.jmatte.train.data.SampleSource;
import org.jmatte.train.pam.Pam;
import org.jmatte.train.pam.PamTraining;
import org.jmatte.train.pam.PamTrainingOptions;
import org.jmatte.train.pam.Stage;
import org.jmatte.weights.ModelSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code jmatte train pam}. */
@Command(
        name = "pam",
        sortOptions = false,
        sortSynopsis = false,
        description = {
            "Train PAM: the full network, random paths distilled from it, then the choice of paths.",
            "Without folders of images it trains on generated ones."
        })
final class PamCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private CommonOptions common;

    @Option(
            names = "--init",
            paramLabel = "MODEL",
            description = "PAM's weights to start from: box:pam or a file; random ones by default.")
    private String initial;

    @Option(
            names = "--side",
            split = ",",
            defaultValue = "160,256,416",
            description = "Heights and widths of training images; each step draws one. Default: ${DEFAULT-VALUE}.")
    private List<Integer> sides;

    @Option(
            names = "--batch",
            defaultValue = "4",
            description = "Images of an optimizer step. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Option(
            names = "--full-images",
            defaultValue = "150000",
            description = "Length of stage 1. Default: ${DEFAULT-VALUE}.")
    private long fullImages;

    @Option(
            names = "--warm-up-images",
            defaultValue = "20000",
            description = "Length of stage 2. Default: ${DEFAULT-VALUE}.")
    private long warmUpImages;

    @Option(
            names = "--path-images",
            defaultValue = "150000",
            description = "Length of stage 3. Default: ${DEFAULT-VALUE}.")
    private long pathImages;

    @Option(
            names = "--learning-rate",
            split = ",",
            defaultValue = "1e-4",
            description = {
                "At the start of each stage, one for all or three; falls to 0 along a cosine.",
                "Default: ${DEFAULT-VALUE}."
            })
    private List<Double> learningRates;

    @Option(
            names = "--prior-images",
            defaultValue = "100",
            description = {
                "Simulated images that paths are tried on for the prior of optimal paths, and the best on four times as",
                "many others. Default: ${DEFAULT-VALUE}."
            })
    private int priorImages;

    @Option(
            names = "--prior-paths",
            defaultValue = "32",
            description = "Random and expected paths tried per budget. Default: ${DEFAULT-VALUE}.")
    private int priorPaths;

    @Option(
            names = "--validation-images",
            defaultValue = "48",
            description = "Of a fixed set, generated. Default: ${DEFAULT-VALUE}.")
    private int validationImages;

    @Option(
            names = "--checkpoint-images",
            defaultValue = "1000",
            description = "Between two checkpoints. Default: ${DEFAULT-VALUE}.")
    private long checkpointImages;

    @Override
    public Integer call() throws InterruptedException {
        PamTrainingOptions options = options();
        SampleSource samples = new MixedSizes(options.seed(), batch, sides, common.samples());
        SampleSource unseen = new MixedSizes(options.seed(), batch, sides, common.unseen());
        common.prepareFolder(options);
        try (PamTraining training = new PamTraining(options, samples, unseen, common.out())) {
            return common.run(
                    spec,
                    "pam.safetensors",
                    (log, stop) -> training.run(
                            checkpointImages,
                            (stage, images, all, loss, imagesPerSecond) -> log.printf(
                                    Locale.ROOT,
                                    "stage %d of %d: %d of %d images, loss %.5f, %.2f images per second%n",
                                    stage.ordinal() + 1,
                                    Stage.values().length,
                                    images,
                                    all,
                                    loss,
                                    imagesPerSecond),
                            stop));
        }
    }

    private PamTrainingOptions options() {
        if (initial != null) {
            try (ModelSource source = ModelSource.open(initial)) {
                require(source.architecture() == PamArchitecture.PAM, "--init", "PAM's weights", initial);
            }
        }
        require(batch >= 1, "--batch", "at least 1", batch);
        for (int side : sides) {
            require(side >= 2 * Pam.COARSEST && side % Pam.COARSEST == 0, "--side", "multiples of 32 from 64 on", side);
        }
        require(
                fullImages > 0 && warmUpImages > 0 && pathImages > 0,
                "--full-images, --warm-up-images, --path-images",
                "positive numbers",
                Math.min(fullImages, Math.min(warmUpImages, pathImages)));
        int stages = Stage.values().length;
        require(
                learningRates.size() == 1 || learningRates.size() == stages,
                "--learning-rate",
                "one number or " + stages + ", one for each stage",
                learningRates);
        for (double rate : learningRates) {
            require(rate > 0, "--learning-rate", "positive numbers", rate);
        }
        require(
                priorImages >= 1 && priorPaths >= 1,
                "--prior-images, --prior-paths",
                "at least 1",
                Math.min(priorImages, priorPaths));
        require(validationImages >= 1, "--validation-images", "at least 1", validationImages);
        require(checkpointImages >= batch, "--checkpoint-images", "at least --batch", checkpointImages);
        return new PamTrainingOptions(
                initial,
                common.seed(),
                sides,
                batch,
                fullImages,
                warmUpImages,
                pathImages,
                learningRates.size() == stages ? learningRates : Collections.nCopies(stages, learningRates.get(0)),
                common.bfloat16(),
                common.device(),
                common.threads(),
                priorImages,
                priorPaths,
                validationImages);
    }
}
