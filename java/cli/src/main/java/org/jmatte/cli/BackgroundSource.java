package org.jmatte.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jmatte.image.Background;
import org.jmatte.image.ImageFiles;
import picocli.CommandLine.TypeConversionException;

/** A background as the command line names it: a colour such as {@code #00ff00}, else a picture's file. */
final class BackgroundSource {
    private static final Pattern COLOR = Pattern.compile("#[0-9a-fA-F]{6}");

    private final Background color;
    private final Path file;

    private BackgroundSource(Background color, Path file) {
        this.color = color;
        this.file = file;
    }

    static BackgroundSource parse(String text) {
        if (!text.startsWith("#")) {
            return new BackgroundSource(null, Path.of(text));
        }
        if (!COLOR.matcher(text).matches()) {
            throw new TypeConversionException(
                    "expected a picture's file, or a colour such as #00ff00, got '" + text + "'");
        }
        int rgb = Integer.parseInt(text.substring(1), 16);
        return new BackgroundSource(
                Background.color((rgb >> 16) / 255f, (rgb >> 8 & 255) / 255f, (rgb & 255) / 255f), null);
    }

    /** The picture's file, if it is not a colour. */
    Optional<Path> file() {
        return Optional.ofNullable(file);
    }

    /** Requires the picture, if there is one, to be readable. */
    void check() {
        if (file != null) {
            ImageFiles.photo(file);
        }
    }

    /** The background of a photo of that size. A picture is read anew, so that it takes no memory before. */
    Background of(int height, int width) {
        return color != null ? color : Background.cover(ImageFiles.photo(file), height, width);
    }
}
