package org.jmatte.train.data;

/** Something to paint: a colour and how much it covers, for every place. */
@FunctionalInterface
interface Surface {
    /** Coverage in 0..1 at (x, y), with the colour in {@code rgb} where it is not 0. */
    float cover(float x, float y, float[] rgb);

    /** Whether nothing within the radius of (x, y) is covered; may be left undecided. */
    default boolean misses(float x, float y, float radius) {
        return false;
    }

    static Surface everywhere(Texture texture) {
        return (x, y, rgb) -> {
            texture.color(x, y, rgb);
            return 1;
        };
    }
}
