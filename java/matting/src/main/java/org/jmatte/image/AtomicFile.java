package org.jmatte.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.UUID;

/** Files that appear whole or not at all: written under a temporary name beside the target, then renamed. */
public final class AtomicFile {
    /** What a file is to hold. */
    @FunctionalInterface
    public interface Content {
        /** Fills a file, which exists and is empty. */
        void writeTo(Path file) throws IOException;
    }

    private AtomicFile() {}

    /** {@link #check(Path, boolean)}, and refuses other extensions than these. */
    static void check(Path target, boolean overwrite, List<String> extensions) {
        Objects.requireNonNull(target, "target");
        if (extensions.stream().noneMatch(extension -> hasExtension(target, extension))) {
            throw new ImageException(
                    target + ": the extension says what to write; use " + String.join(" or ", extensions));
        }
        check(target, overwrite);
    }

    /**
     * Refuses a target that {@link #write} could not write, before any long work.
     *
     * @param target to be written
     * @param overwrite whether an existing file may be replaced
     * @throws ImageException for a missing or unwritable folder, a folder in the file's place, or an existing file
     *     without {@code overwrite}
     */
    public static void check(Path target, boolean overwrite) {
        if (Files.isDirectory(target)) {
            throw new ImageException(
                    target + ": a file is to be written here, but this is a folder; name a file in it");
        }
        Path folder = folder(target);
        if (!Files.isDirectory(folder)) {
            throw new ImageException(target + ": " + folder
                    + (Files.exists(folder)
                            ? " is not a folder; choose another place"
                            : " does not exist; create the folder first"));
        }
        if (!Files.isWritable(folder)) {
            throw new ImageException(
                    target + ": the folder " + folder + " may not be written to; check its permissions");
        }
        if (!overwrite && Files.exists(target)) {
            throw new ImageException(target + ": the file exists already; allow overwriting or choose another name");
        }
    }

    static boolean hasExtension(Path file, String extension) {
        return file.toString().toLowerCase(Locale.ROOT).endsWith(extension);
    }

    /**
     * Writes the content, replacing an existing file.
     *
     * @throws ImageException if the file cannot be written; the folder is then as before
     */
    public static void write(Path target, Content content) {
        // a short name of its own: the target's may already be as long as the file system allows
        Path temporary = folder(target).resolve(".jmatte-" + UUID.randomUUID() + ".tmp");
        try {
            try {
                Files.createFile(temporary);
                content.writeTo(temporary);
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            throw new ImageException(
                    target + ": could not be written (" + e + "); check the folder and its free space", e);
        }
    }

    private static Path folder(Path target) {
        return target.toAbsolutePath().getParent();
    }
}
