package org.jmatte.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CompositingTest {
    private static final int[] SAMPLES = {0, 1, 2, 100, 128, 200, 253, 254, 255, 7, 77, 177};
    private static final int[] OPACITY = {0, 51, 204, 255};

    @TempDir
    Path folder;

    /** As many bits as the foreground has, whatever those of alpha; colours stay where alpha is 0. */
    @ParameterizedTest
    @ValueSource(ints = {8, 16})
    void cutoutsAreStraight(int bits) throws IOException {
        for (Alpha.Format format : Alpha.Format.values()) {
            BufferedImage cutout = written(Compositing.cutout(photo(bits), alpha(format)));
            assertTrue(cutout.getColorModel().hasAlpha());
            assertFalse(cutout.isAlphaPremultiplied());
            assertEquals(4 * bits, cutout.getColorModel().getPixelSize());
            int unit = bits == 8 ? 1 : 257;
            for (int i = 0; i < 4; i++) {
                int[] expected = {
                    SAMPLES[3 * i] * unit, SAMPLES[3 * i + 1] * unit, SAMPLES[3 * i + 2] * unit, OPACITY[i] * unit
                };
                assertArrayEquals(expected, cutout.getRaster().getPixel(i % 2, i / 2, (int[]) null));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 16})
    void opaquePicturesAreTheForeground(int bits) throws IOException {
        BufferedImage picture = written(Compositing.opaque(photo(bits)));
        assertEquals(3 * bits, picture.getColorModel().getPixelSize());
        assertEquals(-1, photo(bits).pixels().mismatch(Photo.of(picture).pixels()));
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 16})
    void compositesMixStoredValues(int bits) throws IOException {
        BufferedImage composite =
                written(Compositing.over(photo(bits), alpha(Alpha.Format.U8), Background.color(1, 0.5f, 0)));
        double top = (1 << bits) - 1;
        double[] behind = {top, top / 2, 0};
        for (int i = 0; i < 4; i++) {
            int[] pixel = composite.getRaster().getPixel(i % 2, i / 2, (int[]) null);
            double a = OPACITY[i] / 255.0;
            for (int c = 0; c < 3; c++) {
                assertEquals(a * SAMPLES[3 * i + c] / 255 * top + (1 - a) * behind[c], pixel[c], 0.51);
            }
        }
    }

    @Test
    void sizesMustBeEqual() {
        Alpha other = Alpha.allocate(2, 3, Alpha.Format.U8);
        for (String message : new String[] {
            assertThrows(ImageException.class, () -> Compositing.cutout(photo(8), other))
                    .getMessage(),
            assertThrows(ImageException.class, () -> Compositing.over(photo(8), other, Background.color(0, 0, 0)))
                    .getMessage()
        }) {
            assertTrue(message.contains("2x2") && message.contains("3x2"), message);
        }
    }

    private BufferedImage written(BufferedImage image) throws IOException {
        Path file = folder.resolve("a.png");
        PngWriter.write(image, file);
        return ImageIO.read(file.toFile());
    }

    /** 2x2 pixels. */
    private static Photo photo(int bits) {
        ByteBuffer pixels = ByteBuffer.allocateDirect(12 * bits / 8).order(ByteOrder.nativeOrder());
        for (int sample : SAMPLES) {
            if (bits == 8) {
                pixels.put((byte) sample);
            } else {
                pixels.putShort((short) (sample * 257));
            }
        }
        return Photo.wrap(pixels.flip(), 2, 2, bits, 6L * bits / 8);
    }

    private static Alpha alpha(Alpha.Format format) {
        Alpha alpha = Alpha.allocate(2, 2, format);
        for (int i = 0; i < 4; i++) {
            switch (format) {
                case U8 -> alpha.values().put(i, (byte) OPACITY[i]);
                case U16 -> alpha.values().putShort(2 * i, (short) (OPACITY[i] * 257));
                case F32 -> alpha.values().putFloat(4 * i, OPACITY[i] / 255f);
            }
        }
        return alpha;
    }
}
