package org.jmatte.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Mean and standard deviation per channel, red first, of photos in 0..1: the network sees (photo - mean) / std. */
record Normalisation(float[] mean, float[] std) {
    private static final long LARGEST = 1 << 20;
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(50).build())
            .build());

    static Normalisation of(Origin origin) {
        if (origin == Origin.HUGGINGFACE) {
            return new Normalisation(new float[] {0.5f, 0.5f, 0.5f}, new float[] {0.5f, 0.5f, 0.5f});
        }
        return new Normalisation( // ImageNet's
                new float[] {123.675f / 255, 116.280f / 255, 103.530f / 255},
                new float[] {58.395f / 255, 57.120f / 255, 57.375f / 255});
    }

    /** The {@code image_mean} and {@code image_std} of a Hugging Face {@code preprocessor_config.json}. */
    static Normalisation read(Path file) {
        JsonNode root;
        try {
            if (Files.size(file) > LARGEST) {
                throw error(file, "at most " + LARGEST + " bytes", Files.size(file) + " bytes");
            }
            root = JSON.readTree(file.toFile());
        } catch (IOException e) {
            throw new CheckpointException(
                    file + ": expected JSON, found something else (" + e.getMessage() + "). Download it again.", e);
        }
        float[] mean = three(file, root, "image_mean");
        float[] std = three(file, root, "image_std");
        for (float value : std) {
            if (!(value > 0)) {
                throw error(file, "a positive image_std", String.valueOf(value));
            }
        }
        return new Normalisation(mean, std);
    }

    private static float[] three(Path file, JsonNode root, String field) {
        JsonNode values = root.path(field);
        float[] three = new float[3];
        for (int i = 0; i < 3; i++) {
            three[i] = values.path(i).floatValue();
            if (values.size() != 3 || !values.path(i).isNumber() || !Float.isFinite(three[i])) {
                throw error(file, "three numbers as " + field, values.isMissingNode() ? "none" : "something else");
            }
        }
        return three;
    }

    private static CheckpointException error(Path file, String expected, String found) {
        return CheckpointException.of(file.toString(), expected, found, "Correct the file, or remove it.");
    }
}
