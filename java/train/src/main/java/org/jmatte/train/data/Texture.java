package org.jmatte.train.data;

/** A colour for every place of the plane; pure, so it may be asked anywhere in any order. */
@FunctionalInterface
interface Texture {
    /** Puts red, green and blue in 0..1 at (x, y) into {@code rgb}. */
    void color(float x, float y, float[] rgb);

    static Texture flat(float[] color) {
        return (x, y, rgb) -> {
            rgb[0] = color[0];
            rgb[1] = color[1];
            rgb[2] = color[2];
        };
    }
}
