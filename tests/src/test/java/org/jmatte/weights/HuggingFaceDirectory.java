package org.jmatte.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Writes a network's weights as Hugging Face publishes ViTMatte's: other names, and a preprocessor's settings. */
public final class HuggingFaceDirectory {
    private static final String PREPROCESSOR =
            """
            {"image_processor_type": "VitMatteImageProcessor", "do_normalize": true, "do_rescale": true,
             "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "size_divisibility": 32}
            """;

    private HuggingFaceDirectory() {}

    /** @param checkpoint tensors under the authors' names */
    public static void write(Checkpoint checkpoint, Path directory) {
        Checkpoint renamed = Fixtures.renamed(checkpoint, HuggingFaceDirectory::name, Map.of());
        CheckpointWriter.safetensors(renamed, directory.resolve("model.safetensors"));
        try {
            Files.writeString(directory.resolve("preprocessor_config.json"), PREPROCESSOR);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Spelled out here, rather than taken from what is tested. */
    private static String name(String authors) {
        String[] parts = authors.split("\\.");
        if (authors.equals("backbone.pos_embed")) {
            return "backbone.embeddings.position_embeddings";
        }
        if (authors.startsWith("backbone.patch_embed.proj.")) {
            return "backbone.embeddings.projection." + parts[3];
        }
        if (authors.startsWith("backbone.blocks.")) {
            String rest = authors.substring(("backbone.blocks." + parts[2] + ".").length());
            String inBlock = rest.startsWith("attn.") ? "attention." + rest.substring("attn.".length()) : rest;
            return "backbone.encoder.layer." + parts[2] + "." + inBlock;
        }
        return authors.replace("fusion_blks", "fusion_blocks").replace(".bn.", ".batch_norm.");
    }
}
