package org.jmatte.image;

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
}
