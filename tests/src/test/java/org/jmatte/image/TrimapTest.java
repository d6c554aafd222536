package org.jmatte.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import org.jmatte.image.Trimap.Values;
import org.junit.jupiter.api.Test;

class TrimapTest {
    private static final int[] GREYS = {0, 1, 102, 128, 254, 255};

    @Test
    void rawKeepsEveryByte() {
        Trimap trimap = Trimap.of(TestFiles.grey(3, GREYS), Values.RAW);

        assertArrayEquals(GREYS, values(trimap));
        assertEquals(2, trimap.height());
        assertEquals(3, trimap.width());
        assertEquals(Values.RAW, trimap.values());
        assertEquals(4, trimap.unknown());
    }

    @Test
    void snapMakesAllUnknownThe128() {
        Trimap trimap = Trimap.of(TestFiles.grey(3, GREYS), Values.SNAP);

        assertArrayEquals(new int[] {0, 128, 128, 128, 128, 255}, values(trimap));
        assertEquals(4, trimap.unknown());
        assertTrue(trimap.bytes().isDirect());
    }

    @Test
    void sixteenBitsReduceWithoutInventingKnownPixels() {
        BufferedImage image = new BufferedImage(6, 1, BufferedImage.TYPE_USHORT_GRAY);
        image.getRaster().setPixels(0, 0, 6, 1, new int[] {0, 1, 102 * 257, 32768, 65534, 65535});

        assertArrayEquals(new int[] {0, 1, 102, 128, 254, 255}, values(Trimap.of(image, Values.RAW)));
        assertArrayEquals(new int[] {0, 128, 128, 128, 128, 255}, values(Trimap.of(image, Values.SNAP)));
    }

    @Test
    void equalChannelsAreGreyAndAlphaIsIgnored() {
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, 0x00666666);
        image.setRGB(1, 0, 0xFFFFFFFF);

        assertArrayEquals(new int[] {0x66, 255}, values(Trimap.of(image, Values.RAW)));
    }

    @Test
    void binaryAndPaletteAreRead() {
        for (int type : new int[] {BufferedImage.TYPE_BYTE_BINARY, BufferedImage.TYPE_BYTE_INDEXED}) {
            BufferedImage image = new BufferedImage(3, 1, type);
            image.setRGB(1, 0, 0xFFFFFFFF);
            assertArrayEquals(new int[] {0, 255, 0}, values(Trimap.of(image, Values.SNAP)));
        }
    }

    @Test
    void colourIsRefusedWithTheFirstPixel() {
        BufferedImage image = new BufferedImage(5, 4, BufferedImage.TYPE_INT_RGB);
        image.setRGB(3, 2, 0x808081);
        image.setRGB(1, 3, 0xFF0000);

        String message = assertThrows(ImageException.class, () -> Trimap.of(image, Values.SNAP))
                .getMessage();
        assertTrue(message.startsWith("trimap: a trimap is grey, but pixel x=3, y=2 is (128, 128, 129)"), message);
    }

    @Test
    void wrapViewsRawAndCopiesSnapped() {
        ByteBuffer memory = ByteBuffer.allocateDirect(8);
        memory.put(TestFiles.bytes(9, 0, 1, 102, 128, 254, 255)).position(1);
        Trimap raw = Trimap.wrap(memory, 2, 3, Values.RAW);
        Trimap snapped = Trimap.wrap(memory, 2, 3, Values.SNAP);
        memory.put(1, (byte) 7);

        assertArrayEquals(new int[] {7, 1, 102, 128, 254, 255}, values(raw));
        assertArrayEquals(new int[] {0, 128, 128, 128, 128, 255}, values(snapped));
        assertEquals(4, snapped.unknown());
        assertEquals(1, memory.position());
    }

    @Test
    void wrapNamesTheArgumentThatDoesNotFit() {
        ByteBuffer direct = ByteBuffer.allocateDirect(5);
        assertRefused("direct: a direct buffer", ByteBuffer.allocate(6), 2, 3);
        assertRefused("direct: a trimap of 3x2 pixels takes 6 bytes, and 5 remain", direct, 2, 3);
        assertRefused("height: at least 1 expected, got 0", direct, 0, 3);
        assertRefused("width: at least 1 expected, got -3", direct, 1, -3);
        assertRefused("direct: a trimap", direct, Integer.MAX_VALUE, Integer.MAX_VALUE);
    }

    @Test
    void sizesThatDifferAreBothNamed() {
        Trimap trimap = Trimap.of(TestFiles.grey(3, GREYS), Values.RAW);
        assertDoesNotThrow(() -> trimap.requireSize(Photo.of(TestFiles.grey(3, GREYS))));

        Photo other = Photo.of(TestFiles.grey(2, GREYS));
        String message = assertThrows(ImageException.class, () -> trimap.requireSize(other))
                .getMessage();
        assertTrue(message.contains("the photo has 2x3 pixels, the trimap 3x2"), message);
    }

    static int[] values(Trimap trimap) {
        ByteBuffer bytes = trimap.bytes();
        int[] values = new int[bytes.remaining()];
        for (int i = 0; i < values.length; i++) {
            values[i] = bytes.get() & 255;
        }
        return values;
    }

    private static void assertRefused(String start, ByteBuffer direct, int height, int width) {
        String message = assertThrows(ImageException.class, () -> Trimap.wrap(direct, height, width, Values.SNAP))
                .getMessage();
        assertTrue(message.startsWith(start), message);
    }
}
