package org.jmatte.image;

import java.awt.image.BufferedImage;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.ImageIO;

/** Image files of odd kinds, byte by byte. */
final class TestFiles {
    static final int GREY = 0;
    static final int RGB = 2;
    static final int PALETTE = 3;
    static final int GREY_ALPHA = 4;
    static final int RGBA = 6;

    private TestFiles() {}

    static Path resource(String name) {
        try {
            return Path.of(TestFiles.class.getResource("/images/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    /** A chunk: length, type, content and checksum. */
    static byte[] chunk(String type, byte[] content) {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 crc = new CRC32();
        crc.update(name);
        crc.update(content);
        return ByteBuffer.allocate(12 + content.length)
                .putInt(content.length)
                .put(name)
                .put(content)
                .putInt((int) crc.getValue())
                .array();
    }

    /** A PNG of rows that are packed already; {@code extras} are whole chunks that stand before the pixels. */
    static byte[] png(int height, int width, int depth, int colorType, byte[] rows, byte[]... extras) {
        try {
            ByteArrayOutputStream packed = new ByteArrayOutputStream();
            try (DeflaterOutputStream deflater = new DeflaterOutputStream(packed)) {
                int stride = rows.length / height;
                for (int y = 0; y < height; y++) {
                    deflater.write(0);
                    deflater.write(rows, y * stride, stride);
                }
            }
            ByteArrayOutputStream file = new ByteArrayOutputStream();
            file.write(pngHeader(height, width, depth, colorType));
            for (byte[] extra : extras) {
                file.write(extra);
            }
            file.write(chunk("IDAT", packed.toByteArray()));
            file.write(chunk("IEND", new byte[0]));
            return file.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] pngHeader(int height, int width, int depth, int colorType) {
        byte[] header = ByteBuffer.allocate(13)
                .putInt(width)
                .putInt(height)
                .put(bytes(depth, colorType, 0, 0, 0))
                .array();
        return concat(bytes(0x89, 'P', 'N', 'G', 13, 10, 26, 10), chunk("IHDR", header));
    }

    /** EXIF content in TIFF form with the orientation alone. */
    static byte[] exif(int orientation) {
        return bytes('M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0);
    }

    /** A JPEG with an EXIF segment right behind its first marker. */
    static byte[] jpeg(BufferedImage image, int orientation) throws IOException {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        ImageIO.write(image, "jpg", output);
        byte[] plain = output.toByteArray();
        byte[] exif = concat(bytes('E', 'x', 'i', 'f', 0, 0), exif(orientation));
        byte[] segment = concat(bytes(0xFF, 0xE1, 0, exif.length + 2), exif);
        ByteBuffer file = ByteBuffer.allocate(plain.length + segment.length);
        return file.put(plain, 0, 2)
                .put(segment)
                .put(plain, 2, plain.length - 2)
                .array();
    }

    static byte[] concat(byte[] first, byte[] second) {
        return ByteBuffer.allocate(first.length + second.length)
                .put(first)
                .put(second)
                .array();
    }

    /** An 8-bit grey image with the given values as stored. */
    static BufferedImage grey(int width, int... values) {
        BufferedImage image = new BufferedImage(width, values.length / width, BufferedImage.TYPE_BYTE_GRAY);
        WritableRaster raster = image.getRaster();
        raster.setPixels(0, 0, width, values.length / width, values);
        return image;
    }
}
