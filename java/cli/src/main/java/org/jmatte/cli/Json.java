package org.jmatte.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;
import org.jmatte.InvalidInputException;

/** Records as JSON, their names in snake case; files appear whole or not at all. */
final class Json {
    private static final ObjectMapper MAPPER = new ObjectMapper()
            .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT);

    private Json() {}

    static String text(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("cannot be written as JSON: " + value, e);
        }
    }

    /** Refuses a file that {@link #write} could not write, before any long work. */
    static void check(Path file, boolean overwrite) {
        Outputs.requireFree(file, overwrite);
        Path folder = Outputs.folder(file);
        if (!Files.isDirectory(folder)) {
            throw new InvalidInputException(file + ": there is no folder " + folder + "; create it first");
        }
        Outputs.requireCreatable(folder);
    }

    /** Writes a value, replacing an existing file. */
    static void write(Object value, Path file) {
        Path temporary = Outputs.folder(file).resolve(".jmatte-" + UUID.randomUUID() + ".tmp");
        try {
            try {
                Files.writeString(temporary, text(value) + "\n");
                Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            throw new OutputException(
                    file + ": could not be written (" + e + "); check the folder and its free space", e);
        }
    }
}
