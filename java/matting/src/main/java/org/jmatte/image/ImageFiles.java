package org.jmatte.image;

import com.drew.imaging.ImageMetadataReader;
import com.drew.imaging.ImageProcessingException;
import com.drew.metadata.exif.ExifIFD0Directory;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.FileImageInputStream;
import javax.imageio.stream.ImageInputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads photos, trimaps and alpha mattes from PNG, JPEG, TIFF, WebP, BMP and GIF files; of several pages, the first. EXIF
 * orientation is applied. An embedded RGB profile counts in JPEG and WebP, whose decoders convert to sRGB; PNG and TIFF
 * values are taken as stored.
 *
 * <p>Every method throws {@link ImageException} for a file that is missing, unreadable, empty, no image, broken, cut
 * short or too large; the message names the file.
 */
public final class ImageFiles {
    private static final Logger LOG = LoggerFactory.getLogger(ImageFiles.class);

    private interface Task<T> {
        T run(ImageReader reader) throws IOException;
    }

    private ImageFiles() {}

    /** The photo in a file; see {@link Photo#of} for what becomes of its colours. */
    public static Photo photo(Path file) {
        Orientation orientation = orientation(requireFile(file));
        return read(file, reader -> {
            Photo.requireFits(reader.getHeight(0), reader.getWidth(0), 8, file.toString());
            return Photo.of(decode(reader, file), orientation, file.toString());
        });
    }

    /** The trimap in a file; see {@link Trimap#of} for which images may be one. */
    public static Trimap trimap(Path file, Trimap.Values values) {
        Objects.requireNonNull(values, "values");
        Orientation orientation = orientation(requireFile(file));
        return read(file, reader -> {
            Trimap.requireFits(reader.getHeight(0), reader.getWidth(0), file.toString());
            return Trimap.of(decode(reader, file), values, orientation, file.toString());
        });
    }

    /** The alpha matte in a file; see {@link Alpha#of} for which images may be one. */
    public static Alpha alpha(Path file) {
        Orientation orientation = orientation(requireFile(file));
        return read(file, reader -> {
            Trimap.requireFits(reader.getHeight(0), reader.getWidth(0), file.toString());
            return Alpha.of(decode(reader, file), orientation, file.toString());
        });
    }

    /** Height and width, in this order, of the picture in a file as seen upright, without decoding it. */
    public static int[] size(Path file) {
        Orientation orientation = orientation(requireFile(file));
        return read(file, reader -> {
            int height = reader.getHeight(0);
            int width = reader.getWidth(0);
            return new int[] {orientation.height(height, width), orientation.width(height, width)};
        });
    }

    private static Path requireFile(Path file) {
        Objects.requireNonNull(file, "file");
        if (!Files.exists(file)) {
            throw new ImageException(file + ": there is no such file; check the path");
        }
        if (Files.isDirectory(file)) {
            throw new ImageException(file + ": an image file is expected, but this is a folder; name a file in it");
        }
        if (!Files.isReadable(file)) {
            throw new ImageException(file + ": the file may not be read; check its permissions");
        }
        return file;
    }

    private static <T> T read(Path file, Task<T> task) {
        // straight from the file: ImageIO would otherwise copy it to a cache file first
        try (ImageInputStream input = new FileImageInputStream(file.toFile())) {
            if (input.length() == 0) {
                throw new ImageException(file + ": the file is empty (0 bytes); make or download it anew");
            }
            requireWholeRiff(input, file);
            Iterator<ImageReader> readers = ImageIO.getImageReaders(input);
            if (!readers.hasNext()) {
                throw new ImageException(file + ": not an image of a known format; PNG, JPEG, TIFF, WebP, BMP and GIF"
                        + " are read, convert it to one of them");
            }
            ImageReader reader = readers.next();
            try {
                reader.setInput(input, true, true);
                return task.run(reader);
            } finally {
                reader.dispose();
            }
        } catch (ImageException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            // the PNG decoder passes a lack of memory off as its own failure
            if (e.getCause() instanceof OutOfMemoryError error) {
                throw outOfMemory(file, error);
            }
            String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            throw new ImageException(broken(file, reason), e);
        } catch (OutOfMemoryError e) {
            throw outOfMemory(file, e);
        }
    }

    private static ImageException outOfMemory(Path file, OutOfMemoryError error) {
        long heap = Runtime.getRuntime().maxMemory() >> 20;
        return new ImageException(
                file + ": too little memory to decode the image (" + error.getMessage()
                        + "); the Java heap is limited to "
                        + heap + " MiB, raise it with -Xmx (and -XX:MaxDirectMemorySize where set), or scale the image"
                        + " down",
                error);
    }

    private static BufferedImage decode(ImageReader reader, Path file) throws IOException {
        List<String> warnings = new ArrayList<>();
        reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
        BufferedImage image = reader.read(0);
        for (String warning : warnings) {
            // the JPEG decoder fills the missing part with grey and goes on
            if (warning.toLowerCase(Locale.ROOT).contains("premature end")) {
                throw new ImageException(broken(file, warning));
            }
            LOG.warn("{}: {}", file, warning);
        }
        return image;
    }

    /** The WebP decoder takes what is missing from a cut file as zeros; the length that the file states tells. */
    private static void requireWholeRiff(ImageInputStream input, Path file) throws IOException {
        byte[] tag = new byte[4];
        if (input.length() >= 8 && input.read(tag) == 4 && new String(tag, StandardCharsets.US_ASCII).equals("RIFF")) {
            input.setByteOrder(ByteOrder.LITTLE_ENDIAN);
            long stated = 8 + input.readUnsignedInt();
            if (stated > input.length()) {
                throw new ImageException(broken(file, stated + " bytes stated, " + input.length() + " there"));
            }
        }
        input.setByteOrder(ByteOrder.BIG_ENDIAN);
        input.seek(0);
    }

    private static String broken(Path file, String how) {
        return file + ": the image is broken or cut short (" + how + "); make or download it anew";
    }

    private static Orientation orientation(Path file) {
        try {
            ExifIFD0Directory exif =
                    ImageMetadataReader.readMetadata(file.toFile()).getFirstDirectoryOfType(ExifIFD0Directory.class);
            Integer value = exif == null ? null : exif.getInteger(ExifIFD0Directory.TAG_ORIENTATION);
            return value == null ? Orientation.UPRIGHT : Orientation.ofExif(value);
        } catch (ImageProcessingException | IOException | RuntimeException e) {
            LOG.debug("{}: no readable metadata, taken as upright", file, e);
            return Orientation.UPRIGHT;
        }
    }
}
