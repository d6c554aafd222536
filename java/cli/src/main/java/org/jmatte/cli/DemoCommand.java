package org.jmatte.cli;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.jmatte.Foreground;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.Matting;
import org.jmatte.Plan;
import org.jmatte.Routing;
import org.jmatte.image.AlphaWriter;
import org.jmatte.image.AtomicFile;
import org.jmatte.image.Background;
import org.jmatte.image.Compositing;
import org.jmatte.image.Photo;
import org.jmatte.image.PngWriter;
import org.jmatte.image.Trimap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jmatte demo}: what can be made of a photo, with one that comes with JMatte. */
@Command(
        name = "demo",
        sortOptions = false,
        sortSynopsis = false,
        description = "Matte a photo that comes with JMatte: writes alpha.png, cutout.png, composite.png and path.txt.")
final class DemoCommand implements Callable<Integer> {
    private static final String MODEL = "box:pam";

    @Spec
    private CommandSpec spec;

    @ParentCommand
    private Main main;

    @Option(names = "--out", paramLabel = "FOLDER", description = "Where the files go; demo by default.")
    private Path out = Path.of("demo");

    @Option(names = "--model", paramLabel = "MODEL", description = "As for matte; " + MODEL + " by default.")
    private String model = MODEL;

    @Option(
            names = "--background",
            paramLabel = "BACKGROUND",
            description = "Of the composite: a picture, or a colour such as #00ff00; blurred lights by default.")
    private BackgroundSource background;

    @Option(names = "--overwrite", description = "Replace existing files.")
    private boolean overwrite;

    @Override
    public Integer call() {
        requireOutputs();
        if (background != null) {
            background.check();
        }
        Stopwatch all = new Stopwatch();
        Photo photo = Photo.of(bundled("lemur.png"));
        Trimap trimap = Trimap.of(bundled("lemur_trimap.png"), Trimap.Values.SNAP);
        try (Matting matting = Matting.open(model)) {
            Stopwatch watch = new Stopwatch();
            Matte matte = matting.matte(photo, trimap, MatteRequest.defaults());
            double seconds = watch.seconds();
            String path = path(matte, matting.plan(photo.height(), photo.width()));
            write(photo, matte, path);
            if (!main.quiet()) {
                spec.commandLine()
                        .getOut()
                        .printf(
                                Locale.ROOT,
                                "%s: alpha.png, cutout.png, composite.png, path.txt%n"
                                        + "%dx%d, %s: matte %.3f s, all %.3f s, peak memory %d MiB%n%s",
                                out,
                                photo.height(),
                                photo.width(),
                                matting.architecture().name(),
                                seconds,
                                all.seconds(),
                                PeakMemory.bytes() >> 20,
                                path);
            }
        }
        return Main.DONE;
    }

    private void requireOutputs() {
        Outputs outputs = new Outputs();
        outputs.protectAll(Path.of(model));
        if (background != null) {
            background.file().ifPresent(outputs::protect);
        }
        Stream.of("alpha.png", "cutout.png", "composite.png", "path.txt")
                .map(out::resolve)
                .forEach(file -> {
                    Outputs.requireCreatableFile(file, overwrite);
                    outputs.claim(file);
                });
    }

    private void write(Photo photo, Matte matte, String path) {
        Photo foreground = Foreground.estimate(photo, matte.alpha());
        Background behind = background == null
                ? new Bokeh(photo.height(), photo.width())
                : background.of(photo.height(), photo.width());
        Outputs.write(out, () -> {
            AlphaWriter.write(matte.alpha(), out.resolve("alpha.png"));
            PngWriter.write(Compositing.cutout(foreground, matte.alpha()), out.resolve("cutout.png"));
            PngWriter.write(Compositing.over(foreground, matte.alpha(), behind), out.resolve("composite.png"));
            AtomicFile.write(out.resolve("path.txt"), file -> Files.writeString(file, path));
        });
    }

    /** Which way the photo took through the network, and what that costs. */
    private static String path(Matte matte, Plan plan) {
        if (matte.path() != null) {
            return String.format(
                    Locale.ROOT,
                    "%s, %.2f GMACs per 1024x1024 pixels%n",
                    matte.path(),
                    matte.path().gmacs());
        }
        Routing routing = matte.routing();
        String cost = String.format(Locale.ROOT, "at most %.1f GMACs%n", plan.flops() / 2e9);
        if (routing.kept().isEmpty()) {
            return cost;
        }
        return routing.kept().stream()
                .map(kept -> String.format(Locale.ROOT, "%.2f", (double) kept.cardinality() / routing.tokens()))
                .collect(Collectors.joining(" ", "of the tokens, the routers kept ", "; " + cost));
    }

    private static BufferedImage bundled(String name) {
        try (InputStream resource = DemoCommand.class.getResourceAsStream("demo/" + name)) {
            return ImageIO.read(resource);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
