package org.jmatte.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import javax.imageio.ImageIO;
import org.jmatte.image.Alpha;
import org.jmatte.image.Trimap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The metrics of a photo's mattes against values that were computed elsewhere; the file says how. */
class LemurErrorsTest {
    private static final double TOLERANCE = 1e-4; // relative
    private static final double ZERO = 1e-9; // of errors that only rounding makes

    private static BufferedImage lemur;
    private static BufferedImage lemurTrimap;

    @BeforeAll
    static void read() throws IOException {
        lemur = image("/images/lemur_alpha.png");
        lemurTrimap = image("/org/jmatte/cli/demo/lemur_trimap.png");
    }

    @ParameterizedTest(name = "{0}")
    @CsvFileSource(resources = "/metrics/lemur.csv", useHeadersInDisplayName = true)
    void equalWhatWasComputedElsewhere(
            String name,
            String alpha,
            String truth,
            String scored,
            int y,
            int x,
            int height,
            int width,
            double sad,
            double mse,
            double grad,
            double conn,
            long pixels) {
        Alpha predicted = matte(alpha, y, x, height, width);
        Alpha exact = matte(truth, y, x, height, width);
        MattingErrors errors = scored.equals("whole")
                ? MattingErrors.between(predicted, exact)
                : MattingErrors.between(predicted, exact, trimap(scored, y, x, height, width));
        assertEquals(pixels, errors.pixels());
        assertEquals(sad, errors.sad(), TOLERANCE * sad + ZERO, "SAD");
        assertEquals(mse, errors.mse(), TOLERANCE * mse + ZERO, "MSE");
        assertEquals(grad, errors.grad(), TOLERANCE * grad + ZERO, "Grad");
        assertEquals(conn, errors.conn(), TOLERANCE * conn + ZERO, "Conn");
    }

    private static Alpha matte(String kind, int top, int left, int height, int width) {
        Alpha.Format format = kind.equals("fine") ? Alpha.Format.U16 : Alpha.Format.U8;
        Alpha matte = Alpha.allocate(height, width, format);
        ByteBuffer values = matte.values();
        for (int y = top; y < top + height; y++) {
            for (int x = left; x < left + width; x++) {
                int value = value(kind, y, x);
                if (format == Alpha.Format.U16) {
                    values.putShort((short) value);
                } else {
                    values.put((byte) value);
                }
            }
        }
        return matte;
    }

    private static int value(String kind, int y, int x) {
        int t = sample(lemur, y, x);
        return switch (kind) {
            case "truth" -> t;
            case "inverted" -> 255 - t;
            case "squared" -> t * t / 255;
            case "shifted" -> sample(lemur, y, Math.max(x - 3, 0));
            case "coarse" -> t & 224;
            case "noisy" -> Math.max(0, Math.min(255, t + (37 * x + 101 * y + 13 * x * y) % 129 - 64));
            case "empty" -> 0;
            case "full" -> 255;
            case "fine" -> Math.min(65535, 257 * t + (7919 * x + 104729 * y) % 4001);
            default -> throw new IllegalArgumentException(kind);
        };
    }

    private static Trimap trimap(String scored, int top, int left, int height, int width) {
        ByteBuffer values = ByteBuffer.allocateDirect(height * width);
        for (int y = top; y < top + height; y++) {
            for (int x = left; x < left + width; x++) {
                values.put((byte) (scored.equals("known") ? 255 : sample(lemurTrimap, y, x)));
            }
        }
        return Trimap.wrap(values.flip(), height, width, Trimap.Values.RAW);
    }

    private static int sample(BufferedImage image, int y, int x) {
        return image.getRaster().getSample(x, y, 0);
    }

    private static BufferedImage image(String resource) throws IOException {
        try (InputStream stream = LemurErrorsTest.class.getResourceAsStream(resource)) {
            return ImageIO.read(stream);
        }
    }
}
