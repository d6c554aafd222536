package org.jmatte.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jmatte.InvalidInputException;

/** The pictures of a folder and of those in it, but for hidden files and other types, by {@link Job#name}. */
final class PictureFiles {
    private static final Set<String> EXTENSIONS = Set.of("png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp", "gif");

    private PictureFiles() {}

    /**
     * @param wanted which of the pictures count
     * @throws InvalidInputException if there are two of one name, or the folder cannot be listed
     */
    static SortedMap<String, Path> of(Path folder, Predicate<Path> wanted) {
        SortedMap<String, Path> found = new TreeMap<>();
        try (Stream<Path> files = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            files.filter(file -> isPicture(file) && wanted.test(file)).sorted().forEach(file -> {
                Path other = found.putIfAbsent(Job.name(folder, file), file);
                if (other != null) {
                    throw new InvalidInputException(other + " and " + file
                            + " have the same base name, which must be unique; rename or move one of them");
                }
            });
        } catch (IOException | UncheckedIOException e) {
            throw new InvalidInputException(
                    folder + ": the folder cannot be listed (" + e.getMessage() + "); check its permissions", e);
        }
        return found;
    }

    /** The extensions of pictures, for messages. */
    static String extensions() {
        return String.join(", ", new TreeSet<>(EXTENSIONS));
    }

    private static boolean isPicture(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        int dot = name.lastIndexOf('.');
        return dot > 0
                && !name.startsWith(".")
                && EXTENSIONS.contains(name.substring(dot + 1))
                && Files.isRegularFile(file);
    }
}
