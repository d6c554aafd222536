package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.awt.image.BufferedImage;
import java.util.BitSet;
import java.util.List;
import org.jmatte.Routing;
import org.jmatte.image.Photo;
import org.junit.jupiter.api.Test;

class RoutingOverlayTest {
    private static final int RED = 0xFF0000;

    @Test
    void tokensThatWereNotKeptAreGrey() {
        BufferedImage red = new BufferedImage(40, 20, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < 20; y++) {
            for (int x = 0; x < 40; x++) {
                red.setRGB(x, y, RED);
            }
        }
        BitSet kept = new BitSet();
        kept.set(1); // second of the first row
        kept.set(4); // first of the second row
        Routing routing = new Routing(2, 4, List.of(new BitSet(), kept));

        BufferedImage image = RoutingOverlay.draw(Photo.of(red), routing, 1);

        assertEquals(40, image.getWidth());
        assertEquals(20, image.getHeight());
        int grey = 299 * 255 / 1000 / 2 + 48;
        for (int y = 0; y < 20; y++) {
            for (int x = 0; x < 40; x++) {
                boolean attended = y < 16 ? x >= 16 && x < 32 : x < 16;
                assertEquals(attended ? RED : grey * 0x10101, image.getRGB(x, y) & 0xFFFFFF, "pixel " + x + ", " + y);
            }
        }
    }
}
