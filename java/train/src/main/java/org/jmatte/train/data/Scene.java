package org.jmatte.train.data;

/** What the painters of one sample share: the draws, the size, the light, the pictures at hand. */
final class Scene {
    private final Rng rng;
    private final int side;
    private final Pictures pictures;
    private final float lightX;
    private final float lightY;
    private final float softness;
    private final boolean simple;

    Scene(Rng rng, int side, Pictures pictures) {
        this(rng, side, pictures, rng.angle(), false);
    }

    private Scene(Rng rng, int side, Pictures pictures, float lightAngle, boolean simple) {
        this.rng = rng;
        this.side = side;
        this.pictures = pictures;
        this.simple = simple;
        softness = rng.chance(0.25) ? rng.between(0.4f, 1.6f) : 0;
        lightX = (float) StrictMath.cos(lightAngle);
        lightY = (float) StrictMath.sin(lightAngle);
    }

    /** The same scene for the inside of a texture: with simple textures only. */
    Scene simplified() {
        return new Scene(rng, side, pictures, rng.angle(), true);
    }

    /** Whether textures must not be made of pictures painted for them. */
    boolean simple() {
        return simple;
    }

    Rng rng() {
        return rng;
    }

    int side() {
        return side;
    }

    /** The length that sizes of things are given in: 1 at a side of 192 pixels. */
    float unit() {
        return side / 192f;
    }

    float lightX() {
        return lightX;
    }

    float lightY() {
        return lightY;
    }

    /** Deviation in pixels of the blur of the whole picture; mostly 0. */
    float softness() {
        return softness;
    }

    boolean hasPictures() {
        return pictures.count() > 0;
    }

    Picture picture() {
        return pictures.draw(rng);
    }
}
