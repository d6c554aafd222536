package org.jmatte.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jmatte.InvalidInputException;
import org.jmatte.image.AtomicFile;
import org.jmatte.image.ImageException;

/**
 * The files that a run writes. Refuses, before any long work, places that could not be written to, and those of inputs
 * and other outputs, whatever links lead there.
 */
final class Outputs {
    /** Writes files. */
    @FunctionalInterface
    interface Writing {
        void run() throws IOException;
    }

    private final Map<Path, Path> folders = new HashMap<>();
    private final Set<Path> kept = new HashSet<>();
    private final Set<Path> outputs = new HashSet<>();

    /** Tells of a file that must stay. */
    void protect(Path file) {
        kept.add(place(file));
        kept.add(real(file));
    }

    /** Tells of a file that must stay, or of a folder whose files must. */
    void protectAll(Path path) {
        withFiles(path).forEach(this::protect);
    }

    /** A file alone, or a folder and what lies in it. */
    static List<Path> withFiles(Path path) {
        if (!Files.isDirectory(path)) {
            return List.of(path);
        }
        try (Stream<Path> files = Files.list(path)) {
            return Stream.concat(Stream.of(path), files).toList();
        } catch (IOException e) {
            throw new InvalidInputException(
                    path + ": the folder cannot be listed (" + e.getMessage() + "); check its permissions", e);
        }
    }

    /** Tells of a file to be written, and requires that it is none of those and of the other outputs. */
    void claim(Path file) {
        Path place = place(file);
        if (kept.contains(place)) {
            throw new InvalidInputException(
                    file + ": is an input or finished before, and would be overwritten; choose another name or folder");
        }
        if (!outputs.add(place)) {
            throw new InvalidInputException(
                    file + ": two outputs of this run would be written here; choose another name or folder");
        }
    }

    /** Where writing to a file puts it: links in its folder are followed, and if it is one itself, it is replaced. */
    private Path place(Path file) {
        return folders.computeIfAbsent(folder(file), Outputs::real).resolve(file.getFileName());
    }

    /** A path with all links followed, as far as it exists. */
    static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException e) { // does not exist yet
            Path absolute = path.toAbsolutePath();
            Path parent = absolute.getParent();
            return (parent == null ? absolute : real(parent).resolve(absolute.getFileName())).normalize();
        }
    }

    /** Requires a file that can be written, and that is none so far without {@code overwrite}. */
    static void requireFree(Path file, boolean overwrite) {
        AtomicFile.check(file, true);
        if (!overwrite && Files.exists(file)) {
            throw new InvalidInputException(file + ": exists already; add --overwrite or choose another name");
        }
    }

    /** {@link #requireFree}, for a file whose folder is made where it is missing. */
    static void requireCreatableFile(Path file, boolean overwrite) {
        requireCreatable(folder(file));
        if (Files.exists(folder(file))) {
            requireFree(file, overwrite);
        }
    }

    /** Requires a folder that may be written to, or a place where it can be made. */
    static void requireCreatable(Path folder) {
        Path existing = folder.toAbsolutePath();
        while (!Files.exists(existing)) {
            existing = existing.getParent();
        }
        if (!Files.isDirectory(existing)) {
            throw new InvalidInputException(
                    folder + ": expected a folder, but " + existing + " is a file; choose another place");
        }
        if (!Files.isWritable(existing)) {
            throw new InvalidInputException(
                    folder + ": the folder " + existing + " may not be written to; check its permissions");
        }
    }

    /**
     * Writes files into a folder, which is made where it is missing.
     *
     * @throws OutputException if that fails, although the places had looked well
     */
    static void write(Path folder, Writing writing) {
        try {
            Files.createDirectories(folder);
            writing.run();
        } catch (ImageException e) {
            throw new OutputException(e.getMessage(), e);
        } catch (IOException e) {
            throw new OutputException("the folder " + e.getMessage() + " could not be made (" + e + ")", e);
        }
    }

    /** The folder that a file is in. */
    static Path folder(Path file) {
        return file.toAbsolutePath().getParent();
    }
}
