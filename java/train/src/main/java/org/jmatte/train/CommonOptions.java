package org.jmatte.train;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import org.jmatte.InvalidInputException;
import org.jmatte.cli.Interruption;
import org.jmatte.train.data.FolderSamples;
import org.jmatte.train.data.GeneratedSamples;
import org.jmatte.train.data.SampleSource;
import org.jmatte.train.torch.Devices;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** The flags that all trainings share. */
final class CommonOptions {
    private static final long VALIDATION_SEED = 1_000_003; // added to the seed

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
            names = "--dtype",
            defaultValue = "fp32",
            description = "fp32, or bf16 for convolutions and products. Default: ${DEFAULT-VALUE}.")
    private String dtype;

    @Option(
            names = "--backend",
            paramLabel = "cpu|cuda",
            defaultValue = "cpu",
            description =
                    "What trains: the processor or, with libtorch's build for CUDA, a card. Default: ${DEFAULT-VALUE}.")
    private String backend;

    @Option(
            names = "--device",
            paramLabel = "N",
            description = "Which card, with --backend cuda, by CUDA's number from 0. Default: the first.")
    private Integer card;

    @Option(names = "--threads", description = "Of libtorch. Default: all processors.")
    private Integer threads;

    Path out() {
        return out;
    }

    /** Makes the folder ready, see {@link TrainingFolder#prepare}. */
    void prepareFolder(Object training) {
        TrainingFolder.prepare(
                out, new Settings(training, absolute(foregrounds), absolute(backgrounds), absolute(photos)), resume);
    }

    /** What must be the same when a training continues. */
    private record Settings(@JsonUnwrapped Object training, String foregrounds, String backgrounds, String photos) {}

    private static String absolute(Path folder) {
        return folder == null ? null : folder.toAbsolutePath().normalize().toString();
    }

    /** A training's loop. */
    @FunctionalInterface
    interface Loop {
        /**
         * @param log where progress is told
         * @param stop whether to stop after the step at hand
         * @return whether the end was reached
         */
        boolean run(PrintWriter log, BooleanSupplier stop) throws InterruptedException;
    }

    /**
     * Runs a training until its end or an interruption, and says which it was.
     *
     * @param result the file that the end leaves in the folder
     * @return the exit code
     */
    int run(CommandSpec command, String result, Loop loop) throws InterruptedException {
        PrintWriter log = command.commandLine().getErr();
        try (Interruption interruption =
                new Interruption(() -> log.println("jmatte: interrupted; writing a checkpoint"))) {
            boolean finished = loop.run(log, interruption.cancellation()::isCancelled);
            command.commandLine()
                    .getOut()
                    .println(finished ? "trained: " + out.resolve(result) : "stopped; continue with --resume");
        }
        return 0;
    }

    long seed() {
        return seed;
    }

    boolean bfloat16() {
        require(dtype.equals("fp32") || dtype.equals("bf16"), "--dtype", "fp32 or bf16", dtype);
        return dtype.equals("bf16");
    }

    /** What trains, by libtorch's name. */
    String device() {
        require(backend.equals("cpu") || backend.equals("cuda"), "--backend", "cpu or cuda", backend);
        require(card == null || backend.equals("cuda"), "--device", "--backend cuda beside it", backend);
        require(card == null || card >= 0, "--device", "a number from 0", card);
        String device = card == null ? backend : backend + ":" + card;
        Devices.named(device); // refused before anything is written
        return device;
    }

    int threads() {
        int number = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
        require(number >= 1, "--threads", "at least 1", number);
        return number;
    }

    /** The images to train on, by their height and width. */
    IntFunction<SampleSource> samples() {
        if ((foregrounds == null) != (backgrounds == null)) {
            throw new InvalidInputException("--foregrounds and --backgrounds: give both or none");
        }
        return foregrounds == null ? generated(seed) : side -> new FolderSamples(seed, side, foregrounds, backgrounds);
    }

    /** Generated images that no training with this seed sees. */
    IntFunction<SampleSource> unseen() {
        return generated(seed + VALIDATION_SEED);
    }

    private IntFunction<SampleSource> generated(long ofSeed) {
        List<Path> files = Photos.in(photos);
        return side -> new GeneratedSamples(ofSeed, side, files);
    }

    /** @throws InvalidInputException naming the flag, unless the condition holds */
    static void require(boolean holds, String option, String expected, Object got) {
        if (!holds) {
            throw new InvalidInputException(option + ": expected " + expected + ", got " + got);
        }
    }
}
