package org.jmatte.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32;
import org.jmatte.InvalidInputException;
import org.jmatte.network.Architecture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelSourceTest {
    private static final float[] HALF = {0.5f, 0.5f, 0.5f};

    @TempDir
    Path folder;

    /** First and last value and the checksum of the bytes, little-endian, from the PyTorch reference. */
    @ParameterizedTest
    @CsvSource({
        "mematte_tiny, backbone.pos_embed, -0.25527507, -0.35303307, 1ea09507",
        "mematte_tiny, backbone.patch_embed.proj.bias, -0.044043206, 0.0904395, 0cf961db",
        "mematte_tiny, backbone.blocks.0.norm1.weight, 0.966365, 1.0221999, ead19ca4",
        "mematte_tiny, backbone.blocks.0.attn.rel_pos_h, 0.004693794, 0.11475488, 91ecd097",
        "mematte_tiny, backbone.routers.0.in_conv.0.weight, 0.92531866, 1.0038056, 4a8f3219",
        "mematte_tiny, decoder.convstream.convs.0.bn.running_var, 1.3410912, 1.3192067, 6d51aa93",
        "mematte_tiny, decoder.convstream.convs.0.bn.running_mean, -0.04946182, 0.03842374, 6ef333c4",
        "mematte_tiny, decoder.convstream.convs.0.bn.weight, 1.0468407, 0.98038334, a59b1e81",
        "mematte_tiny:1, decoder.matting_head.matting_convs.1.weight, 1.0875494, 1.0497601, b0bfd46c",
        "mematte_tiny:1, decoder.matting_head.matting_convs.3.weight, 1.5622356, -1.8898377, c16f978a",
        "mematte_tiny:+1, decoder.matting_head.matting_convs.3.bias, -0.0052446006, -0.0052446006, 430e7e38",
        "mematte_tiny:01, backbone.blocks.2.residual.norm1.bias, 0.074918196, -0.026369, 4c7e15d7",
        "mematte_tiny:1, backbone.blocks.2.efficient_block.eca.conv.weight, 0.057240557, -0.47349006, 25cb798b",
        "mematte_s:4, backbone.patch_embed.proj.weight, 0.023693927, -0.036775228, 8f67d188",
        "mematte_s:4, backbone.blocks.11.mlp.fc1.weight, -0.05919588, -0.0021454222, fbc13a59",
        "mematte_s:4, decoder.fusion_blks.0.conv.conv.weight, -0.01483522, -0.012114449, 0f8a6235",
        "vitmatte_b:-9, backbone.blocks.2.attn.rel_pos_w, 0.1609766, -0.06333146, 7234c3f5",
        "vitmatte_b:-9, backbone.blocks.11.attn.qkv.weight, -0.009891376, 0.05399961, 78cc0a63",
        "pam, alpha.weight, 0.08123641, 0.05322443, 6876c816",
        "pam, alpha.bias, 0.5, 0.5, 9722f221",
        "pam:1, cost_embedding.weight, -0.29399133, 0.035287593, 2eafa27a",
        "pam:1, encoder.sixteenth.segments.2.layers.1.expand.weight, 0.08324444, -0.106003046, 7ad71893",
        "pam:1, encoder.quarter.segments.0.layers.0.norm.weight, 1.0650978, 0.90497375, 9a8517dc",
        "pam:1, encoder.quarter.norm.bias, 0.09492087, -0.037127517, cdcf2cbb"
    })
    void seededWeightsAreTheReferences(String name, String tensor, float first, float last, String checksum) {
        try (ModelSource source = ModelSource.open("seeded:" + name)) {
            int elements = (int) source.checkpoint().tensors().get(tensor).elements();
            ByteBuffer bytes = ByteBuffer.allocate(elements * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            FloatBuffer values = bytes.asFloatBuffer();
            source.checkpoint().read(tensor, values);
            assertFalse(values.hasRemaining());
            assertEquals(first, values.get(0));
            assertEquals(last, values.get(elements - 1));
            CRC32 crc = new CRC32();
            crc.update(bytes);
            assertEquals(checksum, String.format("%08x", crc.getValue()));
        }
    }

    @Test
    void seededSourcesAreTheAuthors() {
        try (ModelSource source = ModelSource.open("seeded:vitmatte_tiny:7")) {
            assertEquals(Architecture.named("vitmatte_tiny"), source.architecture());
            assertEquals("seeded:vitmatte_tiny:7", source.checkpoint().description());
            assertEquals(Origin.AUTHORS, source.origin());
            assertArrayEquals(new float[] {123.675f / 255, 116.28f / 255, 103.53f / 255}, source.mean());
            assertArrayEquals(new float[] {58.395f / 255, 57.12f / 255, 57.375f / 255}, source.std());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"seeded:", "seeded:mematte_xl", "seeded:mematte_xl:3", "seeded:a:b", "seeded:mematte_s:1.5"})
    void wrongSeededSourcesAreExplained(String spec) {
        String message = refused(spec);
        assertTrue(message.contains(spec), message);
        assertTrue(message.contains("mematte_s"), message);
    }

    /** A model in the box lies on the class path, where the test puts one for a while. */
    @Test
    void modelsInTheBoxAreResources() throws Exception {
        Path models = Path.of(ModelSourceTest.class.getResource("/").toURI()).resolve("org/jmatte/models");
        Files.createDirectories(models);
        Path file = models.resolve("model_source_test.safetensors");
        try (ModelSource seeded = ModelSource.open("seeded:mematte_tiny")) {
            CheckpointWriter.safetensors(seeded.checkpoint(), file);
            try (ModelSource boxed = ModelSource.open("box:model_source_test")) {
                assertEquals("box:model_source_test", boxed.checkpoint().description());
                assertSame(seeded, boxed, Origin.AUTHORS);
            }
        } finally {
            Files.deleteIfExists(file);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"box:", "box:nothing", "box:../../../secret", "box:NAME"})
    void missingModelsInTheBoxAreExplained(String spec) {
        String message = refused(spec);
        assertTrue(message.contains(spec), message);
        assertTrue(message.contains("class path"), message);
    }

    /** Every kind of file gives the same tensors back, under the authors' names. */
    @ParameterizedTest
    @ValueSource(strings = {"mematte_tiny", "vitmatte_tiny"})
    void filesGiveTheSeededTensors(String name) {
        try (ModelSource seeded = ModelSource.open("seeded:" + name)) {
            Checkpoint weights = seeded.checkpoint();
            Path file = folder.resolve("weights");
            CheckpointWriter.pytorch(weights, file, false);
            assertSame(seeded, file, Origin.AUTHORS);
            CheckpointWriter.pytorch(weights, file, true);
            assertSame(seeded, file, Origin.AUTHORS);
            CheckpointWriter.pytorch(renamed(weights, tensor -> "module." + tensor), file, false);
            assertSame(seeded, file, Origin.AUTHORS);
            CheckpointWriter.safetensors(weights, file);
            assertSame(seeded, file, Origin.AUTHORS);
            CheckpointWriter.safetensors(renamed(weights, ModelCheckpoint::huggingFaceName), file);
            assertSame(seeded, file, Origin.HUGGINGFACE);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "backbone.pos_embed, backbone.embeddings.position_embeddings",
        "backbone.patch_embed.proj.weight, backbone.embeddings.projection.weight",
        "backbone.blocks.11.attn.rel_pos_h, backbone.encoder.layer.11.attention.rel_pos_h",
        "backbone.blocks.3.attn.proj.bias, backbone.encoder.layer.3.attention.proj.bias",
        "backbone.blocks.2.residual.norm1.bias, backbone.encoder.layer.2.residual.norm1.bias",
        "decoder.convstream.convs.0.bn.running_var, decoder.convstream.convs.0.batch_norm.running_var",
        "decoder.fusion_blks.1.conv.bn.weight, decoder.fusion_blocks.1.conv.batch_norm.weight",
        "decoder.matting_head.matting_convs.1.bias, decoder.matting_head.matting_convs.1.bias"
    })
    void huggingFaceNamesFollowTheTable(String here, String there) {
        assertEquals(there, ModelCheckpoint.huggingFaceName(here));
    }

    @Test
    void huggingFaceDirectoriesOpen() throws IOException {
        try (ModelSource seeded = ModelSource.open("seeded:vitmatte_tiny")) {
            Checkpoint weights = renamed(seeded.checkpoint(), ModelCheckpoint::huggingFaceName);
            CheckpointWriter.pytorch(weights, folder.resolve("pytorch_model.bin"), false);
            assertSame(seeded, folder, Origin.HUGGINGFACE);
            CheckpointWriter.safetensors(weights, folder.resolve("model.safetensors"));
            assertSame(seeded, folder, Origin.HUGGINGFACE);
        }
        try (ModelSource source = ModelSource.open(folder.toString())) {
            assertArrayEquals(HALF, source.mean());
            assertArrayEquals(HALF, source.std());
        }
        Path config = folder.resolve("preprocessor_config.json");
        Files.writeString(config, "{\"image_mean\": [0.1, 0.2, 0.3], \"image_std\": [1, 2, 4.5], \"do_pad\": true}");
        try (ModelSource source = ModelSource.open(folder.toString())) {
            assertArrayEquals(new float[] {0.1f, 0.2f, 0.3f}, source.mean());
            assertArrayEquals(new float[] {1, 2, 4.5f}, source.std());
        }
        for (String wrong : List.of(
                "",
                "no JSON",
                "[]",
                "{}",
                "{\"image_mean\": [0.1, 0.2, 0.3], \"image_std\": [1, 2]}",
                "{\"image_mean\": [0.1, 0.2, 0.3], \"image_std\": [1, 2, 0]}",
                "{\"image_mean\": [0.1, 0.2, 1e999], \"image_std\": [1, 2, 3]}",
                "{\"image_mean\": [0.1, 0.2, \"3\"], \"image_std\": [1, 2, 3]}",
                " ".repeat(1 << 21))) {
            Files.writeString(config, wrong);
            assertTrue(refused(folder.toString()).contains("preprocessor_config.json: expected"));
        }
    }

    @Test
    void whatInferenceDoesNotNeedIsIgnored() {
        try (ModelSource seeded = ModelSource.open("seeded:mematte_tiny")) {
            Checkpoint weights = seeded.checkpoint();
            Map<String, String> additions = Map.of(
                    "backbone.blocks.0.norm1.bias", "teacher_backbone.blocks.0.norm1.bias",
                    "decoder.convstream.convs.0.bn.bias", "decoder.convstream.convs.0.bn.num_batches_tracked");
            String header = header(weights, additions);
            try (Checkpoint file = Fixtures.open(Fixtures.safetensors(header, bytes(header)))) {
                assertEquals(weights.tensors().size() + 2, file.tensors().size());
                ModelCheckpoint model = new ModelCheckpoint(file);
                assertEquals(weights.tensors().keySet(), model.tensors().keySet());
            }
        }
    }

    @Test
    void allThatIsWrongIsInOneMessage() {
        try (ModelSource seeded = ModelSource.open("seeded:mematte_tiny")) {
            UnaryOperator<String> rename = name -> switch (name) {
                case "backbone.pos_embed" -> null;
                case "backbone.blocks.0.norm1.bias" -> "backbone.blocks.0.norm9.bias";
                default -> name.startsWith("decoder.") ? null : name;
            };
            Map<String, long[]> shapes = Map.of("backbone.blocks.1.attn.qkv.weight", new long[] {128, 384});
            Path file = folder.resolve("wrong.pth");
            CheckpointWriter.pytorch(Fixtures.renamed(seeded.checkpoint(), rename, shapes), file, false);
            String message = refused(file.toString());
            assertTrue(message.contains("wrong.pth: expected the 310 tensors of mematte_tiny"), message);
            assertTrue(message.contains(" missing: backbone.pos_embed [1, 197, 128]"), message);
            assertTrue(message.contains(" and 35 more"), message);
            assertTrue(message.contains("1 wrong: backbone.blocks.1.attn.qkv.weight [128, 384] instead of [384, 128]"));
            assertTrue(message.contains("1 unexpected: backbone.blocks.0.norm9.bias"), message);
        }
    }

    @Test
    void pamFilesGiveTheSeededTensors() throws IOException {
        Files.writeString(
                folder.resolve("preprocessor_config.json"), "{\"image_mean\": [0, 0, 0], \"image_std\": [1, 1, 1]}");
        try (ModelSource seeded = ModelSource.open("seeded:pam:5")) {
            Checkpoint weights = seeded.checkpoint();
            Path file = folder.resolve("weights");
            CheckpointWriter.pytorch(renamed(weights, tensor -> "module." + tensor), file, true);
            assertSame(seeded, file, Origin.AUTHORS);
            CheckpointWriter.safetensors(weights, file);
            assertSame(seeded, file, Origin.AUTHORS);
            try (ModelSource source = ModelSource.open(file.toString())) {
                // The normalisation is part of the network: no file beside it changes that.
                assertArrayEquals(seeded.mean(), source.mean());
                assertArrayEquals(seeded.std(), source.std());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"F16", "BF16"})
    void pamFilesMayHoldHalves(String type) {
        try (ModelSource seeded = ModelSource.open("seeded:pam")) {
            String header = header(seeded.checkpoint(), Map.of()).replace("F16", type);
            try (Checkpoint file = Fixtures.open(Fixtures.safetensors(header, bytes(header)))) {
                assertEquals(Architecture.named("pam"), new ModelCheckpoint(file).architecture());
            }
        }
    }

    @Test
    void pamFilesLackNothing() {
        try (ModelSource seeded = ModelSource.open("seeded:pam")) {
            for (String missing : List.of("cost_embedding.weight", "encoder.eighth.segments.1.connect.second.bias")) {
                Path file = folder.resolve("wrong.safetensors");
                UnaryOperator<String> rename = name -> name.equals(missing) ? null : name;
                Map<String, long[]> shapes = Map.of("pyramid.2.fuse.weight", new long[] {640, 320, 1, 1});
                CheckpointWriter.safetensors(Fixtures.renamed(seeded.checkpoint(), rename, shapes), file);
                String message = refused(file.toString());
                assertTrue(message.contains("wrong.safetensors: expected the 467 tensors of pam"), message);
                assertTrue(message.contains("1 missing: " + missing), message);
                assertTrue(
                        message.contains("1 wrong: pyramid.2.fuse.weight [640, 320, 1, 1] instead of [320, 640, 1, 1]"),
                        message);
            }
        }
    }

    /** Tables of ViTMatte's global blocks follow the training grid; no other table may. */
    @ParameterizedTest
    @CsvSource({
        "vitmatte_tiny, 2, 127, true",
        "vitmatte_tiny, 2, 1, true",
        "vitmatte_tiny, 2, 64, false",
        "vitmatte_tiny, 1, 63, false",
        "mematte_tiny, 1, 63, false"
    })
    void globalTablesMayHaveAnyOddLength(String name, int block, int length, boolean accepted) {
        String table = "backbone.blocks." + block + ".attn.rel_pos_w";
        Map<String, long[]> shapes = Map.of(table, new long[] {length, 64});
        try (ModelSource seeded = ModelSource.open("seeded:" + name)) {
            Checkpoint other = Fixtures.renamed(seeded.checkpoint(), UnaryOperator.identity(), shapes);
            if (accepted) {
                assertEquals(
                        length, new ModelCheckpoint(other).tensors().get(table).shape()[0]);
            } else {
                assertTrue(assertThrows(CheckpointException.class, () -> new ModelCheckpoint(other))
                        .getMessage()
                        .contains("1 wrong: " + table));
            }
        }
    }

    @Test
    void otherFilesAreExplained() throws IOException {
        assertTrue(refused(folder.resolve("none.pth").toString())
                .contains("none.pth: expected a checkpoint file, found nothing"));
        assertTrue(refused(folder.toString()).contains("found an empty directory"));
        Path file = folder.resolve("file");
        Files.write(file, new byte[0]);
        assertTrue(refused(file.toString()).contains("an empty file"));
        assertTrue(refused(folder.toString()).contains("model.safetensors or pytorch_model.bin, found file"));
        Files.writeString(file, "version https://git-lfs.github.com/spec/v1\n");
        assertTrue(refused(file.toString()).contains("git lfs pull"));
        Files.write(file, new byte[] {1, 2, 3});
        assertTrue(refused(file.toString()).contains("a file of 3 bytes that starts with '???'"));
        assertTrue(refused(Fixtures.path("state_dict.pth").toString()).contains("14 other tensors: f32, f16"));
        assertTrue(refused("nul\0").contains("expected a path"));
    }

    @Test
    void closedFilesDoNotRead() {
        Checkpoint checkpoint = Checkpoint.open(Fixtures.path("state_dict.pth"));
        FloatBuffer room = FloatBuffer.allocate(30);
        checkpoint.read("f32", room);
        assertEquals(24, room.position());
        assertThrows(IllegalArgumentException.class, () -> checkpoint.read("f32", room));
        assertThrows(IllegalArgumentException.class, () -> checkpoint.read("none", FloatBuffer.allocate(30)));
        checkpoint.close();
        checkpoint.close();
        assertThrows(IllegalStateException.class, () -> checkpoint.read("f32", room.clear()));
    }

    @Test
    void nothingStaysMapped() throws IOException {
        Path maps = Path.of("/proc/self/maps");
        assumeTrue(Files.exists(maps), "only Linux lists a process's mappings");
        Path file = Files.copy(Fixtures.path("state_dict.pth"), folder.resolve("mapped.pth"));
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            Fixtures.read(checkpoint, "f32");
            assertFalse(Files.readString(maps).contains(file.toString()));
        }
    }

    @Test
    void manyThreadsRead() {
        Path file = folder.resolve("shared.pth");
        try (ModelSource seeded = ModelSource.open("seeded:mematte_tiny")) {
            CheckpointWriter.pytorch(seeded.checkpoint(), file, false);
            try (ModelSource source = ModelSource.open(file.toString())) {
                seeded.checkpoint().tensors().keySet().parallelStream()
                        .forEach(name -> assertArrayEquals(
                                Fixtures.read(seeded.checkpoint(), name), Fixtures.read(source.checkpoint(), name)));
            }
        }
    }

    /** The file is sparse: it takes no space, and only the last tensor is read. */
    @Test
    void tensorsBehindTwoGigabytesRead() throws IOException {
        long half = Integer.MAX_VALUE;
        String header = String.format(
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[%1$d],\"data_offsets\":[0,%1$d]},"
                        + "\"b\":{\"dtype\":\"U8\",\"shape\":[%1$d],\"data_offsets\":[%1$d,%2$d]},"
                        + "\"c\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[%2$d,%3$d]}}",
                half, 2 * half, 2 * half + 8);
        byte[] start = Fixtures.safetensors(header, 0);
        Path file = folder.resolve("large.safetensors");
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.write(start);
            out.seek(start.length + 2 * half);
            out.writeInt(Integer.reverseBytes(Float.floatToIntBits(1.5f)));
            out.writeInt(Integer.reverseBytes(Float.floatToIntBits(-2)));
        }
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            assertArrayEquals(new float[] {1.5f, -2}, Fixtures.read(checkpoint, "c"));
        }
    }

    private static void assertSame(ModelSource expected, Path file, Origin origin) {
        try (ModelSource source = ModelSource.open(file.toString())) {
            assertSame(expected, source, origin);
        }
    }

    private static void assertSame(ModelSource expected, ModelSource source, Origin origin) {
        assertEquals(expected.architecture(), source.architecture());
        assertEquals(origin, source.origin());
        assertEquals(
                List.copyOf(expected.checkpoint().tensors().keySet()),
                List.copyOf(source.checkpoint().tensors().keySet()));
        for (String name : source.checkpoint().tensors().keySet()) {
            assertArrayEquals(
                    Fixtures.read(expected.checkpoint(), name), Fixtures.read(source.checkpoint(), name), name);
        }
    }

    private static Checkpoint renamed(Checkpoint checkpoint, UnaryOperator<String> rename) {
        return Fixtures.renamed(checkpoint, rename, Map.of());
    }

    /** A safetensors header with every tensor of {@code weights}, as halves, and some of them again by other names. */
    private static String header(Checkpoint weights, Map<String, String> additions) {
        StringBuilder header = new StringBuilder("{");
        long at = 0;
        for (TensorInfo info : weights.tensors().values()) {
            for (String name : new String[] {info.name(), additions.get(info.name())}) {
                if (name != null) {
                    long end = at + 2 * info.elements();
                    header.append(at == 0 ? "" : ",")
                            .append(String.format(
                                    "\"%s\":{\"dtype\":\"F16\",\"shape\":%s,\"data_offsets\":[%d,%d]}",
                                    name, Arrays.toString(info.shape()), at, end));
                    at = end;
                }
            }
        }
        return header.append('}').toString();
    }

    private static int bytes(String header) {
        return Integer.parseInt(header.substring(header.lastIndexOf(',') + 1, header.lastIndexOf(']')));
    }

    private static String refused(String spec) {
        InvalidInputException e = assertThrows(CheckpointException.class, () -> ModelSource.open(spec));
        return e.getMessage();
    }
}
