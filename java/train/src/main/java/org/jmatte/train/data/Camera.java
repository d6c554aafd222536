package org.jmatte.train.data;

/** What taking the picture does to foreground and background alike: focus, motion, light, tone and noise. */
final class Camera {
    private static final int STEPS = 256;
    private static final float SHARPENED = 0.25f;
    private static final float COMPRESSED = 0.35f;

    private Camera() {}

    /** Blurs the subject: seldom strongly, sometimes only in places, as depth of field does. */
    static void focus(Layer subject, Scene scene) {
        Rng rng = scene.rng();
        float style = rng.uniform();
        if (style < 0.3f) {
            return;
        }
        if (style < 0.65f) {
            float sigma = rng.between(0.3f, 1);
            subject.filter((plane, side) -> Blur.gaussian(plane, side, sigma));
        } else if (style < 0.78f) {
            defocus(subject, scene);
        } else if (style < 0.92f) {
            Layer blurred = subject.copy();
            defocus(blurred, scene);
            float cell = 1 / (scene.side() * rng.between(0.3f, 1));
            float offset = rng.between(0, 256);
            subject.mix(blurred, (x, y) -> Noise.step(0.5f + 1.5f * Noise.value(x * cell + offset, y * cell)));
        } else {
            float length = scene.unit() * rng.logBetween(2, 22);
            float angle = rng.angle();
            subject.filter((plane, side) -> Blur.line(plane, side, length, angle));
        }
    }

    /** Blurs a layer as the scene's whole picture is blurred. */
    static void soften(Layer layer, Scene scene) {
        layer.filter((plane, side) -> Blur.gaussian(plane, side, scene.softness()));
    }

    private static void defocus(Layer layer, Scene scene) {
        Rng rng = scene.rng();
        float radius = scene.unit() * rng.logBetween(1.2f, 7);
        if (rng.chance(0.5)) {
            layer.filter((plane, side) -> Blur.gaussian(plane, side, 0.6f * radius));
        } else {
            layer.filter((plane, side) -> Blur.disc(plane, side, radius));
        }
    }

    /** Changes tone, light and noise of both colours, which stay in 0..1. */
    static void expose(float[] foreground, float[] background, Scene scene) {
        Rng rng = scene.rng();
        if (rng.chance(0.7)) {
            tone(foreground, background, rng);
        }
        if (rng.chance(0.25)) {
            shade(foreground, background, scene);
        }
        if (rng.chance(0.7)) {
            noise(foreground, background, scene);
        }
    }

    /** Gamma, brightness, contrast, and a cast, by a table for each channel. */
    private static void tone(float[] foreground, float[] background, Rng rng) {
        int size = foreground.length / 3;
        float gamma = rng.logBetween(0.65f, 1.4f);
        float gain = rng.logBetween(0.75f, 1.25f);
        float lift = 0.05f * rng.normal();
        for (int c = 0; c < 3; c++) {
            float channelGain = gain * (1 + 0.06f * rng.normal());
            float[] table = new float[STEPS + 2];
            for (int i = 0; i < table.length; i++) {
                table[i] = Palette.clamp(lift + channelGain * (float) StrictMath.pow((double) i / STEPS, gamma));
            }
            look(foreground, c * size, size, table);
            look(background, c * size, size, table);
        }
    }

    private static void look(float[] plane, int start, int size, float[] table) {
        for (int i = start; i < start + size; i++) {
            float at = plane[i] * STEPS;
            int k = (int) at;
            plane[i] = table[k] + (at - k) * (table[k + 1] - table[k]);
        }
    }

    private static void shade(float[] foreground, float[] background, Scene scene) {
        Rng rng = scene.rng();
        int side = scene.side();
        float cell = 1 / (side * rng.between(0.3f, 1.2f));
        float offset = rng.between(0, 256);
        float depth = rng.between(0.15f, 0.6f);
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                float factor = 1 - depth * Noise.step(0.5f + Noise.value(x * cell + offset, y * cell));
                for (int i = y * side + x; i < foreground.length; i += side * side) {
                    foreground[i] *= factor;
                    background[i] *= factor;
                }
            }
        }
    }

    /** Sharpens and compresses the composite: what that changes is added to both colours. */
    static void develop(float[] foreground, float[] background, float[] alpha, Scene scene) {
        Rng rng = scene.rng();
        if (rng.chance(SHARPENED)) {
            float[] image = Sample.composite(foreground, background, alpha);
            add(halo(image, scene.side(), rng.between(0.4f, 1.5f), rng.between(0.2f, 1.2f)), foreground, background);
        }
        if (rng.chance(COMPRESSED)) {
            float[] image = Sample.composite(foreground, background, alpha);
            add(Jpeg.loss(image, scene.side(), rng.logBetween(0.1f, 1)), foreground, background);
        }
    }

    private static void add(float[] change, float[] foreground, float[] background) {
        for (int i = 0; i < change.length; i++) {
            foreground[i] = Palette.clamp(foreground[i] + change[i]);
            background[i] = Palette.clamp(background[i] + change[i]);
        }
    }

    /** What an unsharp mask adds: a share of the difference to the blurred image. */
    private static float[] halo(float[] image, int side, float sigma, float amount) {
        float[] result = new float[image.length];
        float[] plane = new float[side * side];
        for (int start = 0; start < image.length; start += plane.length) {
            System.arraycopy(image, start, plane, 0, plane.length);
            Blur.gaussian(plane, side, sigma);
            for (int i = 0; i < plane.length; i++) {
                result[start + i] = amount * (image[start + i] - plane[i]);
            }
        }
        return result;
    }

    /** The same noise on both, so that it is that of the composite. */
    private static void noise(float[] foreground, float[] background, Scene scene) {
        Rng rng = scene.rng();
        int side = scene.side();
        int size = side * side;
        float strength = rng.logBetween(0.003f, 0.05f);
        float colored = rng.between(0.2f, 1);
        float grain = rng.chance(0.5) ? 0 : rng.between(0.4f, 1);
        float[] luminance = grains(side, strength, grain, rng);
        for (int c = 0; c < 3; c++) {
            float[] chroma = grains(side, strength * colored, grain, rng);
            for (int i = 0; i < size; i++) {
                float n = luminance[i] + chroma[i];
                foreground[c * size + i] = Palette.clamp(foreground[c * size + i] + n);
                background[c * size + i] = Palette.clamp(background[c * size + i] + n);
            }
        }
    }

    private static float[] grains(int side, float strength, float grain, Rng rng) {
        float[] plane = new float[side * side];
        for (int i = 0; i < plane.length; i++) {
            plane[i] = strength * rng.normal();
        }
        Blur.gaussian(plane, side, grain);
        return plane;
    }
}
