package org.jmatte.train;

import java.nio.file.Path;
import org.jmatte.InvalidInputException;
import org.jmatte.train.data.FolderSamples;
import org.jmatte.train.data.GeneratedSamples;
import org.jmatte.train.data.SampleSource;
import picocli.CommandLine.Option;

/** The flags that all trainings share. */
final class CommonOptions {
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

    @Option(names = "--threads", description = "Of libtorch. Default: all processors.")
    private Integer threads;

    Path out() {
        return out;
    }

    /** Makes the folder ready, see {@link TrainingFolder#prepare}. */
    void prepareFolder(Object options) {
        TrainingFolder.prepare(out, options, resume);
    }

    long seed() {
        return seed;
    }

    boolean bfloat16() {
        require(dtype.equals("fp32") || dtype.equals("bf16"), "--dtype", "fp32 or bf16", dtype);
        return dtype.equals("bf16");
    }

    int threads() {
        int number = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
        require(number >= 1, "--threads", "at least 1", number);
        return number;
    }

    /** The images to train on, of a height and width. */
    SampleSource samples(int side) {
        if ((foregrounds == null) != (backgrounds == null)) {
            throw new InvalidInputException("--foregrounds and --backgrounds: give both or none");
        }
        return foregrounds == null ? generated(seed, side) : new FolderSamples(seed, side, foregrounds, backgrounds);
    }

    /** Generated images, whatever the folders. */
    SampleSource generated(long ofSeed, int side) {
        return new GeneratedSamples(ofSeed, side, Photos.in(photos));
    }

    /** @throws InvalidInputException naming the flag, unless the condition holds */
    static void require(boolean holds, String option, String expected, Object got) {
        if (!holds) {
            throw new InvalidInputException(option + ": expected " + expected + ", got " + got);
        }
    }
}
