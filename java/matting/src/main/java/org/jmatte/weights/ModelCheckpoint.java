package org.jmatte.weights;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jmatte.network.Architecture;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.VitArchitecture;

/**
 * The tensors of a network under the authors' names, whatever the file calls them: recognised, and checked to be all
 * there with their shapes.
 */
final class ModelCheckpoint implements Checkpoint {
    private static final String WIDTH_TENSOR = "backbone.patch_embed.proj.bias";
    private static final String ROUTER = "backbone.routers.0.";
    private static final String PARALLEL = "module."; // DataParallel's prefix
    private static final int MOST_LISTED = 10;

    private final Checkpoint file;
    private final Origin origin;
    private final Architecture architecture;
    private final Map<String, String> namesInFile = new LinkedHashMap<>();
    private final Map<String, TensorInfo> tensors;

    /** Takes over {@code file}, unless this fails. */
    ModelCheckpoint(Checkpoint file) {
        this.file = file;
        Map<String, TensorInfo> found = relevant();
        origin = found.containsKey(huggingFaceName(WIDTH_TENSOR)) ? Origin.HUGGINGFACE : Origin.AUTHORS;
        architecture = recognise(found);
        tensors = Collections.unmodifiableMap(match(found));
    }

    Origin origin() {
        return origin;
    }

    Architecture architecture() {
        return architecture;
    }

    /** The file's tensors without prefix, and without those that inference does not need. */
    private Map<String, TensorInfo> relevant() {
        Map<String, TensorInfo> found = new LinkedHashMap<>();
        file.tensors().forEach((original, info) -> {
            String name = original.startsWith(PARALLEL) ? original.substring(PARALLEL.length()) : original;
            if (name.startsWith("teacher_backbone.") || name.endsWith("num_batches_tracked")) {
                return;
            }
            if (found.put(name, info) != null) {
                throw error("each tensor once", "both " + name + " and " + PARALLEL + name, "Remove one of them.");
            }
        });
        return found;
    }

    private Architecture recognise(Map<String, TensorInfo> found) {
        if (!Collections.disjoint(
                found.keySet(), PamArchitecture.PAM.parameterShapes().keySet())) {
            return PamArchitecture.PAM;
        }
        TensorInfo bias = found.get(nameInFile(WIDTH_TENSOR));
        if (bias == null) {
            throw error(
                    "a MEMatte or ViTMatte network with " + WIDTH_TENSOR + " or " + huggingFaceName(WIDTH_TENSOR)
                            + ", or a PAM network",
                    found.size() + " other tensors: " + listed(new ArrayList<>(found.keySet())),
                    "Give the weights of such a network.");
        }
        long width = bias.shape().length == 1 ? bias.shape()[0] : 0;
        boolean routed = found.keySet().stream().anyMatch(name -> name.startsWith(ROUTER));
        try {
            return VitArchitecture.of((int) Math.min(width, Integer.MAX_VALUE), routed);
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(
                    file.description() + ": " + bias.name() + " has shape " + Arrays.toString(bias.shape()) + ". "
                            + e.getMessage(),
                    e);
        }
    }

    private Map<String, TensorInfo> match(Map<String, TensorInfo> found) {
        Map<String, TensorInfo> matched = new LinkedHashMap<>();
        List<String> missing = new ArrayList<>();
        List<String> wrong = new ArrayList<>();
        Map<String, TensorInfo> unexpected = new LinkedHashMap<>(found);
        architecture.parameterShapes().forEach((name, shape) -> {
            String nameInFile = nameInFile(name);
            TensorInfo info = unexpected.remove(nameInFile);
            if (info == null) {
                missing.add(nameInFile + " " + Arrays.toString(shape));
            } else if (!fits(name, shape, info.shape())) {
                wrong.add(nameInFile + " " + Arrays.toString(info.shape()) + " instead of " + Arrays.toString(shape));
            } else if (!info.type().floating()) {
                wrong.add(nameInFile + " of type " + info.type() + " instead of a floating-point type");
            } else {
                matched.put(name, new TensorInfo(name, info.type(), info.shape()));
                namesInFile.put(name, info.name());
            }
        });
        if (!missing.isEmpty() || !wrong.isEmpty() || !unexpected.isEmpty()) {
            List<String> problems = new ArrayList<>();
            describe(problems, missing, "missing");
            describe(problems, wrong, "wrong");
            describe(problems, new ArrayList<>(unexpected.keySet()), "unexpected");
            throw error(
                    "the " + (matched.size() + missing.size() + wrong.size()) + " tensors of " + architecture.name(),
                    String.join("; ", problems),
                    architecture == PamArchitecture.PAM
                            ? "Give the weights of a PAM network, unchanged."
                            : "Give the weights of a MEMatte or ViTMatte network of 12 blocks, unchanged.");
        }
        return matched;
    }

    /** ViTMatte's global tables keep the length of their training grid; they are resized in use. */
    private static boolean fits(String name, long[] expected, long[] shape) {
        boolean anyOddLength = expected[0] == VitArchitecture.GLOBAL_OFFSETS && name.contains(".attn.rel_pos_");
        if (anyOddLength) {
            return shape.length == 2 && shape[0] % 2 == 1 && shape[1] == expected[1];
        }
        return Arrays.equals(expected, shape);
    }

    private static void describe(List<String> problems, List<String> names, String kind) {
        if (!names.isEmpty()) {
            problems.add(names.size() + " " + kind + ": " + listed(names));
        }
    }

    private static String listed(List<String> names) {
        String first = String.join(", ", names.subList(0, Math.min(names.size(), MOST_LISTED)));
        return names.size() > MOST_LISTED ? first + " and " + (names.size() - MOST_LISTED) + " more" : first;
    }

    private CheckpointException error(String expected, String found, String remedy) {
        return CheckpointException.of(file.description(), expected, found, remedy);
    }

    private String nameInFile(String name) {
        return origin == Origin.HUGGINGFACE ? huggingFaceName(name) : name;
    }

    /** What Hugging Face's transformers calls the authors' tensor {@code name}. */
    static String huggingFaceName(String name) {
        return name.replace("backbone.pos_embed", "backbone.embeddings.position_embeddings")
                .replace("backbone.patch_embed.proj.", "backbone.embeddings.projection.")
                .replaceFirst("^backbone\\.blocks\\.(\\d+)\\.attn\\.", "backbone.encoder.layer.$1.attention.")
                .replaceFirst("^backbone\\.blocks\\.", "backbone.encoder.layer.")
                .replace("decoder.fusion_blks.", "decoder.fusion_blocks.")
                .replace(".bn.", ".batch_norm.");
    }

    @Override
    public String description() {
        return file.description();
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return tensors;
    }

    @Override
    public void read(String name, FloatBuffer target) {
        String nameInFile = namesInFile.get(name);
        if (nameInFile == null) {
            throw new IllegalArgumentException(architecture.name() + " has no tensor " + name);
        }
        file.read(nameInFile, target);
    }

    @Override
    public void close() {
        file.close();
    }
}
