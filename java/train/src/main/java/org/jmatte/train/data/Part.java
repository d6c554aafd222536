package org.jmatte.train.data;

/**
 * A shape with a texture, lit from one side and darkened or lightened towards its rim.
 *
 * @param softness width in pixels over which coverage goes from 1 to 0 around the outline, at least 1
 */
record Part(Shape shape, Texture texture, Light light, float softness, float opacity) implements Surface {

    /** Shading: {@code 1 + slope . (x - centre)} times a rim that reaches {@code 1 / inverseWidth} pixels inwards. */
    record Light(float centerX, float centerY, float slopeX, float slopeY, float rim, float inverseWidth) {
        /** The scene's light on a part of this centre and radius. */
        static Light draw(float centerX, float centerY, float radius, Scene scene) {
            Rng rng = scene.rng();
            float strength = rng.between(0.1f, 0.5f) / Math.max(4, radius);
            return new Light(
                    centerX,
                    centerY,
                    strength * scene.lightX(),
                    strength * scene.lightY(),
                    rng.chance(0.75) ? -rng.between(0, 0.45f) : rng.between(0, 0.4f),
                    1 / Math.max(2, radius * rng.between(0.15f, 0.7f)));
        }

        float factor(float x, float y, float distance) {
            float linear = 1 + slopeX * (x - centerX) + slopeY * (y - centerY);
            return Math.max(0.25f, Math.min(1.6f, linear)) * (1 + rim * Noise.step(1 + distance * inverseWidth));
        }
    }

    /** A part with hard, anti-aliased edges. */
    static Part hard(Shape shape, Texture texture, Light light) {
        return new Part(shape, texture, light, 1.2f, 1);
    }

    static Part soft(Shape shape, Texture texture, Light light, float softness) {
        return new Part(shape, texture, light, softness, 1);
    }

    Part withOpacity(float changed) {
        return new Part(shape, texture, light, softness, changed);
    }

    Part withShape(Shape changed) {
        return new Part(changed, texture, light, softness, opacity);
    }

    Part withSoftness(float changed) {
        return new Part(shape, texture, light, changed, opacity);
    }

    @Override
    public float cover(float x, float y, float[] rgb) {
        float d = shape.distance(x, y);
        float cover = 0.5f - d / softness;
        if (cover <= 0) {
            return 0;
        }
        color(x, y, d, rgb);
        return opacity * Noise.step(cover);
    }

    /** The lit colour at a place, be it covered or not. */
    void color(float x, float y, float distance, float[] rgb) {
        texture.color(x, y, rgb);
        float factor = light.factor(x, y, distance);
        rgb[0] = Math.min(1, rgb[0] * factor);
        rgb[1] = Math.min(1, rgb[1] * factor);
        rgb[2] = Math.min(1, rgb[2] * factor);
    }

    @Override
    public boolean misses(float x, float y, float radius) {
        // distances are estimates: some more than the radius
        return shape.distance(x, y) > 1.5f * radius + softness;
    }
}
