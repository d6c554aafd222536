package org.jmatte.cli;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jmatte.InvalidInputException;
import org.jmatte.image.Alpha;
import org.jmatte.image.Background;
import org.jmatte.image.Compositing;
import org.jmatte.image.Photo;
import org.jmatte.image.PngWriter;
import picocli.CommandLine.Option;

/** The pictures that {@code matte} makes, besides alpha, with the foreground's own colours. */
final class ForegroundOptions {
    private static final String PLACE = " A .png, or a folder; as many bits as the photo has.";

    @Option(
            names = "--cutout",
            paramLabel = "CUTOUT",
            description = "The object cut out: RGBA, not premultiplied, with estimated foreground colours." + PLACE)
    private Path cutout;

    @Option(
            names = "--foreground",
            paramLabel = "FOREGROUND",
            description = "The estimated foreground colours: RGB." + PLACE)
    private Path foreground;

    @Option(
            names = "--composite",
            paramLabel = "BACKGROUND",
            description = "Lay the object over a picture, scaled to cover the photo, or over a colour such as #00ff00;"
                    + " --composite-out says where it goes.")
    private BackgroundSource background;

    @Option(
            names = "--composite-out",
            paramLabel = "COMPOSITE",
            description = "The object over the --composite background: RGB." + PLACE)
    private Path composite;

    private boolean folders;

    /** Whether any of the pictures is asked for. */
    boolean wanted() {
        return cutout != null || foreground != null || composite != null;
    }

    /**
     * Checks what can be checked before any long work.
     *
     * @param intoFolders whether outputs are folders
     */
    void prepare(boolean intoFolders) {
        folders = intoFolders;
        if ((background == null) != (composite == null)) {
            throw new InvalidInputException(
                    background == null
                            ? "--composite-out: expected with --composite, which names the background; add it"
                            : "--composite: expected with --composite-out, which names the file or folder; add it");
        }
        for (Path place : places()) {
            if (folders) {
                Outputs.requireCreatable(place);
            } else if (Files.isDirectory(place)) {
                throw new InvalidInputException(
                        place + ": expected a .png file, as --image is a file, got a folder; name a file in it");
            } else {
                PngWriter.check(place, true);
            }
        }
        if (background != null) {
            background.check();
        }
    }

    /** Inputs, which no output may replace. */
    List<Path> inputs() {
        return background == null ? List.of() : background.file().stream().toList();
    }

    /** The files that a job's pictures go to. */
    List<Path> files(Job job) {
        return places().stream().map(place -> file(place, job)).toList();
    }

    /** Writes the pictures that are asked for. */
    void write(Job job, Photo colors, Alpha alpha) throws IOException {
        if (cutout != null) {
            write(Compositing.cutout(colors, alpha), file(cutout, job));
        }
        if (foreground != null) {
            write(Compositing.opaque(colors), file(foreground, job));
        }
        if (composite != null) {
            Background behind = background.of(alpha.height(), alpha.width());
            write(Compositing.over(colors, alpha, behind), file(composite, job));
        }
    }

    private static void write(BufferedImage picture, Path file) throws IOException {
        Files.createDirectories(Outputs.folder(file));
        PngWriter.write(picture, file);
    }

    private Path file(Path place, Job job) {
        return folders ? place.resolve(job.name() + ".png") : place;
    }

    private List<Path> places() {
        return Stream.of(cutout, foreground, composite).filter(Objects::nonNull).toList();
    }
}
