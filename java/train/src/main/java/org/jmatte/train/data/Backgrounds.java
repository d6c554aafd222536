package org.jmatte.train.data;

/** What is behind: often out of focus; plain, patterned, cluttered, divided, or with an object of its own. */
final class Backgrounds {
    private Backgrounds() {}

    /** A layer that is opaque everywhere. */
    static Layer draw(Scene scene, Palette palette, Subject distractor) {
        Rng rng = scene.rng();
        Layer layer = new Layer(scene.side());
        switch (rng.below(12)) {
            case 0 -> gradient(scene, palette, layer);
            case 1, 2 -> divided(scene, palette, layer);
            case 3 -> clutter(scene, palette, layer);
            case 4 -> bokeh(scene, palette, layer);
            case 5, 6 -> DeadLeaves.paint(scene, palette, layer);
            default -> fill(layer, surface(scene, palette));
        }
        if (rng.chance(0.5)) {
            float sigma = scene.unit() * rng.logBetween(1.5f, 20);
            layer.filter((plane, side) -> Blur.gaussian(plane, side, sigma));
        }
        if (rng.chance(0.15)) {
            Layer object = new Layer(scene.side());
            float side = scene.side();
            distractor.paint(
                    scene,
                    Pose.of(
                            rng.uniform() * side,
                            rng.uniform() * side,
                            side * rng.logBetween(0.15f, 0.7f),
                            0.3f * rng.normal(),
                            rng.sign()),
                    object);
            float sigma = rng.chance(0.3) ? 0 : scene.unit() * rng.logBetween(0.8f, 10);
            object.filter((plane, size) -> Blur.gaussian(plane, size, sigma));
            layer.over(object);
        }
        return layer;
    }

    /** Darkens a background where the subject's shadow falls. */
    static void shadow(Layer background, Layer subject, Scene scene) {
        Rng rng = scene.rng();
        int side = scene.side();
        float[] shadow = new float[side * side];
        int dx = (int) (scene.unit() * 30 * rng.normal());
        int dy = (int) (scene.unit() * 30 * rng.normal());
        for (int y = Math.max(0, dy); y < Math.min(side, side + dy); y++) {
            for (int x = Math.max(0, dx); x < Math.min(side, side + dx); x++) {
                shadow[y * side + x] = subject.alpha[(y - dy) * side + x - dx];
            }
        }
        Blur.gaussian(shadow, side, scene.unit() * rng.logBetween(1, 15));
        float depth = rng.between(0.2f, 0.7f);
        for (int i = 0; i < shadow.length; i++) {
            float factor = 1 - depth * shadow[i];
            background.red[i] *= factor;
            background.green[i] *= factor;
            background.blue[i] *= factor;
        }
    }

    /** Pictures, where there are any, for half of all surfaces: nothing drawn is as rich. */
    private static Texture surface(Scene scene, Palette palette) {
        return scene.hasPictures() && scene.rng().chance(0.4)
                ? Textures.picture(scene.picture(), scene)
                : Textures.draw(scene, palette);
    }

    private static void fill(Layer layer, Texture texture) {
        layer.over(Surface.everywhere(texture));
    }

    private static void gradient(Scene scene, Palette palette, Layer layer) {
        Rng rng = scene.rng();
        float[] from = palette.color(rng);
        float[] to = rng.chance(0.5) ? Palette.jitter(from, 0.2f, rng) : palette.color(rng);
        float angle = rng.angle();
        float reach = 1 / (scene.side() * rng.between(0.5f, 1.5f));
        float cos = (float) StrictMath.cos(angle) * reach;
        float sin = (float) StrictMath.sin(angle) * reach;
        float middle = 0.5f * scene.side();
        float round = rng.chance(0.3) ? rng.between(0.2f, 1) : 0;
        fill(layer, (x, y, rgb) -> {
            float dx = x - middle;
            float dy = y - middle;
            float t = Palette.clamp(0.5f + dx * cos + dy * sin + round * (dx * dx + dy * dy) * reach * reach);
            for (int c = 0; c < 3; c++) {
                rgb[c] = from[c] + t * (to[c] - from[c]);
            }
        });
    }

    /** Areas with an edge between them: horizon, wall and floor, a window. */
    private static void divided(Scene scene, Palette palette, Layer layer) {
        Rng rng = scene.rng();
        fill(layer, surface(scene, palette));
        float side = scene.side();
        for (int i = rng.count(1, 4); i > 0; i--) {
            float x = rng.between(0.1f, 0.9f) * side;
            float y = rng.between(0.1f, 0.9f) * side;
            float angle = rng.chance(0.5) ? rng.below(4) * (float) (Math.PI / 2) + 0.05f * rng.normal() : rng.angle();
            Shape shape = rng.chance(0.5)
                    ? Shape.half(x, y, angle)
                    : Shape.box(x, y, side * rng.logBetween(0.03f, 0.5f), side * rng.logBetween(0.03f, 0.5f), 1, angle);
            layer.over(new Part(
                    shape,
                    surface(scene, rng.chance(0.5) ? palette : Palette.draw(rng)),
                    Part.Light.draw(x, y, side, scene),
                    rng.chance(0.7) ? 1.2f : rng.between(1.2f, 8),
                    1));
        }
    }

    /** Foliage or a tangle of lines, sharp or blurred in several depths. */
    private static void clutter(Scene scene, Palette palette, Layer layer) {
        Rng rng = scene.rng();
        fill(layer, surface(scene, palette));
        float side = scene.side();
        for (int i = rng.count(1, 2); i > 0; i--) {
            Layer depth = new Layer(scene.side());
            Pose pose =
                    Pose.of(rng.uniform() * side, rng.uniform() * side, side * rng.between(0.5f, 0.9f), rng.angle(), 1);
            if (rng.chance(0.6)) {
                Leaves.foliage(scene, pose, depth, palette);
            } else {
                tangle(scene, palette, depth);
            }
            float sigma = rng.chance(0.5) ? 0 : scene.unit() * rng.logBetween(0.6f, 6);
            depth.filter((plane, size) -> Blur.gaussian(plane, size, sigma));
            layer.over(depth);
        }
    }

    private static void tangle(Scene scene, Palette palette, Layer layer) {
        Rng rng = scene.rng();
        Strands strands = new Strands(layer);
        float side = scene.side();
        float width = rng.logBetween(0.6f, 5);
        float main = rng.angle();
        float spread = rng.between(0.1f, 1.5f);
        for (int i = rng.count(15, 90); i > 0; i--) {
            float x = rng.uniform() * side;
            float y = rng.uniform() * side;
            float angle = main + spread * rng.normal();
            float length = side * rng.between(0.2f, 0.9f);
            float endX = x + length * (float) StrictMath.cos(angle);
            float endY = y + length * (float) StrictMath.sin(angle);
            float bend = 0.2f * length;
            float[] color = palette.color(rng);
            strands.from(x, y)
                    .curve(0.5f * (x + endX) + bend * rng.normal(), 0.5f * (y + endY) + bend * rng.normal(), endX, endY)
                    .draw(new Strands.Look(
                            width * rng.between(0.5f, 1.5f),
                            0.5f * width,
                            color,
                            palette.color(rng),
                            rng.between(0.4f, 1),
                            false));
        }
    }

    /** Points of light out of focus. */
    private static void bokeh(Scene scene, Palette palette, Layer layer) {
        Rng rng = scene.rng();
        fill(layer, Textures.draw(scene, palette));
        float blur = scene.unit() * rng.logBetween(4, 25);
        layer.filter((plane, side) -> Blur.gaussian(plane, side, blur));
        float radius = scene.unit() * rng.logBetween(3, 22);
        float rim = rng.between(-0.3f, 0.3f);
        float side = scene.side();
        for (int i = rng.count(5, 45); i > 0; i--) {
            float x = rng.uniform() * side;
            float y = rng.uniform() * side;
            float size = radius * rng.between(0.7f, 1.3f);
            float[] color = Palette.mix(palette.color(rng), new float[] {1, 1, 1}, rng.between(0, 0.7f));
            Part disc = new Part(
                    Shape.disc(x, y, size),
                    Texture.flat(color),
                    new Part.Light(x, y, 0, 0, rim, 3 / size),
                    rng.between(1.2f, 3),
                    rng.between(0.15f, 0.8f));
            layer.over(disc, x, y, size + 2);
        }
    }
}
