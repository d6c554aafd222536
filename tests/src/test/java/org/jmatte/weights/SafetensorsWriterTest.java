package org.jmatte.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    @TempDir
    private Path folder;

    /** Vectors in memory. */
    private record Vectors(Map<String, float[]> values) implements Checkpoint {
        @Override
        public String description() {
            return "vectors";
        }

        @Override
        public Map<String, TensorInfo> tensors() {
            Map<String, TensorInfo> infos = new LinkedHashMap<>();
            values.forEach((name, numbers) ->
                    infos.put(name, new TensorInfo(name, ElementType.F32, new long[] {numbers.length})));
            return infos;
        }

        @Override
        public void read(String name, FloatBuffer target) {
            target.put(values.get(name));
        }

        @Override
        public void close() {}
    }

    private static float[] read(Checkpoint checkpoint, String name) {
        FloatBuffer numbers =
                FloatBuffer.allocate((int) checkpoint.tensors().get(name).elements());
        checkpoint.read(name, numbers);
        return numbers.array();
    }

    @Test
    void theSameContentGivesTheSameBytes() throws IOException {
        Map<String, String> metadata = new LinkedHashMap<>();
        List.of("c", "a", "b").forEach(name -> metadata.put(name, "text"));
        Map<String, String> reordered = new TreeMap<>(metadata);
        assertNotEquals(List.copyOf(metadata.keySet()), List.copyOf(reordered.keySet()));
        Vectors vectors = new Vectors(Map.of("one", new float[] {1}));
        Path first = folder.resolve("first.safetensors");
        Path second = folder.resolve("second.safetensors");
        SafetensorsWriter.write(first, vectors, ElementType.F32, metadata);
        SafetensorsWriter.write(second, vectors, ElementType.F32, reordered);
        assertEquals(-1, Files.mismatch(first, second));
    }

    @Test
    void whatWasWrittenIsRead() {
        Map<String, float[]> values = new LinkedHashMap<>();
        values.put("second", new float[] {1e-30f, -0f, 3.4e38f});
        values.put("empty", new float[0]);
        values.put("a.first", new float[] {0.1f, Float.NaN, Float.NEGATIVE_INFINITY, 2});
        Path file = folder.resolve("all.safetensors");
        SafetensorsWriter.write(file, new Vectors(values), ElementType.F32, Map.of("network", "none"));
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            assertEquals(values.keySet(), checkpoint.tensors().keySet());
            values.forEach((name, numbers) -> assertArrayEquals(numbers, read(checkpoint, name)));
        }
    }

    @Test
    void halvesAreTheNearest() {
        float[] numbers = {0.1f, -65504, 65519, 2049, 2051, 6e-8f, 2e-8f, Float.POSITIVE_INFINITY, Float.NaN};
        float[] halves = {0.0999755859375f, -65504, 65504, 2048, 2052, 0x1p-24f, 0, Float.POSITIVE_INFINITY, Float.NaN};
        Path file = folder.resolve("halves.safetensors");
        SafetensorsWriter.write(file, new Vectors(Map.of("x", numbers)), ElementType.F16, Map.of());
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            assertEquals(ElementType.F16, checkpoint.tensors().get("x").type());
            assertArrayEquals(halves, read(checkpoint, "x"));
        }
    }

    @Test
    void everyHalfSurvivesAndEveryMiddleGoesToTheEvenOne() {
        for (int bits = 0; bits < 0x7C00; bits++) {
            float half = Math.scalb(bits < 1024 ? bits : 1024 + bits % 1024, Math.max(bits >> 10, 1) - 25);
            float next =
                    Math.scalb(bits + 1 < 1024 ? bits + 1 : 1024 + (bits + 1) % 1024, Math.max(bits + 1 >> 10, 1) - 25);
            float middle = (half + next) / 2;
            assertEquals(bits, ElementType.half(half));
            assertEquals((short) (bits | 0x8000), ElementType.half(-half));
            assertEquals(bits + bits % 2, ElementType.half(middle));
            assertEquals(bits, ElementType.half(Math.nextDown(middle)));
            assertEquals(bits + 1, ElementType.half(Math.nextUp(middle)));
        }
    }

    @Test
    void aNumberTooLargeIsRefusedAndNothingIsLeft() throws Exception {
        Path file = Files.writeString(folder.resolve("kept.safetensors"), "before");
        Vectors vectors = new Vectors(Map.of("x", new float[] {1, 65520}));
        String message = assertThrows(
                        CheckpointException.class,
                        () -> SafetensorsWriter.write(file, vectors, ElementType.F16, Map.of()))
                .getMessage();
        assertTrue(message.contains("tensor x") && message.contains("65520"), message);
        assertEquals("before", Files.readString(file));
        try (var files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
        assertFalse(message.contains("null"));
    }

    @Test
    void otherTypesAreNotWritten() {
        assertThrows(
                IllegalArgumentException.class,
                () -> SafetensorsWriter.write(folder.resolve("x"), new Vectors(Map.of()), ElementType.BF16, Map.of()));
    }
}
