package org.jmatte.image;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.FileImageOutputStream;
import javax.imageio.stream.ImageOutputStream;

/** Writes PNG files that appear whole or not at all. The same image gives the same bytes. */
public final class PngWriter {
    static final String EXTENSION = ".png";

    /** Deflate level 3 in the terms of ImageIO; mattes are smooth, higher levels gain little and take long. */
    private static final float QUALITY = 0.67f;

    private PngWriter() {}

    /**
     * Refuses a file that {@link #write} could not write, before any long work.
     *
     * @param file to be written
     * @param overwrite whether an existing file may be replaced
     * @throws ImageException for an extension other than .png, a missing or unwritable folder, a folder in the file's
     *     place, or an existing file without {@code overwrite}
     */
    public static void check(Path file, boolean overwrite) {
        AtomicFile.check(file, overwrite, List.of(EXTENSION));
    }

    /**
     * Writes an image, replacing an existing file.
     *
     * @throws ImageException if the file cannot be written; the folder is then as before
     */
    public static void write(BufferedImage image, Path file) {
        Objects.requireNonNull(image, "image");
        check(file, true);
        AtomicFile.write(file, temporary -> encode(image, temporary));
    }

    private static void encode(BufferedImage image, Path file) throws IOException {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
        try (ImageOutputStream output = new FileImageOutputStream(file.toFile())) {
            ImageWriteParam param = writer.getDefaultWriteParam();
            param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            param.setCompressionQuality(QUALITY);
            writer.setOutput(output);
            writer.write(null, new IIOImage(image, null, null), param);
        } finally {
            writer.dispose();
        }
    }
}
