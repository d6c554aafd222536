package org.jmatte.train.data;

import java.awt.image.BufferedImage;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jmatte.image.ImageException;
import org.jmatte.image.PngWriter;

/**
 * Writes samples as a data set that other tools read: 8-bit PNG files of the same names in {@code fg/}, {@code alpha/},
 * {@code bg/}, {@code merged/} and {@code trimaps/} (0, 128, 255). Each file appears whole or not at all, {@code
 * trimaps/} last.
 */
public final class DatasetWriter {
    private DatasetWriter() {}

    /**
     * Writes the samples {@code first} to {@code first + count - 1}, replacing files of the same names.
     *
     * @throws ImageException if a folder or a file cannot be written; the files before it are whole
     */
    public static void write(SampleSource source, long first, int count, Path folder) {
        Path foregrounds = create(folder.resolve("fg"));
        Path alphas = create(folder.resolve("alpha"));
        Path backgrounds = create(folder.resolve("bg"));
        Path merged = create(folder.resolve("merged"));
        Path trimaps = create(folder.resolve("trimaps"));
        for (int i = 0; i < count; i++) {
            Sample sample = source.sample(first + i);
            String file = String.format(Locale.ROOT, "%06d.png", first + i);
            write(sample, sample.foreground(), foregrounds.resolve(file));
            write(sample, sample.alpha(), alphas.resolve(file));
            write(sample, sample.background(), backgrounds.resolve(file));
            write(sample, sample.image(), merged.resolve(file));
            write(sample, sample.trimap(), trimaps.resolve(file));
        }
    }

    private static Path create(Path folder) {
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw new ImageException(folder + ": the folder cannot be created (" + e + ")", e);
        }
    }

    /** Writes one plane as grey, three as RGB. */
    private static void write(Sample sample, float[] planes, Path file) {
        int size = sample.height() * sample.width();
        int bands = planes.length / size;
        int type = bands == 1 ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_3BYTE_BGR;
        BufferedImage image = new BufferedImage(sample.width(), sample.height(), type);
        WritableRaster raster = image.getRaster();
        float[] scaled = new float[size];
        for (int band = 0; band < bands; band++) {
            for (int i = 0; i < size; i++) {
                scaled[i] = Math.round(255 * planes[band * size + i]);
            }
            raster.setSamples(0, 0, sample.width(), sample.height(), band, scaled);
        }
        PngWriter.write(image, file);
    }
}
