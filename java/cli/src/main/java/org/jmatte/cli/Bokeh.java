package org.jmatte.cli;

import java.util.Random;
import org.jmatte.image.Background;

/** Lights out of focus in a dusky garden: the background that the demo makes up. */
final class Bokeh implements Background {
    private static final float[] ABOVE = {0.10f, 0.16f, 0.30f};
    private static final float[] BELOW = {0.05f, 0.22f, 0.16f};
    private static final int LIGHTS = 48;
    private static final long SEED = 5;

    /** A disc; lengths in heights of the picture. */
    private record Light(float y, float x, float radius, float[] color) {}

    private final int height;
    private final Light[] lights = new Light[LIGHTS];

    Bokeh(int height, int width) {
        this.height = height;
        Random random = new Random(SEED);
        for (int i = 0; i < LIGHTS; i++) {
            float strength = 0.08f + 0.22f * random.nextFloat();
            float warmth = random.nextFloat();
            lights[i] = new Light(
                    random.nextFloat(),
                    random.nextFloat() * width / height,
                    0.03f + 0.09f * random.nextFloat(),
                    new float[] {strength, strength * (0.6f + 0.25f * warmth), strength * (0.75f - 0.6f * warmth)});
        }
    }

    @Override
    public void row(int y, float[] rgb) {
        float down = (y + 0.5f) / height;
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = ABOVE[i % 3] + down * (BELOW[i % 3] - ABOVE[i % 3]);
        }
        for (Light light : lights) {
            for (int x = 0; x < rgb.length / 3; x++) {
                double distance = Math.hypot(down - light.y, (x + 0.5f) / height - light.x);
                float cover = (float) Math.max(0, Math.min(1, (light.radius - distance) * 100));
                for (int c = 0; c < 3; c++) {
                    rgb[3 * x + c] = Math.min(1, rgb[3 * x + c] + cover * light.color[c]);
                }
            }
        }
    }
}
