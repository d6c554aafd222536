package org.jmatte.train.data;

import java.awt.image.BufferedImage;

/** Small pictures to be written to files. */
final class TestPictures {
    private TestPictures() {}

    /** Red grows to the right, green downwards. */
    static BufferedImage gradient(int height, int width) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                image.setRGB(x, y, 255 * x / width << 16 | 255 * y / height << 8 | 90);
            }
        }
        return image;
    }

    /** A disc in the middle with an edge of some pixels. */
    static BufferedImage disc(int height, int width, double radius) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                double distance = Math.hypot(y - height / 2.0, x - width / 2.0) - radius;
                int value = (int) Math.max(0, Math.min(255, 128 - 40 * distance));
                image.getRaster().setSample(x, y, 0, value);
            }
        }
        return image;
    }
}
