package org.jmatte.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.jmatte.image.Alpha.Format;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class AlphaWriterTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(Format.class)
    void pngHoldsTheValues(Format format) throws IOException {
        Alpha alpha = ramp(format);
        Path file = folder.resolve("alpha.PNG");
        AlphaWriter.write(alpha, file);

        Raster raster = ImageIO.read(file.toFile()).getRaster();
        int top = format == Format.U8 ? 255 : 65535;
        assertEquals(1, raster.getNumBands());
        assertEquals(format == Format.U8 ? 8 : 16, raster.getSampleModel().getSampleSize(0));
        for (int x = 0; x < 5; x++) {
            assertEquals(Math.round(alpha.get(1, x) * top), raster.getSample(x, 1, 0));
        }
        assertEquals(List.of("alpha.PNG"), names());
    }

    @ParameterizedTest
    @EnumSource(Format.class)
    void npyHoldsFloats(Format format) throws IOException {
        Alpha alpha = ramp(format);
        Path file = folder.resolve("alpha.npy");
        AlphaWriter.write(alpha, file);

        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] magic = new byte[8];
        bytes.get(magic);
        assertArrayEquals(TestFiles.bytes(0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0), magic);
        byte[] header = new byte[bytes.getShort()];
        bytes.get(header);
        assertEquals(0, bytes.position() % 64);
        String text = new String(header, StandardCharsets.US_ASCII);
        assertEquals("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 5), }", text.strip());
        assertTrue(text.endsWith("\n"));
        for (int i = 0; i < 10; i++) {
            assertEquals(alpha.get(i / 5, i % 5), bytes.getFloat());
        }
        assertEquals(0, bytes.remaining());
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "npy"})
    void theSameAlphaGivesTheSameBytes(String extension) throws IOException {
        AlphaWriter.write(ramp(Format.F32), folder.resolve("a." + extension));
        AlphaWriter.write(ramp(Format.F32), folder.resolve("b." + extension));

        assertEquals(-1, Files.mismatch(folder.resolve("a." + extension), folder.resolve("b." + extension)));
    }

    @Test
    void anExistingFileIsReplacedWhole() throws IOException {
        Path file = Files.write(folder.resolve("alpha.npy"), new byte[100000]);
        AlphaWriter.write(ramp(Format.U8), file);

        assertEquals(128 + 40, Files.size(file));
        assertEquals(List.of("alpha.npy"), names());
    }

    @Test
    void checkRefusesBeforeTheWork() throws IOException {
        Path there = Files.write(folder.resolve("there.png"), new byte[] {1});
        Path inFolder = Files.createDirectory(folder.resolve("folder.png"));
        assertDoesNotThrow(() -> AlphaWriter.check(folder.resolve("new.npy"), false));
        assertDoesNotThrow(() -> AlphaWriter.check(there, true));
        assertDoesNotThrow(() -> AlphaWriter.check(Path.of("bare-name.png"), false));

        assertRefused(there, false, "exists already");
        assertRefused(folder.resolve("alpha.jpg"), true, "use .png or .npy");
        assertRefused(folder.resolve("alpha"), true, "use .png or .npy");
        assertRefused(inFolder, true, "this is a folder");
        assertRefused(folder.resolve("none/alpha.png"), true, "none does not exist; create the folder first");
        assertRefused(there.resolve("alpha.png"), true, "there.png is not a folder");
        assertTrue(assertThrows(ImageException.class, () -> PngWriter.check(folder.resolve("a.npy"), true))
                .getMessage()
                .endsWith("use .png"));
    }

    @Test
    void aRefusedWriteLeavesNothing() throws IOException {
        Path there = Files.write(folder.resolve("there.png"), new byte[] {1});

        assertThrows(ImageException.class, () -> AlphaWriter.write(ramp(Format.U8), there.resolve("alpha.png")));
        assertThrows(ImageException.class, () -> AlphaWriter.write(ramp(Format.U8), folder.resolve("no/alpha.npy")));
        assertEquals(List.of("there.png"), names());
    }

    @Test
    void aFailureHalfwayLeavesTheOldFile() throws IOException {
        Path file = Files.write(folder.resolve("alpha.png"), new byte[] {1, 2, 3});
        String message = assertThrows(
                        ImageException.class,
                        () -> AtomicFile.write(file, temporary -> {
                            Files.write(temporary, new byte[1000]);
                            assertTrue(temporary.getFileName().toString().matches("\\..*\\.tmp"));
                            assertEquals(folder, temporary.getParent());
                            throw new IOException("No space left on device");
                        }))
                .getMessage();

        assertTrue(message.startsWith(file + ": could not be written"), message);
        assertTrue(message.contains("No space left on device"), message);
        assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(file));
        assertEquals(List.of("alpha.png"), names());

        assertThrows(
                IllegalStateException.class,
                () -> AtomicFile.write(file, temporary -> {
                    throw new IllegalStateException();
                }));
        assertEquals(List.of("alpha.png"), names());
    }

    @Test
    void aFailedRenameLeavesNothing() throws IOException {
        Path full = Files.createDirectories(folder.resolve("full.png/inside")).getParent();

        assertThrows(ImageException.class, () -> AtomicFile.write(full, file -> Files.write(file, new byte[1])));
        assertEquals(List.of("full.png"), names());
    }

    @Test
    void colourPngIsWrittenToo() throws IOException {
        BufferedImage image = new BufferedImage(3, 2, BufferedImage.TYPE_3BYTE_BGR);
        image.setRGB(2, 1, 0x123456);
        Path file = folder.resolve("overlay.png");
        PngWriter.write(image, file);

        assertEquals(0xFF123456, ImageIO.read(file.toFile()).getRGB(2, 1));
        assertEquals(List.of("overlay.png"), names());
    }

    private static Alpha ramp(Format format) {
        Alpha alpha = Alpha.allocate(2, 5, format);
        ByteBuffer values = alpha.values();
        for (int i = 0; i < 10; i++) {
            switch (format) {
                case U8 -> values.put((byte) (i * 28));
                case U16 -> values.putShort((short) (i * 7281));
                case F32 -> values.putFloat(i / 9f);
            }
        }
        return alpha;
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    private static void assertRefused(Path file, boolean overwrite, String part) {
        String message = assertThrows(ImageException.class, () -> AlphaWriter.check(file, overwrite))
                .getMessage();
        assertTrue(message.startsWith(file + ": ") && message.contains(part), message);
    }
}
