package org.jmatte.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jmatte.InvalidInputException;

/** The photos that generated images take surfaces and backgrounds from. */
final class Photos {
    private Photos() {}

    /**
     * The files of a folder in the order of their names.
     *
     * @param folder none if null
     */
    static List<Path> in(Path folder) {
        if (folder == null) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new InvalidInputException(
                    folder + ": expected a folder of photos, got an error (" + e + "); check --photos", e);
        }
    }
}
