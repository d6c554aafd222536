package org.jmatte.train;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jmatte.InvalidInputException;
import org.jmatte.cli.Interruption;
import org.jmatte.train.data.FolderSamples;
import org.jmatte.train.data.GeneratedSamples;
import org.jmatte.train.data.SampleSource;
import org.jmatte.train.pam.Pam;
import org.jmatte.train.pam.PamTraining;
import org.jmatte.train.pam.PamTrainingOptions;
import org.jmatte.train.pam.Stage;
import picocli.CommandLine.Command;
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

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "Folder of the training; made if missing.")
    private Path out;

    @Option(names = "--resume", description = "Continue the training in that folder, with the same options.")
    private boolean resume;

    @Option(
            names = "--foregrounds",
            paramLabel = "DIR",
            description = "Folder with fg/ and alpha/, files matched by base name, as Composition-1k has them.")
    private Path foregrounds;

    @Option(
            names = "--backgrounds",
            paramLabel = "DIR",
            description = "Folder of background photos, with --foregrounds.")
    private Path backgrounds;

    @Option(
            names = "--photos",
            paramLabel = "DIR",
            description = "Folder of photos that generated images take surfaces and backgrounds from.")
    private Path photos;

    @Option(names = "--seed", defaultValue = "1", description = "Default: ${DEFAULT-VALUE}.")
    private long seed;

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
            names = "--dtype",
            defaultValue = "fp32",
            description = "fp32, or bf16 for convolutions and products. Default: ${DEFAULT-VALUE}.")
    private String dtype;

    @Option(names = "--threads", description = "Of libtorch. Default: all processors.")
    private Integer threads;

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
        SampleSource samples = samples();
        SampleSource unseen = new GeneratedSamples(seed + VALIDATION_SEED, side, photoFiles());
        TrainingFolder.prepare(out, options, resume);
        PrintWriter log = spec.commandLine().getErr();
        try (Interruption interruption =
                        new Interruption(() -> log.println("jmatte: interrupted; writing a checkpoint"));
                PamTraining training = new PamTraining(options, samples, unseen, out)) {
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
                                    ? "trained: " + out.resolve("pam.safetensors")
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
        require(dtype.equals("fp32") || dtype.equals("bf16"), "--dtype", "fp32 or bf16", dtype);
        require(
                priorImages >= 1 && priorPaths >= 1,
                "--prior-images, --prior-paths",
                "at least 1",
                Math.min(priorImages, priorPaths));
        require(validationImages >= 1, "--validation-images", "at least 1", validationImages);
        require(checkpointImages >= batch, "--checkpoint-images", "at least --batch", checkpointImages);
        int cores = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
        require(cores >= 1, "--threads", "at least 1", cores);
        return new PamTrainingOptions(
                seed,
                side,
                batch,
                fullImages,
                warmUpImages,
                pathImages,
                learningRate,
                dtype.equals("bf16"),
                cores,
                priorImages,
                priorPaths,
                validationImages);
    }

    private static void require(boolean holds, String option, String expected, Object got) {
        if (!holds) {
            throw new InvalidInputException(option + ": expected " + expected + ", got " + got);
        }
    }

    private SampleSource samples() {
        if ((foregrounds == null) != (backgrounds == null)) {
            throw new InvalidInputException("--foregrounds and --backgrounds: give both or none");
        }
        return foregrounds == null
                ? new GeneratedSamples(seed, side, photoFiles())
                : new FolderSamples(seed, side, foregrounds, backgrounds);
    }

    private List<Path> photoFiles() {
        if (photos == null) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(photos)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new InvalidInputException(
                    photos + ": expected a folder of photos, got an error (" + e + "); check --photos", e);
        }
    }
}
