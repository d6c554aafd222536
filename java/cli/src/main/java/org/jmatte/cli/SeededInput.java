package org.jmatte.cli;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.stream.IntStream;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;

/**
 * A photo-like image and a trimap with all three values, made from a seed: waves and noise, and a disk within a ring.
 * Float32 throughout, one operation after the other, so that other programs can make the same bytes.
 */
record SeededInput(Photo photo, Trimap trimap) {
    private static final String SEEDED = "seeded:";
    private static final float[][] WAVES = {{2, 1}, {1, 3}, {3, 2}};
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    static SeededInput of(int height, int width, String seed) {
        ByteBuffer pixels = ByteBuffer.allocateDirect(Math.multiplyExact(3, Math.multiplyExact(height, width)));
        ByteBuffer known = ByteBuffer.allocateDirect(height * width);
        long start = fnv1a(seed + ":image");
        IntStream.range(0, height).parallel().forEach(y -> {
            for (int x = 0; x < width; x++) {
                float v = (float) y / height;
                float u = (float) x / width;
                int at = y * width + x;
                for (int channel = 0; channel < 3; channel++) {
                    float noise = uniform(start, channel * (long) height * width + at);
                    pixels.put(3 * at + channel, pixel(u, v, WAVES[channel], noise));
                }
                known.put(at, trimap(u - 0.5f, v - 0.5f));
            }
        });
        return new SeededInput(
                Photo.wrap(pixels, height, width, 8, 3L * width),
                Trimap.wrap(known, height, width, Trimap.Values.SNAP));
    }

    /** The seed that a model's weights are made from, else 1. @param weights the checkpoint's description */
    static String seed(String weights) {
        return weights.startsWith(SEEDED) ? weights.substring(weights.lastIndexOf(':') + 1) : "1";
    }

    private static byte pixel(float u, float v, float[] wave, float noise) {
        float sine = (float) Math.sin(6.283f * (wave[0] * u + wave[1] * v));
        float value = 127.5f + 90 * sine + 37 * noise;
        return (byte) Math.rint(Math.max(0, Math.min(255, value)));
    }

    private static byte trimap(float u, float v) {
        float radius = (float) Math.sqrt(u * u + v * v);
        return (byte) (radius < 0.2f ? 255 : radius < 0.35f ? 128 : 0);
    }

    /** The index-th number in [-1, 1): the top 24 bits of splitmix64. */
    private static float uniform(long start, long index) {
        long x = start + (index + 1) * GOLDEN_GAMMA;
        x = (x ^ x >>> 30) * 0xBF58476D1CE4E5B9L;
        x = (x ^ x >>> 27) * 0x94D049BB133111EBL;
        x ^= x >>> 31;
        return (x >>> 40) * 0x1p-23f - 1;
    }

    private static long fnv1a(String text) {
        long hash = 0xCBF29CE484222325L;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ b & 255) * 0x100000001B3L;
        }
        return hash;
    }
}
