package org.jmatte.image;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * Writes alpha mattes to files that appear whole or not at all. The same alpha gives the same bytes.
 *
 * <p>{@code .png}: grey, 8 bits for {@code U8}, else 16. {@code .npy}: float32 [height, width] in C order, little
 * endian; {@code F32} as it is, the other formats divided by 255 or 65535.
 */
public final class AlphaWriter {
    private static final String NPY = ".npy";
    private static final byte[] NPY_MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    private static final int NPY_ALIGNMENT = 64;

    private AlphaWriter() {}

    /**
     * Refuses a file that {@link #write} could not write, before any long work.
     *
     * @param file to be written
     * @param overwrite whether an existing file may be replaced
     * @throws ImageException for an extension other than .png and .npy, a missing or unwritable folder, a folder in
     *     the file's place, or an existing file without {@code overwrite}
     */
    public static void check(Path file, boolean overwrite) {
        AtomicFile.check(file, overwrite, List.of(PngWriter.EXTENSION, NPY));
    }

    /**
     * Writes an alpha in the format that the file's extension names, replacing an existing file.
     *
     * @throws ImageException if the file cannot be written; the folder is then as before
     */
    public static void write(Alpha alpha, Path file) {
        Objects.requireNonNull(alpha, "alpha");
        check(file, true);
        if (AtomicFile.hasExtension(file, NPY)) {
            AtomicFile.write(file, temporary -> writeNpy(alpha, temporary));
        } else {
            PngWriter.write(alpha.toImage(), file);
        }
    }

    private static void writeNpy(Alpha alpha, Path file) throws IOException {
        try (OutputStream output = Files.newOutputStream(file)) {
            output.write(npyHeader(alpha.height(), alpha.width()));
            float[] row = new float[alpha.width()];
            ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * row.length).order(ByteOrder.LITTLE_ENDIAN);
            for (int y = 0; y < alpha.height(); y++) {
                alpha.row(y, row);
                bytes.asFloatBuffer().put(row);
                output.write(bytes.array());
            }
        }
    }

    /** Version 1.0: magic, length of the text as a short, and the text padded to a multiple of 64 bytes in all. */
    private static byte[] npyHeader(int height, int width) {
        String text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + height + ", " + width + "), }";
        int prefix = NPY_MAGIC.length + Short.BYTES;
        int size = (prefix + text.length() + 1 + NPY_ALIGNMENT - 1) / NPY_ALIGNMENT * NPY_ALIGNMENT;
        ByteBuffer header = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        header.put(NPY_MAGIC).putShort((short) (size - prefix));
        header.put((text + " ".repeat(size - prefix - text.length() - 1) + "\n").getBytes(StandardCharsets.US_ASCII));
        return header.array();
    }
}
