package org.jmatte.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Checkpoints for tests: the files that PyTorch wrote, and small ones made here. */
public final class Fixtures {
    private Fixtures() {}

    static Path path(String name) {
        try {
            return Path.of(Fixtures.class.getResource("/checkpoints/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(e);
        }
    }

    static byte[] bytes(String name) {
        try {
            return Files.readAllBytes(path(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] safetensors(String header, int dataBytes) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer file =
                ByteBuffer.allocate(Long.BYTES + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(json.length).put(json);
        for (int i = 0; i < dataBytes; i++) {
            file.put((byte) i);
        }
        return file.array();
    }

    static Checkpoint open(byte[] file) {
        return CheckpointFile.open(ByteSource.memory("memory", ByteBuffer.wrap(file)));
    }

    static float[] read(Checkpoint checkpoint, String name) {
        float[] values = new float[(int) checkpoint.tensors().get(name).elements()];
        checkpoint.read(name, FloatBuffer.wrap(values));
        return values;
    }

    /** {@code checkpoint} with other names and, where {@code shapes} has one, another shape of as many elements. */
    public static Checkpoint renamed(Checkpoint checkpoint, UnaryOperator<String> rename, Map<String, long[]> shapes) {
        Map<String, String> originals = new LinkedHashMap<>();
        Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        checkpoint.tensors().forEach((original, info) -> {
            String name = rename.apply(original);
            if (name != null) {
                originals.put(name, original);
                tensors.put(name, new TensorInfo(name, info.type(), shapes.getOrDefault(name, info.shape())));
            }
        });
        return new Checkpoint() {
            @Override
            public String description() {
                return checkpoint.description();
            }

            @Override
            public Map<String, TensorInfo> tensors() {
                return Collections.unmodifiableMap(tensors);
            }

            @Override
            public void read(String name, FloatBuffer target) {
                checkpoint.read(originals.get(name), target);
            }

            @Override
            public void close() {
                checkpoint.close();
            }
        };
    }
}
