package org.jmatte.train.data;

import java.nio.ByteBuffer;
import org.jmatte.image.Photo;

/** A decoded picture of 8-bit R, G, B, interleaved, to be looked up between pixels. */
record Picture(int height, int width, byte[] rgb) {

    /** Copies a photo, reduced by a whole factor so that neither side exceeds {@code limit}. */
    static Picture of(Photo photo, int limit) {
        int factor = (Math.max(photo.height(), photo.width()) - 1) / limit + 1;
        int height = Math.max(1, photo.height() / factor);
        int width = Math.max(1, photo.width() / factor);
        byte[] rgb = new byte[3 * height * width];
        ByteBuffer pixels = photo.pixels();
        int shift = photo.bits() - 8;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                for (int c = 0; c < 3; c++) {
                    int sum = 0;
                    for (int j = 0; j < factor; j++) {
                        long row = (long) Math.min(photo.height() - 1, y * factor + j) * photo.rowStride();
                        for (int i = 0; i < factor; i++) {
                            int sample = 3 * Math.min(photo.width() - 1, x * factor + i) + c;
                            sum += shift == 0
                                    ? pixels.get((int) row + sample) & 255
                                    : Short.toUnsignedInt(pixels.getShort((int) row + 2 * sample)) >> shift;
                        }
                    }
                    rgb[3 * (y * width + x) + c] = (byte) ((sum + factor * factor / 2) / (factor * factor));
                }
            }
        }
        return new Picture(height, width, rgb);
    }

    /** The colour at (x, y), bilinear between pixel centres, mirrored beyond the borders. */
    void color(float x, float y, float[] target) {
        float px = mirrored(x - 0.5f, width - 1);
        float py = mirrored(y - 0.5f, height - 1);
        int left = (int) px;
        int top = (int) py;
        float u = px - left;
        float v = py - top;
        int at = 3 * (top * width + left);
        int right = left + 1 < width ? 3 : 0;
        int below = top + 1 < height ? 3 * width : 0;
        for (int c = 0; c < 3; c++, at++) {
            float upper = (rgb[at] & 255) * (1 - u) + (rgb[at + right] & 255) * u;
            float lower = (rgb[at + below] & 255) * (1 - u) + (rgb[at + below + right] & 255) * u;
            target[c] = (upper + v * (lower - upper)) * (1f / 255);
        }
    }

    private static float mirrored(float at, int last) {
        if (last == 0) {
            return 0;
        }
        float period = 2 * last;
        float phase = at - period * Noise.floor(at / period);
        return Math.max(0, Math.min(last, phase <= last ? phase : period - phase));
    }
}
