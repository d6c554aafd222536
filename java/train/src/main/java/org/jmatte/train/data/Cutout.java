package org.jmatte.train.data;

/** A foreground picture with its alpha, of the same size; alpha is the first channel of its picture. */
record Cutout(String name, Picture colors, Picture alpha) {

    int height() {
        return alpha.height();
    }

    int width() {
        return alpha.width();
    }

    boolean hasTransition() {
        for (int i = 0; i < height() * width(); i++) {
            if (isTransition(i)) {
                return true;
            }
        }
        return false;
    }

    /** The index of a random pixel of the transition from foreground to background, of which there must be one. */
    int transition(Rng rng) {
        int count = 0;
        for (int i = 0; i < height() * width(); i++) {
            count += isTransition(i) ? 1 : 0;
        }
        int left = rng.below(count);
        for (int i = 0; ; i++) {
            if (isTransition(i) && left-- == 0) {
                return i;
            }
        }
    }

    /** Neither opaque nor clear, or beside another value. */
    private boolean isTransition(int index) {
        int value = value(index);
        return value != 0 && value != 255
                || (index + 1) % width() != 0 && value(index + 1) != value
                || index + width() < height() * width() && value(index + width()) != value;
    }

    private int value(int index) {
        return alpha.rgb()[3 * index] & 255;
    }

    /** Puts the colour at (x, y) into {@code rgb} and returns its alpha, which is 0 outside the picture. */
    float color(float x, float y, float[] rgb) {
        float opacity = 0;
        if (x >= 0 && y >= 0 && x < width() && y < height()) {
            alpha.color(x, y, rgb);
            opacity = rgb[0];
        }
        colors.color(x, y, rgb);
        return opacity;
    }
}
