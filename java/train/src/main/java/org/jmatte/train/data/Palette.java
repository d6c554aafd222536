package org.jmatte.train.data;

/** A few colours that belong together, as sRGB triples in 0..1. */
final class Palette {
    private final float[][] colors;

    private Palette(float[][] colors) {
        this.colors = colors;
    }

    /** Colours of one character: coats of animals, foliage, greys, pastels, or anything. */
    static Palette draw(Rng rng) {
        float[][] colors = new float[5][];
        float hue = rng.uniform();
        int mood = rng.below(6);
        for (int i = 0; i < colors.length; i++) {
            colors[i] = switch (mood) {
                case 0 -> coat(rng);
                case 1 -> hsv(rng.between(0.13f, 0.4f), rng.between(0.2f, 0.9f), rng.between(0.1f, 0.85f));
                case 2 -> hsv(hue, rng.between(0, 0.15f), rng.uniform());
                case 3 -> hsv(hue + 0.08f * rng.normal(), rng.between(0.1f, 0.9f), rng.between(0.1f, 1));
                case 4 -> hsv(rng.uniform(), rng.between(0.05f, 0.4f), rng.between(0.5f, 1));
                default -> hsv(rng.uniform(), rng.uniform(), rng.uniform());
            };
        }
        return new Palette(colors);
    }

    /** The colours of fur and hair: black, grey, white, and browns from cream to chestnut. */
    static Palette coats(Rng rng) {
        float[][] colors = new float[5][];
        for (int i = 0; i < colors.length; i++) {
            colors[i] = coat(rng);
        }
        return new Palette(colors);
    }

    /** Greens, with some yellow and brown. */
    static Palette foliage(Rng rng) {
        float[][] colors = new float[5][];
        for (int i = 0; i < colors.length; i++) {
            colors[i] = hsv(rng.between(0.13f, 0.4f), rng.between(0.2f, 0.9f), rng.between(0.1f, 0.85f));
        }
        return new Palette(colors);
    }

    /** The colours between two, and a little beyond. */
    static Palette around(float[] first, float[] second, Rng rng) {
        float[][] colors = new float[5][];
        for (int i = 0; i < colors.length; i++) {
            colors[i] = jitter(mix(first, second, 0.25f * i), 0.06f, rng);
        }
        return new Palette(colors);
    }

    /** The colours found at random places of a picture. */
    static Palette of(Picture picture, Rng rng) {
        float[][] colors = new float[5][3];
        for (float[] color : colors) {
            picture.color(rng.between(0, picture.width()), rng.between(0, picture.height()), color);
        }
        return new Palette(colors);
    }

    /** The colours of a layer at random places where it covers. */
    static Palette of(Layer layer, Rng rng) {
        float[][] colors = new float[5][];
        for (int i = 0; i < colors.length; i++) {
            int at = rng.below(layer.alpha.length);
            for (int tries = 0; layer.alpha[at] < 0.5f && tries < 64; tries++) {
                at = rng.below(layer.alpha.length);
            }
            float inverse = 1 / Math.max(0.05f, layer.alpha[at]);
            colors[i] = new float[] {
                clamp(layer.red[at] * inverse), clamp(layer.green[at] * inverse), clamp(layer.blue[at] * inverse)
            };
        }
        return new Palette(colors);
    }

    /** A colour of the palette, a little changed. */
    float[] color(Rng rng) {
        return jitter(colors[rng.below(colors.length)], 0.05f, rng);
    }

    /** The colour of the palette that is farthest in lightness from the given one, a little changed. */
    float[] contrast(float[] other, Rng rng) {
        float[] farthest = colors[0];
        for (float[] color : colors) {
            if (Math.abs(light(color) - light(other)) > Math.abs(light(farthest) - light(other))) {
                farthest = color;
            }
        }
        return jitter(farthest, 0.05f, rng);
    }

    private static float[] coat(Rng rng) {
        return switch (rng.below(5)) {
            case 0 -> hsv(rng.between(0.02f, 0.12f), rng.between(0, 0.25f), rng.between(0.05f, 0.22f));
            case 1 -> hsv(rng.between(0.05f, 0.13f), rng.between(0, 0.15f), rng.between(0.75f, 1));
            case 2 -> hsv(rng.between(0, 1), rng.between(0, 0.08f), rng.between(0.2f, 0.75f));
            case 3 -> hsv(rng.between(0.04f, 0.1f), rng.between(0.4f, 0.85f), rng.between(0.2f, 0.6f));
            default -> hsv(rng.between(0.05f, 0.13f), rng.between(0.25f, 0.75f), rng.between(0.5f, 0.95f));
        };
    }

    /** Human skin, from pale to deep. */
    static float[] skin(Rng rng) {
        float depth = rng.uniform();
        return hsv(0.045f + 0.02f * rng.uniform(), 0.28f + 0.35f * depth, 0.97f - 0.65f * depth * depth);
    }

    static float[] jitter(float[] color, float amount, Rng rng) {
        float light = amount * rng.normal();
        float[] result = new float[3];
        for (int c = 0; c < 3; c++) {
            result[c] = clamp(color[c] * (1 + light) + light * 0.5f + 0.4f * amount * rng.normal());
        }
        return result;
    }

    static float[] mix(float[] from, float[] to, float share) {
        float[] result = new float[3];
        for (int c = 0; c < 3; c++) {
            result[c] = from[c] + share * (to[c] - from[c]);
        }
        return result;
    }

    static float light(float[] color) {
        return 0.3f * color[0] + 0.59f * color[1] + 0.11f * color[2];
    }

    static float clamp(float value) {
        return value < 0 ? 0 : value > 1 ? 1 : value;
    }

    /** Hue of period 1, saturation and value in 0..1. */
    static float[] hsv(float hue, float saturation, float value) {
        float[] color = new float[3];
        for (int c = 0; c < 3; c++) {
            float k = hue * 6 + 5 - 2 * c;
            k -= 6 * Noise.floor(k / 6);
            color[c] = clamp(value * (1 - saturation * Math.max(0, Math.min(1, Math.min(k, 4 - k)))));
        }
        return color;
    }
}
