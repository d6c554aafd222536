package org.jmatte.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import org.jmatte.InvalidInputException;

/** Refuses places that could not be written to, before any long work. */
final class Outputs {
    private Outputs() {}

    /** Requires that no folder is in a file's place, and without {@code overwrite} nothing at all. */
    static void requireFree(Path file, boolean overwrite) {
        if (Files.isDirectory(file)) {
            throw new InvalidInputException(
                    file + ": a file is to be written here, but this is a folder; name a file in it");
        }
        if (!overwrite && Files.exists(file)) {
            throw new InvalidInputException(file + ": exists already; add --overwrite or choose another name");
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

    /** Requires that a file to be written is none of those others. */
    static void requireOther(Path file, Path... others) {
        for (Path other : others) {
            if (file.toAbsolutePath().normalize().equals(other.toAbsolutePath().normalize())) {
                throw new InvalidInputException(
                        file + ": would be written, but is named for something else too; choose another name");
            }
        }
    }

    /** The folder that a file is in. */
    static Path folder(Path file) {
        return file.toAbsolutePath().getParent();
    }
}
