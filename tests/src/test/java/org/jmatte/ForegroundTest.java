package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import org.jmatte.image.Alpha;
import org.jmatte.image.ImageException;
import org.jmatte.image.Photo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ForegroundTest {
    private static final int HEIGHT = 180;
    private static final int WIDTH = 250;

    /** A gradient over another one, with a soft edge: the background's share of the colours is all but gone. */
    @Test
    void theBackgroundIsTakenOut() {
        byte[] truth = new byte[3 * HEIGHT * WIDTH];
        byte[] seen = new byte[truth.length];
        Alpha alpha = Alpha.allocate(HEIGHT, WIDTH, Alpha.Format.F32);
        for (int i = 0; i < HEIGHT * WIDTH; i++) {
            int y = i / WIDTH;
            int x = i % WIDTH;
            double distance = Math.hypot(y - 90, x - 120) + 6 * Math.sin(0.3 * y) * Math.sin(0.3 * x);
            double a = Math.max(0, Math.min(1, (70 - distance) / 20));
            alpha.values().putFloat(4 * i, (float) a);
            double[] object = {200, 60 + 0.5 * y, 40 + 0.3 * x};
            double[] behind = {20 + 0.4 * x, 150, 230 - 0.8 * y};
            for (int c = 0; c < 3; c++) {
                truth[3 * i + c] = (byte) Math.round(object[c]);
                seen[3 * i + c] = (byte) Math.round(a * object[c] + (1 - a) * behind[c]);
            }
        }
        Photo estimated = Foreground.estimate(photo(seen, HEIGHT, WIDTH), alpha);
        double before = 0;
        double after = 0;
        for (int i = 0; i < truth.length; i++) {
            float a = alpha.get(i / 3 / WIDTH, i / 3 % WIDTH);
            if (a > 0 && a < 1) {
                before += Math.abs((seen[i] & 255) - (truth[i] & 255));
                after += Math.abs((estimated.pixels().get(i) & 255) - (truth[i] & 255));
            } else if (a == 1) {
                assertEquals(truth[i] & 255, estimated.pixels().get(i) & 255, 1, "an opaque pixel keeps its colour");
            }
        }
        assertTrue(after < 0.1 * before, "error " + after + " instead of " + before);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 300", "300, 1", "40, 50"})
    void opaqueEverywhere(int height, int width) {
        Photo photo = Scenes.photo(height, width, 1);
        assertEquals(
                -1,
                photo.pixels()
                        .mismatch(Foreground.estimate(photo, flat(height, width, 255))
                                .pixels()));
    }

    /** There is no foreground to know, but there are colours. */
    @ParameterizedTest
    @CsvSource({"1, 1", "1, 300", "300, 1", "40, 50"})
    void transparentEverywhere(int height, int width) {
        Photo foreground = Foreground.estimate(Scenes.photo(height, width, 1), flat(height, width, 0));
        assertEquals("Photo[" + width + "x" + height + ", 8 bits]", foreground.toString());
    }

    @Test
    void threadsDoNotMatter() {
        Photo photo = Scenes.photo16(HEIGHT, WIDTH, 3);
        Alpha alpha = Alpha.allocate(HEIGHT, WIDTH, Alpha.Format.U8);
        alpha.values().put(0, Scenes.disc(HEIGHT, WIDTH, 3).bytes(), 0, HEIGHT * WIDTH);
        Photo expected = Foreground.estimate(photo, alpha, 1);
        for (int threads : new int[] {0, 2, 7}) {
            assertEquals(
                    -1,
                    expected.pixels()
                            .mismatch(Foreground.estimate(photo, alpha, threads).pixels()));
        }
    }

    @Test
    void memoryIsBounded() {
        long pixels = 6720L * 4480;
        assertTrue(Foreground.workingBytes(4480, 6720, 2) < 7.6 * pixels + 2 * (1 << 19));
    }

    @Test
    void sizesMustBeEqual() {
        Photo photo = Scenes.photo(4, 6, 1);
        String message = assertThrows(ImageException.class, () -> Foreground.estimate(photo, flat(6, 4, 0)))
                .getMessage();
        assertTrue(message.contains("6x4") && message.contains("4x6"), message);
    }

    private static Photo photo(byte[] samples, int height, int width) {
        ByteBuffer pixels =
                ByteBuffer.allocateDirect(samples.length).put(samples).flip();
        return Photo.wrap(pixels, height, width, 8, 3L * width);
    }

    private static Alpha flat(int height, int width, int value) {
        Alpha alpha = Alpha.allocate(height, width, Alpha.Format.U8);
        for (int i = 0; i < height * width; i++) {
            alpha.values().put(i, (byte) value);
        }
        return alpha;
    }
}
