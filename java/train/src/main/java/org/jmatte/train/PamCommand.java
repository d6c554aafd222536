package org.jmatte.train;

import static org.jmatte.train.CommonOptions.require;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jmatte.cli.Interruption;
import org.jmatte.train.data.SampleSource;
import org.jmatte.train.pam.Pam;
import org.jmatte.train.pam.PamTraining;
import org.jmatte.train.pam.PamTrainingOptions;
import org.jmatte.train.pam.Stage;
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
    private static final long VALIDATION_SEED = 1_000_003; // added to the seed: other images than those trained on

    @Spec
    private CommandSpec spec;

    @Mixin
    private CommonOptions common;

    @Option(
            names = "--init",
            paramLabel = "CKPT",
            description = "A PAM checkpoint to start from; random weights by default.")
    private Path initial;

    @Option(
            names = "--side",
            defaultValue = "192",
            description = "Height and width of training images. Default: ${DEFAULT-VALUE}.")
    private int side;

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
            defaultValue = "1e-4",
            description = "At the start of each stage; falls to 0 along a cosine. Default: ${DEFAULT-VALUE}.")
    private double learningRate;

    @Option(
            names = "--prior-images",
            defaultValue = "200",
            description = "Images that vote on optimal paths. Default: ${DEFAULT-VALUE}.")
    private int priorImages;

    @Option(
            names = "--prior-paths",
            defaultValue = "32",
            description = "Paths tried per budget. Default: ${DEFAULT-VALUE}.")
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
        SampleSource samples = common.samples(side);
        SampleSource unseen = common.generated(common.seed() + VALIDATION_SEED, side);
        common.prepareFolder(options);
        PrintWriter log = spec.commandLine().getErr();
        try (Interruption interruption =
                        new Interruption(() -> log.println("jmatte: interrupted; writing a checkpoint"));
                PamTraining training = new PamTraining(options, samples, unseen, common.out())) {
            boolean finished = training.run(checkpointImages, new PamTraining.Listener() {
                @Override
                public void progress(Stage stage, long images, long all, double loss, double imagesPerSecond) {
                    log.printf(
                            Locale.ROOT,
                            "stage %d of %d: %d of %d images, loss %.5f, %.2f images per second%n",
                            stage.ordinal() + 1,
                            Stage.values().length,
                            images,
                            all,
                            loss,
                            imagesPerSecond);
                }

                @Override
                public boolean stop() {
                    return interruption.cancellation().isCancelled();
                }
            });
            spec.commandLine()
                    .getOut()
                    .println(
                            finished
                                    ? "trained: " + common.out().resolve("pam.safetensors")
                                    : "stopped; continue with --resume");
        }
        return 0;
    }

    private PamTrainingOptions options() {
        require(batch >= 1, "--batch", "at least 1", batch);
        require(side >= 2 * Pam.COARSEST && side % Pam.COARSEST == 0, "--side", "a multiple of 32 from 64 on", side);
        require(
                fullImages > 0 && warmUpImages > 0 && pathImages > 0,
                "--full-images, --warm-up-images, --path-images",
                "positive numbers",
                Math.min(fullImages, Math.min(warmUpImages, pathImages)));
        require(learningRate > 0, "--learning-rate", "a positive number", learningRate);
        require(
                priorImages >= 1 && priorPaths >= 1,
                "--prior-images, --prior-paths",
                "at least 1",
                Math.min(priorImages, priorPaths));
        require(validationImages >= 1, "--validation-images", "at least 1", validationImages);
        require(checkpointImages >= batch, "--checkpoint-images", "at least --batch", checkpointImages);
        return new PamTrainingOptions(
                initial == null ? null : initial.toAbsolutePath().toString(),
                common.seed(),
                side,
                batch,
                fullImages,
                warmUpImages,
                pathImages,
                learningRate,
                common.bfloat16(),
                common.threads(),
                priorImages,
                priorPaths,
                validationImages);
    }
}
