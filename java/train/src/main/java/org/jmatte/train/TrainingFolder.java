package org.jmatte.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import org.jmatte.InvalidInputException;
import org.jmatte.image.AtomicFile;

/** The folder that a training writes to; {@code options.json} in it says how it was started. */
final class TrainingFolder {
    private TrainingFolder() {}

    /**
     * Makes a folder ready for a training.
     *
     * @param options anything that Jackson writes; continuing requires the same
     * @param resume whether a training that is there already goes on
     * @throws InvalidInputException if there is one and {@code resume} is false, or there is none to continue, or its
     *     options differ
     */
    static void prepare(Path folder, Object options, boolean resume) {
        Path file = folder.resolve("options.json");
        boolean started = Files.exists(file);
        if (started != resume) {
            throw new InvalidInputException(
                    started
                            ? folder
                                    + ": holds a training already; add --resume to continue it, or choose another folder"
                            : folder
                                    + ": expected a training to continue, found none; leave out --resume to start one");
        }
        JsonNode tree = new ObjectMapper().valueToTree(options);
        try {
            if (started) {
                requireSame(file, new ObjectMapper().readTree(file.toFile()), tree);
                return;
            }
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new InvalidInputException(
                    folder + ": expected a folder to train in, got an error (" + e + "); choose another place", e);
        }
        ObjectWriter writer = new ObjectMapper().writerWithDefaultPrettyPrinter();
        AtomicFile.write(file, temporary -> writer.writeValue(temporary.toFile(), tree));
    }

    private static void requireSame(Path file, JsonNode before, JsonNode now) {
        for (Iterator<String> names = now.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!String.valueOf(now.get(name)).equals(String.valueOf(before.get(name)))) {
                throw new InvalidInputException(file + ": the training was started with " + name + " "
                        + before.get(name) + ", now it is " + now.get(name)
                        + "; continue it with the same options, or start another in a new folder");
            }
        }
    }
}
