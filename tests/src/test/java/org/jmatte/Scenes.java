package org.jmatte;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;

/** Made-up photos and trimaps of any size, the same for the same seed. */
public final class Scenes {
    private static final byte FOREGROUND = (byte) 255;
    private static final byte UNKNOWN = (byte) 128;

    private Scenes() {}

    /** Colour gradients with noise, 8 bits. */
    public static Photo photo(int height, int width, long seed) {
        ByteBuffer pixels = ByteBuffer.allocateDirect(3 * height * width);
        for (byte sample : samples(height, width, seed)) {
            pixels.put(sample);
        }
        return Photo.wrap(pixels.flip(), height, width, 8, 3L * width);
    }

    /** The photo of the same seed in 16 bits; every value stands for the same colour. */
    static Photo photo16(int height, int width, long seed) {
        ByteBuffer pixels = ByteBuffer.allocateDirect(6 * height * width).order(ByteOrder.nativeOrder());
        for (byte sample : samples(height, width, seed)) {
            pixels.putShort((short) ((sample & 255) * 257));
        }
        return Photo.wrap(pixels.flip(), height, width, 16, 6L * width);
    }

    private static byte[] samples(int height, int width, long seed) {
        Random random = new Random(seed);
        double[] slopes = random.doubles(6, -200, 200).toArray();
        byte[] samples = new byte[3 * height * width];
        for (int i = 0; i < samples.length; i++) {
            int c = i % 3;
            int x = i / 3 % width;
            int y = i / 3 / width;
            double value = 128 + slopes[c] * x / width + slopes[3 + c] * y / height + random.nextInt(60) - 30;
            samples[i] = (byte) Math.max(0, Math.min(255, value));
        }
        return samples;
    }

    /** A foreground disc in an unknown ring. */
    public static Trimap disc(int height, int width, long seed) {
        Random random = new Random(seed);
        double centreY = (0.3 + 0.4 * random.nextDouble()) * height;
        double centreX = (0.3 + 0.4 * random.nextDouble()) * width;
        double radius = 0.3 * Math.min(height, width);
        byte[] values = new byte[height * width];
        for (int i = 0; i < values.length; i++) {
            double distance = Math.hypot(i / width - centreY, i % width - centreX);
            values[i] = distance < 0.8 * radius ? FOREGROUND : distance < 1.2 * radius ? UNKNOWN : 0;
        }
        return trimap(values, height, width);
    }

    /** Foreground beside background, with an unknown band of the given width along a slanted line. */
    static Trimap band(int height, int width, int thickness, long seed) {
        Random random = new Random(seed);
        double start = random.nextDouble() * width;
        double slope = random.nextDouble() * 2 - 1;
        byte[] values = new byte[height * width];
        for (int i = 0; i < values.length; i++) {
            double side = i % width - start - slope * (i / width);
            values[i] = side < 0 ? 0 : side < thickness ? UNKNOWN : FOREGROUND;
        }
        return trimap(values, height, width);
    }

    /** Known rectangles with a few small unknown ones. */
    static Trimap patches(int height, int width, long seed) {
        Random random = new Random(seed);
        byte[] values = new byte[height * width];
        for (int patch = 0; patch < 12; patch++) {
            boolean known = patch < 6;
            int top = random.nextInt(height);
            int left = random.nextInt(width);
            int bottom = Math.min(height, top + 1 + random.nextInt(known ? height : 20));
            int right = Math.min(width, left + 1 + random.nextInt(known ? width : 20));
            byte value = known ? (byte) (255 * random.nextInt(2)) : UNKNOWN;
            for (int y = top; y < bottom; y++) {
                for (int x = left; x < right; x++) {
                    values[y * width + x] = value;
                }
            }
        }
        return trimap(values, height, width);
    }

    /** Foreground on the left, background on the right, and a single unknown pixel. */
    static Trimap pixel(int height, int width, int y, int x) {
        Trimap known = known(height, width);
        byte[] values = new byte[height * width];
        known.bytes().get(0, values);
        values[y * width + x] = UNKNOWN;
        return trimap(values, height, width);
    }

    /** Foreground on the left, background on the right, nothing unknown. */
    static Trimap known(int height, int width) {
        byte[] values = new byte[height * width];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % width < width / 2 ? FOREGROUND : 0;
        }
        return trimap(values, height, width);
    }

    /** Unknown everywhere. */
    public static Trimap unknown(int height, int width) {
        byte[] values = new byte[height * width];
        Arrays.fill(values, UNKNOWN);
        return trimap(values, height, width);
    }

    static Trimap trimap(byte[] values, int height, int width) {
        return trimap(values, height, width, Trimap.Values.SNAP);
    }

    static Trimap trimap(byte[] values, int height, int width, Trimap.Values reading) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(values.length).put(values).flip();
        return Trimap.wrap(bytes, height, width, reading);
    }
}
