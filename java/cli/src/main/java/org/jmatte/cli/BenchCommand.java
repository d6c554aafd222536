package org.jmatte.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jmatte.InvalidInputException;
import org.jmatte.MatteRequest;
import org.jmatte.Matting;
import org.jmatte.network.PamPath;
import org.jmatte.weights.ModelSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code jmatte bench}: seconds and peak memory of whole mattes, of a generated photo. */
@Command(
        name = "bench",
        sortOptions = false,
        sortSynopsis = false,
        description = "Measure whole mattes of a generated photo: one line per run, with the process's peak memory.")
final class BenchCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ExecutionOptions execution;

    @Option(names = "--size", required = true, paramLabel = "HxW", description = "Height and width of the photo.")
    private Size size;

    @Option(
            names = "--keep",
            paramLabel = "F",
            description = "Fraction of tokens that every router keeps, up to 1; their own choice by default.")
    private Double keep;

    @Option(
            names = "--path",
            paramLabel = "BITS|keep|bypass",
            description = "What a PAM network follows instead of its own choice: a 0 or 1 per segment, or one for all.")
    private String path;

    @Option(names = "--runs", paramLabel = "N", description = "How many mattes; 3 by default.")
    private int runs = 3;

    @Option(names = "--skip-known", description = "Decode only where the trimap is unknown, as matte does.")
    private boolean skipKnown;

    @Option(
            names = "--profile",
            description =
                    "After the runs, profile one more: time, GB/s, GFLOP/s and share of the roofline per operator.")
    private boolean profile;

    @Override
    public Integer call() {
        if (runs < 1) {
            throw new InvalidInputException("--runs: expected at least 1, got " + runs);
        }
        PrintWriter out = spec.commandLine().getOut();
        String seed;
        Matting opened;
        try (ModelSource source = ModelSource.open(execution.model)) {
            seed = SeededInput.seed(source.checkpoint().description());
            opened = Matting.open(source, execution.options(keep, source.architecture()));
        }
        MatteRequest request =
                MatteRequest.defaults().withDecodeAll(!skipKnown).withForcedPath(path == null ? null : forcedPath());
        try (Matting matting = opened) {
            SeededInput input = SeededInput.of(size.height(), size.width(), seed);
            for (int run = 0; run < runs; run++) {
                Stopwatch watch = new Stopwatch();
                PamPath taken =
                        matting.matte(input.photo(), input.trimap(), request).path();
                double seconds = watch.seconds();
                out.println(line(matting, taken, seconds, PeakMemory.bytes()));
                out.flush();
            }
            if (profile) {
                OperatorTable.print(
                        Profile.of(matting, input.photo(), input.trimap(), request, execution.dtype()), out);
            }
        }
        return Main.DONE;
    }

    private PamPath forcedPath() {
        return switch (path) {
            case "keep" -> PamPath.KEEP_ALL;
            case "bypass" -> PamPath.BYPASS_ALL;
            default -> PamPath.of(path);
        };
    }

    private String line(Matting matting, PamPath taken, double seconds, long peak) {
        return String.format(
                Locale.ROOT,
                "%s %s %s %s%s: %.3f s, peak %.0f MiB",
                matting.architecture().name(),
                size,
                execution.dtype(),
                Main.word(matting.backend()),
                taken == null ? "" : " path " + taken,
                seconds,
                peak / (double) (1 << 20));
    }
}
