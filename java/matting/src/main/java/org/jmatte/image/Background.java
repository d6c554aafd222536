package org.jmatte.image;

import java.util.Objects;

/** What a foreground is laid over: a picture of its size, asked for row by row, maybe by several threads at once. */
@FunctionalInterface
public interface Background {
    /**
     * Tells a row.
     *
     * @param y row, from 0
     * @param rgb receives red, green and blue in 0..1 for every pixel of the row
     */
    void row(int y, float[] rgb);

    /** The same colour everywhere; its parts in 0..1. */
    static Background color(float red, float green, float blue) {
        return (y, rgb) -> {
            for (int i = 0; i < rgb.length; i += 3) {
                rgb[i] = red;
                rgb[i + 1] = green;
                rgb[i + 2] = blue;
            }
        };
    }

    /**
     * A photo scaled so that it just covers height x width: its proportions are kept, and what is over is cut off on both
     * sides alike. Scaled up it is interpolated linearly, scaled down averaged.
     *
     * @throws ImageException if a side is less than 1
     */
    static Background cover(Photo photo, int height, int width) {
        Objects.requireNonNull(photo, "photo");
        Photo.requireSides(height, width);
        return new CoveringPhoto(photo, height, width);
    }
}
