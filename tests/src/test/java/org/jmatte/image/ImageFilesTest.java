package org.jmatte.image;

import static org.jmatte.image.PhotoTest.assertNear;
import static org.jmatte.image.PhotoTest.pixel;
import static org.jmatte.image.TestFiles.bytes;
import static org.jmatte.image.TestFiles.chunk;
import static org.jmatte.image.TestFiles.png;
import static org.jmatte.image.TrimapTest.values;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import javax.imageio.ImageIO;
import org.jmatte.image.Trimap.Values;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFilesTest {
    @TempDir
    Path folder;

    @Test
    void theLemurIsRead() throws IOException {
        Path lemur = bundled("lemur.png");
        Path lemurTrimap = bundled("lemur_trimap.png");
        Photo photo = ImageFiles.photo(lemur);
        assertEquals("Photo[680x440, 8 bits]", photo.toString());
        assertArrayEquals(new int[] {18, 34, 6}, pixel(photo, 0, 0));
        assertArrayEquals(new int[] {177, 172, 138}, pixel(photo, 200, 300));

        Trimap raw = ImageFiles.trimap(lemurTrimap, Values.RAW);
        assertArrayEquals(
                new int[] {0, 102, 255},
                Arrays.stream(values(raw)).sorted().distinct().toArray());
        Trimap snapped = ImageFiles.trimap(lemurTrimap, Values.SNAP);
        assertEquals(raw.unknown(), snapped.unknown());
        snapped.requireSize(photo);
        assertArrayEquals(new int[] {440, 680}, ImageFiles.size(lemur));
    }

    /** A picture of the demo as a file. */
    private Path bundled(String name) throws IOException {
        Path file = folder.resolve(name);
        try (InputStream resource = ImageFilesTest.class.getResourceAsStream("/org/jmatte/cli/demo/" + name)) {
            Files.copy(resource, file);
        }
        return file;
    }

    @ParameterizedTest
    @CsvSource({
        "1,ABC/DEF",
        "2,CBA/FED",
        "3,FED/CBA",
        "4,DEF/ABC",
        "5,AD/BE/CF",
        "6,DA/EB/FC",
        "7,FC/EB/DA",
        "8,CF/BE/AD"
    })
    void everyOrientationOfAJpegIsApplied(int orientation, String seen) throws IOException {
        BufferedImage stored = new BufferedImage(48, 32, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 6; i++) {
            for (int p = 0; p < 256; p++) {
                stored.setRGB(i % 3 * 16 + p % 16, i / 3 * 16 + p / 16, 0x101010 * (2 * i + 1));
            }
        }
        Path file = write("turned.jpg", TestFiles.jpeg(stored, orientation));
        String[] rows = seen.split("/");

        Photo photo = ImageFiles.photo(file);
        Trimap trimap = ImageFiles.trimap(file, Values.RAW);
        assertArrayEquals(new int[] {photo.height(), photo.width()}, ImageFiles.size(file));
        trimap.requireSize(photo);
        assertEquals(rows.length * 16, photo.height());
        assertEquals(rows[0].length() * 16, photo.width());
        for (int r = 0; r < rows.length; r++) {
            for (int c = 0; c < rows[r].length(); c++) {
                int grey = 16 * (2 * (rows[r].charAt(c) - 'A') + 1);
                assertNear(new int[] {grey, grey, grey}, pixel(photo, r * 16 + 8, c * 16 + 8));
                assertEquals(grey, values(trimap)[(r * 16 + 8) * photo.width() + c * 16 + 8], 4);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"turned.webp", "turned.tif"})
    void orientationOfWebpAndTiffIsApplied(String name) {
        Photo photo = ImageFiles.photo(TestFiles.resource(name));

        assertEquals("Photo[16x24, 8 bits]", photo.toString());
        assertArrayEquals(new int[] {200, 40, 40}, pixel(photo, 4, 15));
        assertArrayEquals(new int[] {40, 200, 40}, pixel(photo, 12, 8));
        assertArrayEquals(new int[] {40, 40, 200}, pixel(photo, 20, 0));
    }

    @Test
    void orientationOfPngIsApplied() throws IOException {
        Path file = write("turned.png", png(1, 2, 8, TestFiles.GREY, bytes(10, 20), chunk("eXIf", TestFiles.exif(3))));

        assertArrayEquals(new int[] {20, 20, 20}, pixel(ImageFiles.photo(file), 0, 0));
        assertArrayEquals(new int[] {20, 10}, values(ImageFiles.trimap(file, Values.RAW)));
        assertEquals(20 / 255f, ImageFiles.alpha(file).get(0, 0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cmyk.jpg", "ycck.jpg", "cmyk.tif"})
    void cmykIsConverted(String name) {
        Photo photo = ImageFiles.photo(TestFiles.resource(name));

        assertNear(new int[] {200, 40, 40}, pixel(photo, 8, 4));
        assertNear(new int[] {40, 200, 40}, pixel(photo, 8, 12));
        assertNear(new int[] {40, 40, 200}, pixel(photo, 8, 20));
    }

    @Test
    void sixteenBitPngKeepsItsPrecision() throws IOException {
        byte[] row = bytes(0, 1, 0x12, 0x34, 0xFF, 0xFE, 0, 0, 0x80, 0, 0xFF, 0xFF);
        Photo photo = ImageFiles.photo(write("deep.png", png(1, 2, 16, TestFiles.RGB, row)));

        assertEquals(16, photo.bits());
        assertArrayEquals(new int[] {1, 0x1234, 0xFFFE}, pixel(photo, 0, 0));
        assertArrayEquals(new int[] {0, 0x8000, 0xFFFF}, pixel(photo, 0, 1));

        byte[] greys = bytes(0x12, 0x34, 0xFF, 0xFE);
        Alpha alpha = ImageFiles.alpha(write("deep_alpha.png", png(1, 2, 16, TestFiles.GREY, greys)));
        assertEquals(0x1234 / 65535f, alpha.get(0, 0));
        assertEquals(0xFFFE / 65535f, alpha.get(0, 1));
    }

    @Test
    void sixteenBitTiffKeepsItsPrecision() throws IOException {
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_GRAY);
        image.getRaster().setPixels(0, 0, 2, 1, new int[] {0x1234, 65535});
        ImageIO.write(image, "tiff", folder.resolve("deep.tif").toFile());
        Photo photo = ImageFiles.photo(folder.resolve("deep.tif"));

        assertEquals(16, photo.bits());
        assertArrayEquals(new int[] {0x1234, 0x1234, 0x1234}, pixel(photo, 0, 0));
        assertEquals(65535, pixel(photo, 0, 1)[0]);
    }

    @Test
    void greyOfAnyDepthIsReadAsStored() throws IOException {
        byte[] linear = chunk("gAMA", bytes(0, 1, 0x86, 0xA0));
        assertArrayEquals(new int[] {255, 0, 255, 255}, raw(png(1, 4, 1, TestFiles.GREY, bytes(0b10110000))));
        assertArrayEquals(new int[] {0, 85, 170, 255}, raw(png(1, 4, 2, TestFiles.GREY, bytes(0b00011011))));
        assertArrayEquals(new int[] {17, 136, 255}, raw(png(1, 3, 4, TestFiles.GREY, bytes(0x18, 0xF0))));
        assertArrayEquals(new int[] {1, 102, 128}, raw(png(1, 3, 8, TestFiles.GREY, bytes(1, 102, 128))));
        assertArrayEquals(new int[] {1, 102, 128}, raw(png(1, 3, 8, TestFiles.GREY, bytes(1, 102, 128), linear)));
        assertArrayEquals(new int[] {102, 255}, raw(png(1, 2, 16, TestFiles.GREY, bytes(102, 102, 255, 255))));
    }

    @Test
    void transparencyIsIgnored() throws IOException {
        byte[] key = chunk("tRNS", bytes(0, 102));
        byte[] colorKey = chunk("tRNS", bytes(0, 102, 0, 102, 0, 102));
        assertArrayEquals(new int[] {1, 102}, raw(png(1, 2, 8, TestFiles.GREY, bytes(1, 102), key)));
        assertArrayEquals(
                new int[] {85, 255}, raw(png(1, 2, 2, TestFiles.GREY, bytes(0b01110000), chunk("tRNS", bytes(0, 1)))));
        assertArrayEquals(new int[] {102}, raw(png(1, 1, 8, TestFiles.RGB, bytes(102, 102, 102), colorKey)));
        assertArrayEquals(new int[] {1, 102}, raw(png(1, 2, 8, TestFiles.GREY_ALPHA, bytes(1, 0, 102, 9))));
        assertArrayEquals(new int[] {102}, raw(png(1, 1, 8, TestFiles.RGBA, bytes(102, 102, 102, 0))));
        assertArrayEquals(new int[] {102}, raw(png(1, 1, 16, TestFiles.GREY_ALPHA, bytes(102, 102, 0, 1))));
    }

    @Test
    void palettesAreLookedUp() throws IOException {
        byte[] greys = chunk("PLTE", bytes(0, 0, 0, 255, 255, 255, 102, 102, 102));
        byte[] clear = chunk("tRNS", bytes(255, 255, 0));
        byte[] colors = chunk("PLTE", bytes(0, 0, 0, 200, 100, 50));
        assertArrayEquals(new int[] {102, 0, 255}, raw(png(1, 3, 8, TestFiles.PALETTE, bytes(2, 0, 1), greys)));
        assertArrayEquals(
                new int[] {102, 0, 255}, raw(png(1, 3, 2, TestFiles.PALETTE, bytes(0b10000100), greys, clear)));

        Path file = write("colors.png", png(1, 2, 1, TestFiles.PALETTE, bytes(0b01000000), colors));
        assertArrayEquals(new int[] {200, 100, 50}, pixel(ImageFiles.photo(file), 0, 1));
        assertRefused(file, "pixel x=1, y=0 is (200, 100, 50)", () -> ImageFiles.trimap(file, Values.SNAP));
        assertRefused(file, "an alpha matte is grey, but pixel x=1, y=0", () -> ImageFiles.alpha(file));
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "bmp", "gif", "tif"})
    void losslessFormatsAgree(String format) throws IOException {
        Path file = folder.resolve("grey." + format);
        ImageIO.write(TestFiles.grey(3, 0, 102, 255), format, file.toFile());

        assertArrayEquals(new int[] {0, 102, 255}, values(ImageFiles.trimap(file, Values.RAW)));
        assertArrayEquals(new int[] {102, 102, 102}, pixel(ImageFiles.photo(file), 0, 1));
    }

    @Test
    void filesThatAreNoImageAreRefused() throws IOException {
        Path missing = folder.resolve("missing.png");
        Path empty = write("empty.png", new byte[0]);
        Path tiny = write("tiny.png", bytes(0x89));
        Path text = write("text.png", "this is no image, whatever its name".getBytes());

        assertRefused(missing, "there is no such file", () -> ImageFiles.photo(missing));
        assertRefused(missing, "there is no such file", () -> ImageFiles.size(missing));
        assertRefused(folder, "this is a folder", () -> ImageFiles.trimap(folder, Values.RAW));
        assertRefused(empty, "empty (0 bytes)", () -> ImageFiles.photo(empty));
        assertRefused(tiny, "PNG, JPEG, TIFF, WebP, BMP and GIF are read", () -> ImageFiles.photo(tiny));
        assertRefused(text, "PNG, JPEG, TIFF, WebP, BMP and GIF are read", () -> ImageFiles.size(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpg", "gif", "bmp", "tif"})
    void filesCutShortAreRefused(String format) throws IOException {
        BufferedImage noise = new BufferedImage(64, 64, BufferedImage.TYPE_3BYTE_BGR);
        Random random = new Random(1);
        for (int i = 0; i < 64 * 64; i++) {
            noise.setRGB(i % 64, i / 64, random.nextInt());
        }
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        ImageIO.write(noise, format, output);
        byte[] whole = output.toByteArray();
        for (int percent : new int[] {20, 60, 95}) {
            Path cut = write(percent + "." + format, Arrays.copyOf(whole, whole.length * percent / 100));
            assertRefused(cut, "broken or cut short", () -> ImageFiles.photo(cut));
        }
    }

    @Test
    void webpCutShortIsRefused() throws IOException {
        byte[] whole = Files.readAllBytes(TestFiles.resource("turned.webp"));
        Path cut = write("cut.webp", Arrays.copyOf(whole, whole.length - 8));

        assertRefused(cut, "broken or cut short (116 bytes stated, 108 there)", () -> ImageFiles.photo(cut));
    }

    @Test
    void imagesTooLargeAreRefusedBeforeDecoding() throws IOException {
        Path file = write("huge.png", TestFiles.pngHeader(60000, 50000, 8, TestFiles.GREY));

        assertArrayEquals(new int[] {60000, 50000}, ImageFiles.size(file));
        assertRefused(
                file, "too large: 50000x60000 pixels of 3 x 8 bits are 9000000000 bytes", () -> ImageFiles.photo(file));
        assertRefused(file, "too large: 50000x60000 pixels", () -> ImageFiles.trimap(file, Values.RAW));
        assertRefused(file, "too large: 50000x60000 pixels", () -> ImageFiles.alpha(file));
    }

    private int[] raw(byte[] png) throws IOException {
        Path file = write("raw.png", png);
        int[] values = values(ImageFiles.trimap(file, Values.RAW));
        Photo photo = ImageFiles.photo(file);
        if (photo.bits() == 8) {
            for (int x = 0; x < values.length; x++) {
                assertArrayEquals(new int[] {values[x], values[x], values[x]}, pixel(photo, 0, x));
            }
        }
        return values;
    }

    private Path write(String name, byte[] content) throws IOException {
        return Files.write(folder.resolve(name), content);
    }

    private static void assertRefused(Path file, String part, Runnable call) {
        String message = assertThrows(ImageException.class, call::run).getMessage();
        assertTrue(message.startsWith(file + ": ") && message.contains(part), message);
    }
}
