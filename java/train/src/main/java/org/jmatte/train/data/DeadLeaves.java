package org.jmatte.train.data;

/**
 * Dead leaves: shapes of all sizes, each hiding part of those before it, many small and few large. With sizes as the
 * inverse cube, edges and flat areas are mixed about as in photographs (Lee, Mumford and Huang 2001).
 */
final class DeadLeaves {
    private static final int TEXTURE_SIDE = 96;

    private DeadLeaves() {}

    /** Covers a layer. */
    static void paint(Scene scene, Palette palette, Layer layer) {
        Rng rng = scene.rng();
        float side = layer.side;
        float largest = 0.5f * side;
        float smallest = Math.max(1.5f, largest * rng.logBetween(0.03f, 0.12f));
        float ratio = smallest * smallest / (largest * largest);
        Texture ground = Texture.flat(palette.color(rng));
        layer.over(Surface.everywhere(ground));
        int shapes = rng.count(60, 260);
        boolean round = rng.chance(0.5);
        float rotation = rng.chance(0.5) ? 0 : rng.angle();
        for (int i = 0; i < shapes; i++) {
            float radius = smallest / (float) Math.sqrt(ratio + (1 - ratio) * rng.uniform());
            float x = rng.uniform() * side;
            float y = rng.uniform() * side;
            float aspect = rng.between(0.3f, 1);
            float angle = rotation == 0 ? rng.angle() : rotation;
            Shape shape = round
                    ? Shape.ellipse(x, y, radius, aspect * radius, angle)
                    : Shape.box(x, y, 0.7f * radius, 0.7f * aspect * radius, 0, angle);
            Texture texture = radius > 0.1f * side && rng.chance(0.4)
                    ? Textures.draw(scene, palette)
                    : Texture.flat(Palette.jitter(palette.color(rng), 0.1f, rng));
            Part part = Part.hard(shape, texture, Part.Light.draw(x, y, radius, scene));
            layer.over(part, x, y, radius + 1);
        }
    }

    /** A small picture of them as a texture. */
    static Texture texture(Scene scene, Palette palette) {
        Layer layer = new Layer(TEXTURE_SIDE);
        paint(scene, palette, layer);
        return Textures.picture(layer.toPicture(), scene);
    }
}
