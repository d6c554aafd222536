package org.jmatte.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PyTorchTest {
    private static final List<String> NAMES = List.of(
            "f32",
            "f16",
            "bf16",
            "f64",
            "i64",
            "u8",
            "boolean",
            "scalar",
            "empty",
            "transposed",
            "row",
            "shared_a",
            "shared_b",
            "parameter");

    private static final String NO_STORAGES = "\u0080\2].";

    @TempDir
    Path folder;

    /** All types, views, shared storages, an empty tensor and a scalar, as PyTorch wrote them. */
    @ParameterizedTest
    @ValueSource(strings = {"state_dict.pth", "wrapped.pth", "legacy.pth"})
    void filesOfPyTorchRead(String name) {
        try (Checkpoint checkpoint = Checkpoint.open(Fixtures.path(name))) {
            assertEquals(NAMES, List.copyOf(checkpoint.tensors().keySet()));
            float[] counting = count(24, 0);
            check(checkpoint, "f32", ElementType.F32, counting, 4, 6);
            check(checkpoint, "f16", ElementType.F16, counting, 4, 6);
            check(checkpoint, "bf16", ElementType.BF16, counting, 4, 6);
            check(checkpoint, "f64", ElementType.F64, counting, 4, 6);
            check(checkpoint, "i64", ElementType.I64, counting, 4, 6);
            check(checkpoint, "u8", ElementType.U8, counting, 4, 6);
            float[] above3 = count(24, 0);
            for (int i = 0; i < 24; i++) {
                above3[i] = i > 3 ? 1 : 0;
            }
            check(checkpoint, "boolean", ElementType.BOOL, above3, 4, 6);
            check(checkpoint, "scalar", ElementType.F32, new float[] {2.5f});
            check(checkpoint, "empty", ElementType.F32, new float[0], 0, 3);
            float[] transposed = new float[24];
            for (int i = 0; i < 24; i++) {
                transposed[i] = i % 4 * 6 + i / 4;
            }
            check(checkpoint, "transposed", ElementType.F32, transposed, 6, 4);
            check(checkpoint, "row", ElementType.F32, new float[] {8, 9, 10, 14, 15, 16}, 2, 3);
            check(checkpoint, "shared_a", ElementType.F32, count(12, 0), 2, 6);
            check(checkpoint, "shared_b", ElementType.F32, count(12, 12), 2, 6);
            check(checkpoint, "parameter", ElementType.F32, counting, 4, 6);
        }
    }

    @Test
    void codeInAPickleIsNamedAndNotRun() throws IOException {
        Path file = Files.copy(Fixtures.path("malicious.pth"), folder.resolve("malicious.pth"));
        String message = refused(Files.readAllBytes(file));
        assertTrue(message.contains("posix.system"), message);
        assertTrue(message.contains("torch.save"), message);
        assertThrows(CheckpointException.class, () -> Checkpoint.open(file));
        assertFalse(Files.exists(Path.of("pwned")));
        assertFalse(Files.exists(folder.resolve("pwned")));
    }

    @Test
    void truncatedFileIsRefused() {
        String message = assertThrows(CheckpointException.class, () -> Checkpoint.open(Fixtures.path("truncated.pth")))
                .getMessage();
        assertTrue(message.contains("truncated.pth: expected a zip directory"), message);
        assertTrue(message.contains("download it again"), message);
    }

    @Test
    void everyTruncationIsRefused() {
        for (String name : List.of("state_dict.pth", "legacy.pth")) {
            byte[] whole = Fixtures.bytes(name);
            for (int length = 0; length < whole.length; length++) {
                refused(Arrays.copyOf(whole, length));
            }
        }
    }

    @Test
    void storageShorterThanItsTensorIsRefused() {
        String message = assertThrows(
                        CheckpointException.class, () -> Checkpoint.open(Fixtures.path("short_storage.pth")))
                .getMessage();
        assertTrue(message.contains("storage 0 of tensor f32 with 96 bytes, found 8 bytes"), message);
    }

    /** Views may share and repeat elements, but not leave their storage of 24. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "1, 4 6, 6 1",
                "-1, 4 6, 6 1",
                "0, 4 7, 6 1",
                "0, 4 6, -6 1",
                "0, -4 6, 6 1",
                "0, 4 6, 6",
                "0, 2147483647 2147483647 4, 1 1 1",
                "0, 65536 65536, 0 0",
                "0, 1 1, 2147483647 2147483647"
            })
    void viewsOutsideTheirStorageAreRefused(String view) {
        String[] parts = view.split(", ");
        String pickle = legacy(tensor(Integer.parseInt(parts[0]), ints(parts[1]), ints(parts[2])));
        if (view.endsWith("2147483647 2147483647")) {
            Fixtures.open(latin1(pickle)).close(); // one element: the strides are moot
            return;
        }
        String message = refused(latin1(pickle));
        assertTrue(message.contains("tensor t to lie within its storage of 24 elements"), message);
    }

    @Test
    void expandedTensorsRead() {
        byte[] file = latin1(legacy(tensor(2, new int[] {3, 2}, new int[] {0, 1})));
        try (Checkpoint checkpoint = Fixtures.open(file)) {
            assertArrayEquals(new float[] {2, 3, 2, 3, 2, 3}, Fixtures.read(checkpoint, "t"));
        }
    }

    static List<Arguments> hostilePickles() {
        return List.of(
                arguments("(".repeat(1_000_001), "pickle steps"), // marks
                arguments("]".repeat(1_000_001), "pickle steps"), // lists
                arguments("]q\0" + "h\0a".repeat(600_000), "pickle steps"), // a list within itself
                arguments("X\377\377\377\377", "cut short"), // strings of 2^32 - 1 bytes
                arguments("T\377\377\377\377", "cut short"),
                arguments("B\377\377\377\377", "cut short"),
                arguments("\u008A\377" + "1".repeat(200), "cut short"), // an integer of 255 bytes
                arguments("\u008B\377\377\377\177", "operation 0x8B"), // an integer of 2^31 bytes
                arguments("c" + "a".repeat(1_000), "a longer text"),
                arguments("h\7", "a remembered pickle value 7"),
                arguments("j\377\377\377\377", "a remembered pickle value -1"),
                arguments("R", "a value on the pickle's stack"),
                arguments("", "a value on the pickle's stack"),
                arguments("t", "a mark on the pickle's stack"),
                arguments("K\1]R", "a pickled Constructor, found Long"),
                arguments("]K\1R", "a pickled List, found Long"),
                arguments("K\1)R", "a pickled Constructor, found Long"),
                arguments("N)R", "a pickled Constructor, found 'None'"),
                arguments("K\1K\2a", "a pickled ArrayList, found Long"),
                arguments("ctorch._utils\n_rebuild_tensor_v2\n)R", "argument 0, found only 0"),
                arguments("cbuiltins\neval\n", "the object builtins.eval"),
                arguments("cnumpy.core.multiarray\nscalar\n", "the object numpy.core.multiarray.scalar"),
                arguments("\u008C\2os\u008C\6system\u0093", "the object os.system"),
                arguments("(cos\nsystem\no", "the object os.system"),
                arguments("(ios\nsystem\n", "operation 0x69"),
                arguments("ccollections\nOrderedDict\n)\u0081", "operation 0x81"),
                arguments("U\1a\u0085Q", "a pickled reference to a storage, found 'a'"),
                arguments("P1\n", "operation 0x50"),
                arguments("\u0082\1", "operation 0x82"));
    }

    @ParameterizedTest(name = "{index}: {1}") // the pickles are long and no text
    @MethodSource("hostilePickles")
    void picklesThatAskForMoreThanTensorsAreRefused(String pickle, String reason) {
        String message = refused(latin1(legacyOf("\u0080\2" + pickle)));
        assertTrue(message.contains(reason), message);
    }

    /** What state_dict() attaches, byte strings, sets, sizes, devices and types stand beside tensors in the wild. */
    @Test
    void trainerStateOfAllowedKindsIsPassedOver() {
        String state = "}(X\5\0\0\0model" + tensor(0, new int[] {24}, new int[] {1})
                + "}X\11\0\0\0_metadata}sb" // BUILD
                + "K\1K\2U\1aU\1b" // keys that are no strings
                + "X\1\0\0\0sctorch\nSize\n(K\1K\2t\u0085R"
                + "X\1\0\0\0dctorch\ndevice\nU\3cpu\u0085R"
                + "X\1\0\0\0tctorch\nfloat32\n"
                + "X\1\0\0\0bc_codecs\nencode\nU\2abU\6latin1\u0086R"
                + "X\1\0\0\0vc__builtin__\nset\n]\u0085R"
                + "X\1\0\0\0fG\77\360\0\0\0\0\0\0"
                + "X\1\0\0\0l\u008A\11\1\2\3\4\5\6\7\10\11"
                + "X\1\0\0\0n(K\1NM\1\1J\1\1\1\1\u0088\u0089)]C\1at"
                + "u";
        try (Checkpoint checkpoint = Fixtures.open(latin1(legacy(state)))) {
            assertEquals(List.of("t"), List.copyOf(checkpoint.tensors().keySet()));
        }
    }

    @Test
    void dictionariesWithoutTensorsAreRefused() {
        for (String pickle : List.of("}", "]", "}(X\5\0\0\0model}u", "K\1")) {
            String message = refused(latin1(legacyOf(pickle) + NO_STORAGES));
            assertTrue(message.contains("torch.save(model.state_dict(), path)"), message);
        }
    }

    @Test
    void compressedArchivesAreRefusedWithTheWayOut() throws IOException {
        String message = refused(zip(ZipEntry.DEFLATED, Map.of("archive/data.pkl", new byte[100])));
        assertTrue(message.contains("compressed (method 8)"), message);
        assertTrue(message.contains("without compression"), message);
    }

    @Test
    void archivesSayTheirByteOrder() throws IOException {
        ByteBuffer floats = ByteBuffer.allocate(24 * Float.BYTES);
        for (int i = 0; i < 24; i++) {
            floats.putFloat(i);
        }
        byte[] pickle = latin1("\u0080\2" + tensor(20, new int[] {4}, new int[] {1}) + ".");
        Map<String, byte[]> entries =
                new HashMap<>(Map.of("a/data.pkl", pickle, "a/data/k", floats.array(), "a/byteorder", latin1("big")));
        try (Checkpoint checkpoint = Fixtures.open(zip(ZipEntry.STORED, entries))) {
            assertArrayEquals(count(4, 20), Fixtures.read(checkpoint, "t"));
        }
        entries.put("a/byteorder", latin1("middle"));
        assertTrue(refused(zip(ZipEntry.STORED, entries)).contains("byte order little or big"));
        entries.remove("a/byteorder");
        floats.order(ByteOrder.LITTLE_ENDIAN).putFloat(20 * Float.BYTES, 7);
        try (Checkpoint checkpoint = Fixtures.open(zip(ZipEntry.STORED, entries))) {
            assertEquals(7, Fixtures.read(checkpoint, "t")[0]);
        }
        entries.put("b/data.pkl", pickle);
        assertTrue(refused(zip(ZipEntry.STORED, entries)).contains("one data.pkl, found 2"));
    }

    private static byte[] zip(int method, Map<String, byte[]> entries) throws IOException {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(file)) {
            for (Map.Entry<String, byte[]> content : entries.entrySet()) {
                ZipEntry entry = new ZipEntry(content.getKey());
                entry.setMethod(method);
                CRC32 crc = new CRC32();
                crc.update(content.getValue());
                entry.setCrc(crc.getValue());
                entry.setSize(content.getValue().length);
                zip.putNextEntry(entry);
                zip.write(content.getValue());
            }
        }
        return file.toByteArray();
    }

    @Test
    void writtenArchivesReadBack() {
        Path plain = folder.resolve("plain.pth");
        Path wrapped = folder.resolve("wrapped.bin");
        Path safetensors = folder.resolve("named.pth"); // the content decides, not the name
        try (Checkpoint original = Checkpoint.open(Fixtures.path("state_dict.pth"))) {
            CheckpointWriter.pytorch(original, plain, false);
            CheckpointWriter.pytorch(original, wrapped, true);
            CheckpointWriter.safetensors(original, safetensors);
            for (Path file : List.of(plain, wrapped, safetensors)) {
                try (Checkpoint copy = Checkpoint.open(file)) {
                    assertEquals(NAMES, List.copyOf(copy.tensors().keySet()));
                    for (String name : NAMES) {
                        assertArrayEquals(Fixtures.read(original, name), Fixtures.read(copy, name), name);
                        assertArrayEquals(
                                original.tensors().get(name).shape(),
                                copy.tensors().get(name).shape());
                    }
                }
            }
        }
    }

    private static void check(Checkpoint checkpoint, String name, ElementType type, float[] values, long... shape) {
        TensorInfo info = checkpoint.tensors().get(name);
        assertEquals(type, info.type(), name);
        assertArrayEquals(shape, info.shape(), name);
        assertArrayEquals(values, Fixtures.read(checkpoint, name), name);
    }

    private static float[] count(int length, int from) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = from + i;
        }
        return values;
    }

    private static String refused(byte[] file) {
        return assertThrows(CheckpointException.class, () -> Fixtures.open(file))
                .getMessage();
    }

    private static byte[] latin1(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static int[] ints(String text) {
        return Arrays.stream(text.split(" ")).mapToInt(Integer::parseInt).toArray();
    }

    /** A pickled dictionary {"t": a view of a storage with the floats 0 to 23}. */
    private static String tensor(int offset, int[] shape, int[] strides) {
        return "}X\1\0\0\0tctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\nFloatStorage\nU\1kU\3cpuK\30NtQ"
                + integer(offset) + tuple(shape) + tuple(strides) + "\u0089}tRs";
    }

    private static String tuple(int[] values) {
        return "("
                + String.join(
                        "", IntStream.of(values).mapToObj(PyTorchTest::integer).toList()) + "t";
    }

    private static String integer(int value) {
        return "J" + (char) (value & 255) + (char) (value >> 8 & 255) + (char) (value >> 16 & 255)
                + (char) (value >>> 24);
    }

    /** A file of the older layout with this object and the storage k, one character per byte. */
    private static String legacy(String object) {
        StringBuilder data = new StringBuilder("\u0080\2]U\1ka.\30\0\0\0\0\0\0\0");
        for (int i = 0; i < 24; i++) {
            data.append(integer(Float.floatToRawIntBits(i)).substring(1));
        }
        return legacyOf(object) + data;
    }

    private static String legacyOf(String object) {
        return PyTorchLegacy.MAGIC + ".\u0080\2M\u00E9\3.}." + object + ".";
    }
}
