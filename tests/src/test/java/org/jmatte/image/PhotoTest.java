package org.jmatte.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.color.ColorSpace;
import java.awt.image.BandedSampleModel;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PhotoTest {
    @ParameterizedTest
    @ValueSource(
            ints = {
                BufferedImage.TYPE_INT_RGB,
                BufferedImage.TYPE_INT_ARGB,
                BufferedImage.TYPE_INT_BGR,
                BufferedImage.TYPE_3BYTE_BGR,
                BufferedImage.TYPE_4BYTE_ABGR,
                BufferedImage.TYPE_INT_ARGB_PRE,
                BufferedImage.TYPE_4BYTE_ABGR_PRE
            })
    void everyRgbTypeKeepsItsValues(int type) {
        BufferedImage image = new BufferedImage(40, 35, type);
        for (int y = 0; y < 35; y++) {
            for (int x = 0; x < 40; x++) {
                image.setRGB(x, y, 0xFF000000 | (x * 6) << 16 | (y * 7) << 8 | (x + y));
            }
        }

        assertRamp(Photo.of(image), 35, 40, 0, 0);
        assertRamp(Photo.of(image.getSubimage(3, 2, 11, 13)), 13, 11, 2, 3);
    }

    private static void assertRamp(Photo photo, int height, int width, int top, int left) {
        assertEquals(8, photo.bits());
        assertEquals(3L * width, photo.rowStride());
        assertEquals(height, photo.height());
        assertEquals(width, photo.width());
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int[] expected = {(x + left) * 6, (y + top) * 7, x + left + y + top};
                assertArrayEquals(expected, pixel(photo, y, x), "y=" + y + " x=" + x);
            }
        }
    }

    @Test
    void packed565IsSpreadOverTheWholeRange() {
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_565_RGB);
        image.setRGB(0, 0, 0xFFFFFFFF);

        assertArrayEquals(new int[] {255, 255, 255}, pixel(Photo.of(image), 0, 0));
        assertArrayEquals(new int[] {0, 0, 0}, pixel(Photo.of(image), 0, 1));
    }

    @Test
    void greyIsExpandedAndNotBrightened() {
        Photo photo = Photo.of(TestFiles.grey(4, 0, 1, 128, 255));

        assertArrayEquals(new int[] {0, 0, 0}, pixel(photo, 0, 0));
        assertArrayEquals(new int[] {1, 1, 1}, pixel(photo, 0, 1));
        assertArrayEquals(new int[] {128, 128, 128}, pixel(photo, 0, 2));
        assertArrayEquals(new int[] {255, 255, 255}, pixel(photo, 0, 3));
    }

    @Test
    void sixteenBitGreyKeepsItsPrecision() {
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_GRAY);
        image.getRaster().setPixels(0, 0, 2, 1, new int[] {257, 65534});
        Photo photo = Photo.of(image);

        assertEquals(16, photo.bits());
        assertEquals(12, photo.rowStride());
        assertArrayEquals(new int[] {257, 257, 257}, pixel(photo, 0, 0));
        assertArrayEquals(new int[] {65534, 65534, 65534}, pixel(photo, 0, 1));
    }

    @Test
    void bandedImagesAreRead() {
        ColorModel colors = rgb(DataBuffer.TYPE_BYTE, false, false);
        WritableRaster raster = Raster.createWritableRaster(new BandedSampleModel(DataBuffer.TYPE_BYTE, 2, 2, 3), null);
        raster.setPixel(1, 1, new int[] {10, 20, 30});

        assertArrayEquals(
                new int[] {10, 20, 30}, pixel(Photo.of(new BufferedImage(colors, raster, false, null)), 1, 1));
    }

    @Test
    void floatsBecomeSixteenBits() {
        ColorModel colors = rgb(DataBuffer.TYPE_FLOAT, false, false);
        WritableRaster raster =
                Raster.createWritableRaster(new BandedSampleModel(DataBuffer.TYPE_FLOAT, 3, 1, 3), null);
        raster.setPixel(0, 0, new float[] {0, 0.5f, 1});
        raster.setPixel(1, 0, new float[] {-3, 1e-9f, 7});
        raster.setPixel(2, 0, new float[] {Float.NaN, 0.99999999f, 0.9999999f});
        Photo photo = Photo.of(new BufferedImage(colors, raster, false, null));

        assertEquals(16, photo.bits());
        assertArrayEquals(new int[] {0, 32768, 65535}, pixel(photo, 0, 0));
        assertArrayEquals(new int[] {0, 1, 65535}, pixel(photo, 0, 1));
        assertArrayEquals(new int[] {0, 65535, 65534}, pixel(photo, 0, 2));
    }

    @Test
    void thirtyTwoBitIntegersAreUnsigned() {
        ColorModel colors = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_GRAY), false, false, ColorModel.OPAQUE, DataBuffer.TYPE_INT);
        WritableRaster raster = Raster.createWritableRaster(new BandedSampleModel(DataBuffer.TYPE_INT, 2, 1, 1), null);
        raster.setSample(0, 0, 0, 0x80000000);
        raster.setSample(1, 0, 0, 0x00010000);
        Photo photo = Photo.of(new BufferedImage(colors, raster, false, null));

        assertEquals(32768, pixel(photo, 0, 0)[0]);
        assertEquals(1, pixel(photo, 0, 1)[0]);
    }

    @Test
    void premultipliedAlphaIsDividedOut() {
        ColorModel colors = rgb(DataBuffer.TYPE_USHORT, true, true);
        WritableRaster raster = colors.createCompatibleWritableRaster(2, 1);
        raster.setPixel(0, 0, new int[] {1000, 2000, 32767, 32767});
        Photo photo = Photo.of(new BufferedImage(colors, raster, true, null));

        assertArrayEquals(new int[] {2000, 4000, 65535}, pixel(photo, 0, 0));
        assertArrayEquals(new int[] {0, 0, 0}, pixel(photo, 0, 1));
    }

    @Test
    void alphaIsIgnoredAndNotBlended() {
        BufferedImage image = new BufferedImage(1, 1, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, 0x01C08040);

        assertArrayEquals(new int[] {0xC0, 0x80, 0x40}, pixel(Photo.of(image), 0, 0));
    }

    @Test
    void otherColourSpacesAreConverted() {
        ColorModel colors =
                new ComponentColorModel(new PlainCmyk(), false, false, ColorModel.OPAQUE, DataBuffer.TYPE_BYTE);
        WritableRaster raster = colors.createCompatibleWritableRaster(2, 2);
        raster.setPixel(0, 0, new int[] {0, 255, 255, 0});
        raster.setPixel(1, 1, new int[] {255, 0, 255, 0});
        Photo photo = Photo.of(new BufferedImage(colors, raster, false, null));

        assertNear(new int[] {255, 0, 0}, pixel(photo, 0, 0));
        assertNear(new int[] {255, 255, 255}, pixel(photo, 0, 1));
        assertNear(new int[] {0, 255, 0}, pixel(photo, 1, 1));
    }

    @Test
    void wrapsPaddedRowsWithoutCopy() {
        ByteBuffer memory = ByteBuffer.allocateDirect(30);
        memory.position(2);
        Photo photo = Photo.wrap(memory, 2, 3, 8, 16);
        memory.put(2 + 16 + 6, (byte) 77);

        assertArrayEquals(new int[] {77, 0, 0}, pixel(photo, 1, 2));
        assertEquals(16, photo.rowStride());
        assertTrue(photo.pixels().isDirect());
        assertTrue(photo.pixels().isReadOnly());
        assertEquals(ByteOrder.nativeOrder(), photo.pixels().order());
    }

    @Test
    void wrapNamesTheArgumentThatDoesNotFit() {
        ByteBuffer direct = ByteBuffer.allocateDirect(64);
        assertRefused("direct: a direct buffer is needed", ByteBuffer.allocate(64), 1, 1, 8, 3);
        assertRefused("height: at least 1", direct, 0, 1, 8, 3);
        assertRefused("width: at least 1", direct, 1, -1, 8, 3);
        assertRefused("bits: expected 8 or 16, got 12", direct, 1, 1, 12, 6);
        assertRefused("rowStrideBytes: a row of 4 pixels of 3 x 8 bits takes 12 bytes, got 11", direct, 2, 4, 8, 11);
        assertRefused("rowStrideBytes: 16-bit samples", direct, 2, 1, 16, 7);
        assertRefused("direct: 16-bit samples", direct.duplicate().position(1), 2, 1, 16, 8);
        assertRefused("direct: 3 rows of 12 bytes, 27 bytes apart", direct, 3, 4, 8, 27);
        assertRefused("direct: 2 rows", direct, 2, 4, 8, Long.MAX_VALUE);
        assertRefused("direct: 1 rows", direct, 1, Integer.MAX_VALUE, 8, 1L << 40);

        assertEquals(3, Photo.wrap(direct, 3, 4, 8, 26).height());
        assertEquals(1, Photo.wrap(direct, 1, 4, 8, Long.MAX_VALUE).toImage().getHeight());
    }

    @Test
    void toImageIsEightBitRgb() {
        BufferedImage grey = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_GRAY);
        grey.getRaster().setPixels(0, 0, 2, 1, new int[] {128 * 257 + 128, 65535});
        assertEquals(0xFF808080, Photo.of(grey).toImage().getRGB(0, 0));
        assertEquals(0xFFFFFFFF, Photo.of(grey).toImage().getRGB(1, 0));

        BufferedImage color = new BufferedImage(3, 2, BufferedImage.TYPE_INT_RGB);
        color.setRGB(2, 1, 0x102030);
        assertEquals(0xFF102030, Photo.of(color).toImage().getRGB(2, 1));
    }

    @Test
    void refusesWhatOneBufferCannotHold() {
        Photo.requireFits(26754, 26754, 8, "x.png");
        assertTrue(assertThrows(ImageException.class, () -> Photo.requireFits(26754, 26754, 16, "x.png"))
                .getMessage()
                .startsWith("x.png: too large: 26754x26754 pixels of 3 x 16 bits are 4294659096 bytes"));
    }

    static int[] pixel(Photo photo, int y, int x) {
        int[] rgb = new int[3];
        ByteBuffer pixels = photo.pixels();
        for (int c = 0; c < 3; c++) {
            int at = (int) (y * photo.rowStride()) + (3 * x + c) * photo.bits() / 8;
            rgb[c] = photo.bits() == 8 ? pixels.get(at) & 255 : Short.toUnsignedInt(pixels.getShort(at));
        }
        return rgb;
    }

    static void assertNear(int[] expected, int[] actual) {
        for (int c = 0; c < 3; c++) {
            assertEquals(expected[c], actual[c], 4, "channel " + c);
        }
    }

    private static void assertRefused(String start, ByteBuffer direct, int height, int width, int bits, long stride) {
        String message = assertThrows(ImageException.class, () -> Photo.wrap(direct, height, width, bits, stride))
                .getMessage();
        assertTrue(message.startsWith(start), message);
    }

    private static ColorModel rgb(int type, boolean alpha, boolean premultiplied) {
        return new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_sRGB),
                alpha,
                premultiplied,
                alpha ? ColorModel.TRANSLUCENT : ColorModel.OPAQUE,
                type);
    }

    /** The textbook's CMYK. */
    private static final class PlainCmyk extends ColorSpace {
        PlainCmyk() {
            super(TYPE_CMYK, 4);
        }

        @Override
        public float[] toRGB(float[] cmyk) {
            float white = 1 - cmyk[3];
            return new float[] {(1 - cmyk[0]) * white, (1 - cmyk[1]) * white, (1 - cmyk[2]) * white};
        }

        @Override
        public float[] toCIEXYZ(float[] cmyk) {
            return ColorSpace.getInstance(CS_sRGB).toCIEXYZ(toRGB(cmyk));
        }

        @Override
        public float[] fromRGB(float[] rgb) {
            throw new UnsupportedOperationException();
        }

        @Override
        public float[] fromCIEXYZ(float[] xyz) {
            throw new UnsupportedOperationException();
        }
    }
}
