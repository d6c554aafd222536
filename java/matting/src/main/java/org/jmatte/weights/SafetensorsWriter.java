package org.jmatte.weights;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.jmatte.image.AtomicFile;

/** Writes checkpoints as safetensors files, one tensor in memory at a time. */
public final class SafetensorsWriter {
    private static final int ALIGNMENT = 8; // of the data, as the format's own writers keep it

    private SafetensorsWriter() {}

    /**
     * Writes all tensors of a checkpoint in its order; the file appears whole or not at all.
     *
     * @param file replaced if it exists
     * @param type F32, or F16 (rounded to nearest, ties to even)
     * @param metadata strings that the header carries, sorted by their names
     * @throws org.jmatte.InvalidInputException if the file cannot be written, or a value is too large for the type
     */
    public static void write(Path file, Checkpoint checkpoint, ElementType type, Map<String, String> metadata) {
        if (type != ElementType.F32 && type != ElementType.F16) {
            throw new IllegalArgumentException("type: expected F32 or F16, got " + type);
        }
        ObjectNode header = new ObjectMapper().createObjectNode();
        ObjectNode texts = header.putObject("__metadata__");
        new TreeMap<>(metadata).forEach(texts::put); // sorted: Map.of differs from run to run
        long at = 0;
        for (TensorInfo info : checkpoint.tensors().values()) {
            long end = at + info.elements() * type.bytes();
            ObjectNode entry = header.putObject(info.name());
            entry.put("dtype", type.name());
            Arrays.stream(info.shape()).forEach(entry.putArray("shape")::add);
            entry.putArray("data_offsets").add(at).add(end);
            at = end;
        }
        AtomicFile.write(file, temporary -> {
            try (FileChannel out = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
                write(out, header(header));
                for (TensorInfo info : checkpoint.tensors().values()) {
                    write(out, bytes(checkpoint, info, type));
                }
                out.force(false); // the rename must not become durable before the content
            }
        });
    }

    private static ByteBuffer header(ObjectNode header) throws IOException {
        byte[] json = new ObjectMapper().writeValueAsBytes(header);
        int padded = (json.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        byte[] spaced = Arrays.copyOf(json, padded);
        Arrays.fill(spaced, json.length, padded, (byte) ' ');
        return little(Long.BYTES + padded).putLong(padded).put(spaced).flip();
    }

    private static ByteBuffer bytes(Checkpoint checkpoint, TensorInfo info, ElementType type) {
        int elements = Math.toIntExact(info.elements());
        FloatBuffer values = FloatBuffer.allocate(elements);
        checkpoint.read(info.name(), values);
        ByteBuffer bytes = little(Math.multiplyExact(elements, type.bytes()));
        if (type == ElementType.F32) {
            bytes.asFloatBuffer().put(values.flip());
            return bytes;
        }
        for (float value : values.array()) {
            short half = ElementType.half(value);
            if ((half & 0x7FFF) == 0x7C00 && Float.isFinite(value)) {
                throw new CheckpointException("tensor " + info.name() + ": " + value
                        + " is too large for F16, expected at most 65504; write F32 instead");
            }
            bytes.putShort(half);
        }
        return bytes.flip();
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void write(FileChannel out, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            out.write(bytes);
        }
    }
}
