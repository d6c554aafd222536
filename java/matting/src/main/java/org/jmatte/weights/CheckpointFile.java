package org.jmatte.weights;

import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** A checkpoint whose tensors are ranges of a {@link ByteSource}. */
final class CheckpointFile implements Checkpoint {
    private static final String CONVERT =
            "Give a safetensors file, or a file that torch.save wrote from a state dictionary.";

    private final ByteSource source;
    private final Map<String, StoredTensor> stored;
    private final Map<String, TensorInfo> tensors;

    private CheckpointFile(ByteSource source, Map<String, StoredTensor> stored) {
        this.source = source;
        this.stored = stored;
        Map<String, TensorInfo> infos = new LinkedHashMap<>();
        stored.forEach((name, tensor) -> infos.put(name, tensor.info()));
        tensors = Collections.unmodifiableMap(infos);
    }

    /** Takes over {@code source}: it is closed with the checkpoint, or at once if this fails. */
    static CheckpointFile open(ByteSource source) {
        try {
            return new CheckpointFile(source, parse(source));
        } catch (RuntimeException | Error e) {
            source.close();
            throw e;
        }
    }

    private static Map<String, StoredTensor> parse(ByteSource source) {
        if (source.size == 0) {
            throw source.error("a checkpoint", "an empty file", ByteSource.DAMAGED);
        }
        byte[] start = new byte[(int) Math.min(source.size, 16)];
        try (ByteSource.Window window = source.window(0, start.length)) {
            window.bytes.get(start);
        }
        String text = new String(start, StandardCharsets.ISO_8859_1);
        if (text.startsWith("PK\3\4")) {
            return PyTorchZip.parse(source);
        }
        if (text.startsWith(PyTorchLegacy.MAGIC)) {
            return PyTorchLegacy.parse(source);
        }
        if (text.length() > 8 && text.charAt(8) == '{') {
            return Safetensors.parse(source);
        }
        String found = text.startsWith("version https:")
                ? "a Git LFS pointer; 'git lfs pull' brings the file itself"
                : "a file of " + source.size + " bytes that starts with '" + text + "'";
        throw source.error("a safetensors or PyTorch checkpoint", found, CONVERT);
    }

    @Override
    public String description() {
        return source.name;
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return tensors;
    }

    @Override
    public void read(String name, FloatBuffer target) {
        StoredTensor tensor = stored.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException(source.name + " has no tensor " + name);
        }
        tensor.read(source, target);
    }

    @Override
    public void close() {
        source.close();
    }
}
