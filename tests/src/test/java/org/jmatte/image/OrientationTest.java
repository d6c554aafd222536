package org.jmatte.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OrientationTest {
    /** Where EXIF says that stored pixel (y, x) of h x w is seen: a = y, b = x, c = h - 1 - y, d = w - 1 - x. */
    @ParameterizedTest
    @CsvSource({"0,a,b", "1,a,b", "2,a,d", "3,c,d", "4,c,b", "5,b,a", "6,b,c", "7,d,c", "8,d,a", "9,a,b"})
    void everyPixelGoesWhereExifSays(int exif, char row, char column) {
        Orientation orientation = Orientation.ofExif(exif);
        int height = 71;
        int width = 45;
        for (int pixel : new int[] {1, 3, 6}) {
            ByteBuffer target = ByteBuffer.allocateDirect(height * width * pixel);
            orientation.copy(
                    (y, into, offset) -> {
                        for (int i = 0; i < width * pixel; i++) {
                            into[offset + i] = value(y, i);
                        }
                    },
                    height,
                    width,
                    pixel,
                    target);
            int seen = orientation.width(height, width);
            assertEquals(height * width, seen * orientation.height(height, width));
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    int[] choices = {y, x, height - 1 - y, width - 1 - x};
                    int at = (choices[row - 'a'] * seen + choices[column - 'a']) * pixel;
                    for (int b = 0; b < pixel; b++) {
                        assertEquals(value(y, x * pixel + b), target.get(at + b), "y=" + y + " x=" + x + " byte " + b);
                    }
                }
            }
        }
    }

    private static byte value(int y, int i) {
        return (byte) (y * 31 + i * 7 + (y * i >> 3));
    }
}
