package org.jmatte.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jmatte.Backend;
import org.jmatte.InvalidInputException;
import org.jmatte.MatteRequest;
import org.jmatte.Matting;
import org.jmatte.image.ImageFiles;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.weights.ModelSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code jmatte profile}: where the time and the memory of one matte go. */
@Command(
        name = "profile",
        sortOptions = false,
        sortSynopsis = false,
        description =
                "Tell where the time and the memory of one matte go, operator by operator, beside what the machine"
                        + " reaches. The photo is a file, or generated.")
final class ProfileCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ExecutionOptions execution;

    @Option(names = "--image", paramLabel = "IMAGE", description = "The photo.")
    private Path image;

    @Option(
            names = "--trimap",
            paramLabel = "TRIMAP",
            description = "The trimap: 0 background, 255 foreground, else unknown.")
    private Path trimap;

    @Option(
            names = "--size",
            paramLabel = "HxW",
            description = "Instead of both: height and width of a photo that is generated.")
    private Size size;

    @Option(
            names = "--keep",
            paramLabel = "F",
            description = "Fraction of tokens that every router keeps, up to 1; their own choice by default.")
    private Double keep;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            description = "Mattes before the one that is profiled; 1 by default, 0 when emulated.")
    private Integer warmUps;

    @Option(
            names = "--trace",
            paramLabel = "FILE",
            description = "JSON of all stages, threads and kernels over time, for ui.perfetto.dev or chrome://tracing.")
    private Path trace;

    @Option(names = "--html", paramLabel = "FILE", description = "The profile as one page that needs no network.")
    private Path html;

    @Option(names = "--overwrite", description = "Replace existing files.")
    private boolean overwrite;

    @Override
    public Integer call() {
        requireInput();
        requireOutputs();
        PrintWriter out = spec.commandLine().getOut();
        try (ModelSource source = ModelSource.open(execution.model)) {
            Input input = input(source);
            try (Matting matting = Matting.open(source, execution.options(keep, source.architecture()))) {
                int before = warmUps != null ? warmUps : matting.backend() == Backend.EMULATED ? 0 : 1;
                for (int i = 0; i < before; i++) {
                    matting.matte(input.photo(), input.trimap(), MatteRequest.defaults());
                }
                Profile profile =
                        Profile.of(matting, input.photo(), input.trimap(), MatteRequest.defaults(), execution.dtype());
                out.println(headline(profile));
                OperatorTable.print(profile, out);
                if (trace != null) {
                    Json.write(ChromeTrace.of(profile), trace);
                }
                if (html != null) {
                    List<String> arguments = spec.commandLine().getParseResult().originalArgs();
                    ProfilePage.of(profile, input.photo(), input.trimap(), arguments)
                            .write(html);
                }
            }
        }
        return Main.DONE;
    }

    private void requireInput() {
        if ((image == null) != (trimap == null) || (image == null) == (size == null)) {
            throw new InvalidInputException("input: expected either --image and --trimap, or --size, got "
                    + (size == null ? "neither both files nor a size" : "files and a size"));
        }
        if (warmUps != null && warmUps < 0) {
            throw new InvalidInputException("--warm-up: expected a number from 0, got " + warmUps);
        }
    }

    /** Refuses places that cannot be written, before any long work. */
    private void requireOutputs() {
        Outputs outputs = new Outputs();
        Stream.of(image, trimap).filter(file -> file != null).forEach(outputs::protect);
        outputs.protectAll(Path.of(execution.model));
        Stream.of(trace, html).filter(file -> file != null).forEach(file -> {
            Outputs.requireFree(file, overwrite);
            outputs.claim(file);
        });
    }

    private record Input(Photo photo, Trimap trimap) {}

    private Input input(ModelSource source) {
        if (size != null) {
            String seed = SeededInput.seed(source.checkpoint().description());
            SeededInput generated = SeededInput.of(size.height(), size.width(), seed);
            return new Input(generated.photo(), generated.trimap());
        }
        Photo photo = ImageFiles.photo(image);
        Trimap known = ImageFiles.trimap(trimap, Trimap.Values.SNAP);
        known.requireSize(photo);
        return new Input(photo, known);
    }

    private static String headline(Profile profile) {
        return String.format(
                Locale.ROOT,
                "%s %dx%d %s %s: %.3f s, peak %.1f MB of weights and activations, %.1f MB planned",
                profile.model(),
                profile.matte().alpha().height(),
                profile.matte().alpha().width(),
                profile.dtype(),
                Main.word(profile.backend()),
                profile.seconds(),
                profile.matte().peakBytes() * 1e-6,
                profile.matte().plannedBytes() * 1e-6);
    }
}
