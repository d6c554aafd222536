package org.jmatte.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jmatte.image.Background;
import org.jmatte.image.ImageFiles;
import org.jmatte.image.Photo;

/** A background as the command line names it: a colour such as {@code #00ff00}, else a picture's file. */
final class BackgroundSource {
    private static final Pattern COLOR = Pattern.compile("#[0-9a-fA-F]{6}");

    private final String name;
    private Photo picture;

    BackgroundSource(String name) {
        this.name = name;
    }

    private boolean isColor() {
        return COLOR.matcher(name).matches();
    }

    /** The picture's file, if it is not a colour. */
    Optional<Path> file() {
        return isColor() ? Optional.empty() : Optional.of(Path.of(name));
    }

    /** Reads the picture, if there is one; only after that {@link #of} may be called. */
    void load() {
        file().ifPresent(file -> picture = ImageFiles.photo(file));
    }

    /** Bytes of the picture that was read. */
    long bytes() {
        return picture == null ? 0 : picture.pixels().capacity();
    }

    /** The background of a photo of that size. */
    Background of(int height, int width) {
        if (isColor()) {
            int rgb = Integer.parseInt(name.substring(1), 16);
            return Background.color((rgb >> 16) / 255f, (rgb >> 8 & 255) / 255f, (rgb & 255) / 255f);
        }
        return Background.cover(picture, height, width);
    }
}
