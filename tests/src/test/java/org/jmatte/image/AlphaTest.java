package org.jmatte.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.nio.ByteOrder;
import org.jmatte.image.Alpha.Format;
import org.junit.jupiter.api.Test;

class AlphaTest {
    @Test
    void bytesAreValuesOf255() {
        Alpha alpha = Alpha.allocate(2, 3, Format.U8);
        alpha.values().put(5, (byte) 200);

        assertEquals(6, alpha.values().capacity());
        assertEquals(200 / 255f, alpha.get(1, 2));
        assertEquals(0, alpha.get(0, 2));
        assertEquals(BufferedImage.TYPE_BYTE_GRAY, alpha.toImage().getType());
        assertEquals(200, alpha.toImage().getRaster().getSample(2, 1, 0));
    }

    @Test
    void shortsAreValuesOf65535() {
        Alpha alpha = Alpha.allocate(2, 3, Format.U16);
        alpha.values().putShort(10, (short) 65535);
        alpha.values().putShort(0, (short) 40000);

        assertEquals(1, alpha.get(1, 2));
        assertEquals(40000 / 65535f, alpha.get(0, 0));
        assertEquals(BufferedImage.TYPE_USHORT_GRAY, alpha.toImage().getType());
        assertEquals(40000, alpha.toImage().getRaster().getSample(0, 0, 0));
    }

    @Test
    void floatsAreKeptAndRoundedInAnImage() {
        Alpha alpha = Alpha.allocate(1, 4, Format.F32);
        float[] values = {0.3f, 1, -0.5f, 1.5f};
        alpha.values().asFloatBuffer().put(values);

        assertEquals(0.3f, alpha.get(0, 0));
        assertEquals(19661, alpha.toImage().getRaster().getSample(0, 0, 0));
        assertEquals(65535, alpha.toImage().getRaster().getSample(1, 0, 0));
        assertEquals(0, alpha.toImage().getRaster().getSample(2, 0, 0));
        assertEquals(65535, alpha.toImage().getRaster().getSample(3, 0, 0));
    }

    @Test
    void theBufferIsDirectAndNative() {
        for (Format format : Format.values()) {
            Alpha alpha = Alpha.allocate(3, 5, format);
            assertTrue(alpha.values().isDirect());
            assertEquals(ByteOrder.nativeOrder(), alpha.values().order());
            assertEquals(15 * format.bytes(), alpha.values().remaining());
        }
    }

    @Test
    void sizesAreChecked() {
        assertThrows(IndexOutOfBoundsException.class, () -> Alpha.allocate(2, 2, Format.U8)
                .get(0, 2));
        assertThrows(ImageException.class, () -> Alpha.allocate(0, 2, Format.U8));
        String message = assertThrows(ImageException.class, () -> Alpha.allocate(30000, 30000, Format.F32))
                .getMessage();
        assertTrue(message.startsWith("alpha: too large: 30000x30000 values of 4 bytes are 3600000000 bytes"), message);
    }

    @Test
    void rowsAreFloats() {
        for (Format format : Format.values()) {
            Alpha alpha = Alpha.allocate(2, 3, format);
            switch (format) {
                case U8 -> alpha.values().put(4, (byte) 200);
                case U16 -> alpha.values().putShort(8, (short) 40000);
                case F32 -> alpha.values().putFloat(16, 0.3f);
            }
            float[] row = {9, 9, 9, 9};
            alpha.row(1, row);
            assertArrayEquals(new float[] {0, alpha.get(1, 1), 0, 9}, row);
            assertThrows(IndexOutOfBoundsException.class, () -> alpha.row(2, row));
            assertThrows(IndexOutOfBoundsException.class, () -> alpha.row(0, new float[2]));
        }
    }

    @Test
    void greyImagesAreTakenAsStored() {
        Alpha bytes = Alpha.of(TestFiles.grey(3, 0, 100, 255, 1, 2, 3));
        assertEquals(Format.U8, bytes.format());
        assertEquals(2, bytes.height());
        assertEquals(100 / 255f, bytes.get(0, 1));
        assertEquals(3 / 255f, bytes.get(1, 2));

        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_GRAY);
        image.getRaster().setSample(1, 0, 0, 40001);
        assertEquals(Format.U16, Alpha.of(image).format());
        assertEquals(40001 / 65535f, Alpha.of(image).get(0, 1));
        assertEquals(40001, Alpha.of(image).toImage().getRaster().getSample(1, 0, 0));

        BufferedImage rgb = new BufferedImage(2, 1, BufferedImage.TYPE_INT_ARGB);
        rgb.setRGB(1, 0, 0x80404040);
        assertEquals(64 / 255f, Alpha.of(rgb).get(0, 1));
    }

    @Test
    void colouredImagesAreRefused() {
        BufferedImage image = new BufferedImage(2, 3, BufferedImage.TYPE_INT_RGB);
        image.setRGB(1, 2, 0x010203);
        ImageException e = assertThrows(ImageException.class, () -> Alpha.of(image));
        assertTrue(e.getMessage().contains("an alpha matte is grey, but pixel x=1, y=2 is (1, 2, 3)"), e.getMessage());
    }
}
