package org.jmatte.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jmatte.image.AtomicFile;
import org.jmatte.image.ImageException;

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

    /** A record's values by their names, to be changed. */
    static ObjectNode tree(Record value) {
        return MAPPER.valueToTree(value);
    }

    /**
     * Reads a value.
     *
     * @throws IOException if the file cannot be read, or holds something else
     */
    static <T> T read(Path file, Class<T> type) throws IOException {
        return MAPPER.readValue(file.toFile(), type);
    }

    /** Writes a value, replacing an existing file. */
    static void write(Object value, Path file) {
        try {
            AtomicFile.write(file, temporary -> Files.writeString(temporary, text(value) + "\n"));
        } catch (ImageException e) {
            throw new OutputException(e.getMessage(), e);
        }
    }
}
