package org.jmatte.image;

import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rows of any {@link BufferedImage} that shows greys alone, as one sample per pixel: 8 bits, or 16 bits in native
 * order. Reading a row throws {@link ImageException} at the first pixel whose colour channels differ.
 */
final class GreyRows implements Orientation.Rows {
    private static final Logger LOG = LoggerFactory.getLogger(GreyRows.class);

    private final RgbRows rows;
    private final ByteBuffer rgb;
    private final int width;
    private final String kind;
    private final String name;

    private GreyRows(RgbRows rows, int width, String kind, String name) {
        this.rows = rows;
        this.rgb = ByteBuffer.allocate(width * rows.pixelBytes()).order(ByteOrder.nativeOrder());
        this.width = width;
        this.kind = kind;
        this.name = name;
    }

    /**
     * @param kind what the image is, with its article, for messages
     * @param name the image's own, for messages
     */
    static GreyRows of(BufferedImage image, String kind, String name) {
        if (image.getColorModel().hasAlpha()) {
            LOG.info("{}: the alpha channel is ignored, {} is read from the colours", name, kind);
        }
        return new GreyRows(RgbRows.of(image), image.getWidth(), kind, name);
    }

    /** 8 or 16. */
    int bits() {
        return rows.bits();
    }

    @Override
    public void read(int y, byte[] target, int offset) {
        rows.read(y, rgb.array(), 0);
        if (bits() == 8) {
            for (int x = 0; x < width; x++) {
                byte value = rgb.get(3 * x);
                requireGrey(y, x, value & 255, rgb.get(3 * x + 1) & 255, rgb.get(3 * x + 2) & 255);
                target[offset + x] = value;
            }
            return;
        }
        for (int x = 0; x < width; x++) {
            requireGrey(y, x, sample(3 * x), sample(3 * x + 1), sample(3 * x + 2));
            target[offset + 2 * x] = rgb.get(6 * x);
            target[offset + 2 * x + 1] = rgb.get(6 * x + 1);
        }
    }

    private int sample(int index) {
        return Short.toUnsignedInt(rgb.getShort(2 * index));
    }

    private void requireGrey(int y, int x, int red, int green, int blue) {
        if (green != red || blue != red) {
            throw new ImageException(name + ": " + kind + " is grey, but pixel x=" + x + ", y=" + y + " is (" + red
                    + ", " + green + ", " + blue + "); give black for background, white for foreground and grey"
                    + " between");
        }
    }
}
