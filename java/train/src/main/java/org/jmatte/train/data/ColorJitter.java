package org.jmatte.train.data;

/** A random change of hue, saturation, brightness and contrast: a matrix and an offset, clamped to 0..1. */
final class ColorJitter {
    private final float[] matrix = new float[9];
    private final float offset;

    private ColorJitter(float hue, float saturation, float gain, float offset) {
        this.offset = offset;
        float cos = (float) StrictMath.cos(hue) * saturation * gain;
        float sin = (float) (StrictMath.sin(hue) / StrictMath.sqrt(3)) * saturation * gain;
        // turned about the axis of greys, which keep their lightness
        float grey = (gain - cos) / 3;
        for (int row = 0; row < 3; row++) {
            matrix[3 * row + row] = grey + cos;
            matrix[3 * row + (row + 1) % 3] = grey - sin;
            matrix[3 * row + (row + 2) % 3] = grey + sin;
        }
    }

    static ColorJitter draw(Rng rng) {
        float gain = rng.between(0.75f, 1.25f);
        float middle = 0.5f + rng.between(-0.12f, 0.12f);
        return new ColorJitter(0.25f * rng.normal(), rng.between(0.6f, 1.3f), gain, middle - 0.5f * gain);
    }

    /** Changes the first three values. */
    void apply(float[] rgb) {
        float red = rgb[0];
        float green = rgb[1];
        float blue = rgb[2];
        for (int c = 0; c < 3; c++) {
            rgb[c] = Palette.clamp(matrix[3 * c] * red + matrix[3 * c + 1] * green + matrix[3 * c + 2] * blue + offset);
        }
    }
}
