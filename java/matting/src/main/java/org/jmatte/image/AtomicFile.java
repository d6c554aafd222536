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
final class AtomicFile {
    interface Content {
        void writeTo(Path file) throws IOException;
    }

    private AtomicFile() {}

    /** Refuses a target that cannot be written; see {@link AlphaWriter#check}. */
    static void check(Path target, boolean overwrite, List<String> extensions) {
        Objects.requireNonNull(target, "target");
        if (extensions.stream().noneMatch(extension -> hasExtension(target, extension))) {
            throw new ImageException(
                    target + ": the extension says what to write; use " + String.join(" or ", extensions));
        }
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

    /** Writes the content, replacing an existing file. After a failure all is as before. */
    static void write(Path target, Content content) {
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
