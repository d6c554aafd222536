package org.jmatte.train;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jmatte.InvalidInputException;
import org.jmatte.train.data.DatasetWriter;
import org.jmatte.train.data.GeneratedSamples;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code jmatte train generate}: generated training images as files, to look at or to score mattes with. */
@Command(
        name = "generate",
        sortOptions = false,
        sortSynopsis = false,
        description = "Write generated training images: fg/, alpha/, bg/, merged/ and trimaps/.")
final class GenerateCommand implements Callable<Integer> {
    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder to write to; made if missing.")
    private Path out;

    @Option(names = "--count", defaultValue = "100", description = "Images. Default: ${DEFAULT-VALUE}.")
    private int count;

    @Option(names = "--first", defaultValue = "0", description = "Number of the first one. Default: ${DEFAULT-VALUE}.")
    private long first;

    @Option(names = "--side", defaultValue = "512", description = "Height and width. Default: ${DEFAULT-VALUE}.")
    private int side;

    @Option(
            names = "--seed",
            defaultValue = "1",
            description = "Another seed, other images. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--photos", paramLabel = "DIR", description = "Folder of photos to take surfaces from.")
    private Path photos;

    @Override
    public Integer call() {
        if (count < 1) {
            throw new InvalidInputException("--count: expected at least 1, got " + count);
        }
        DatasetWriter.write(new GeneratedSamples(seed, side, Photos.in(photos)), first, count, out);
        return 0;
    }
}
