package org.jmatte.train.data;

/** Foregrounds that let the background through: smoke, glass, veils, lace. */
final class Translucent {
    private Translucent() {}

    /** Drifting density; the colour varies little. */
    static void smoke(Scene scene, Pose pose, Layer layer) {
        Rng rng = scene.rng();
        float scale = 1 / (pose.size() * rng.between(0.3f, 0.9f));
        float warp = rng.between(0.3f, 1.5f);
        float offset = rng.between(0, 256);
        float density = rng.between(0.6f, 1.6f);
        float level = rng.between(-0.25f, 0.15f);
        float[] thin =
                Palette.hsv(rng.uniform(), rng.chance(0.7) ? rng.between(0, 0.1f) : rng.uniform(), rng.uniform());
        float[] thick = rng.chance(0.5) ? thin : Palette.jitter(thin, 0.3f, rng);
        Shape bounds = pose.ellipse(0, 0, rng.between(0.7f, 1.5f), rng.between(0.5f, 1.3f), rng.angle());
        layer.over((x, y, rgb) -> {
            float inside = Noise.step(0.5f - bounds.distance(x, y) / (0.8f * pose.size()));
            if (inside == 0) {
                return 0;
            }
            float u = x * scale + offset;
            float v = y * scale;
            float drift = warp * Noise.fractal(u, v + 31, 3);
            float n = Noise.fractal(u + drift, v - 0.7f * drift, 5);
            float cover = Palette.clamp((n + 0.35f - level) * density * inside);
            for (int c = 0; c < 3; c++) {
                rgb[c] = thin[c] + cover * (thick[c] - thin[c]);
            }
            return cover * (0.3f + 0.7f * cover);
        });
    }

    /** A vessel or a bubble: dense at the rim and in highlights, clear inside; perhaps with something in it. */
    static void glass(Scene scene, Pose pose, Layer layer) {
        Rng rng = scene.rng();
        float[] tint = Palette.hsv(rng.uniform(), rng.between(0, 0.6f), rng.between(0.2f, 1));
        float body = rng.between(0.03f, 0.45f);
        float rim = rng.between(0.3f, 1);
        Shape shape = vessel(pose, rng);
        float wall = pose.size() * rng.between(0.08f, 0.5f);
        float cell = 1 / (pose.size() * rng.between(0.2f, 0.6f));
        float ripple = rng.between(0, 0.3f);
        layer.over((x, y, rgb) -> {
            float d = shape.distance(x, y);
            if (d > 0.6f) {
                return 0;
            }
            float edge = Noise.step(1 + d / wall);
            float n = Noise.fractal(x * cell + 11, y * cell * 0.4f, 2);
            rgb[0] = Palette.clamp(tint[0] * (1 + 0.5f * n));
            rgb[1] = Palette.clamp(tint[1] * (1 + 0.5f * n));
            rgb[2] = Palette.clamp(tint[2] * (1 + 0.5f * n));
            return Palette.clamp(0.5f - d) * Palette.clamp(body + (rim - body) * edge * edge + ripple * n);
        });
        if (rng.chance(0.5)) {
            float level = rng.between(-0.5f, 0.7f);
            Shape liquid = shape.grown(-0.06f * pose.size())
                    .and(Shape.half(pose.x(0, level), pose.y(0, level), pose.turn((float) (-Math.PI / 2))));
            Texture color = Texture.flat(Palette.hsv(rng.uniform(), rng.uniform(), rng.between(0.2f, 1)));
            layer.over(Part.hard(liquid, color, Part.Light.draw(pose.centerX(), pose.centerY(), pose.size(), scene))
                    .withOpacity(rng.between(0.2f, 0.95f)));
        }
        for (int i = rng.count(1, 5); i > 0; i--) {
            Shape spot = pose.ellipse(
                            rng.between(-0.5f, 0.5f),
                            rng.between(-0.7f, 0.7f),
                            rng.between(0.02f, 0.1f),
                            rng.between(0.05f, 0.5f),
                            0.3f * rng.normal())
                    .and(shape);
            layer.over(new Part(
                    spot,
                    Texture.flat(new float[] {1, 1, 1}),
                    new Part.Light(0, 0, 0, 0, 0, 1),
                    rng.between(1.5f, 8),
                    rng.between(0.3f, 1)));
        }
    }

    private static Shape vessel(Pose pose, Rng rng) {
        return switch (rng.below(3)) {
            case 0 -> pose.ellipse(0, 0, rng.between(0.6f, 1), rng.between(0.6f, 1));
            case 1 -> {
                float bottom = rng.between(0.3f, 0.8f);
                float top = rng.between(0.4f, 0.9f);
                yield pose.polygon(-top, -1, top, -1, bottom, 1, -bottom, 1).grown(0.05f * pose.size());
            }
            default ->
                pose.box(0, 0.4f, rng.between(0.4f, 0.7f), 0.8f, 0.2f, 0)
                        .or(pose.box(0, -0.7f, rng.between(0.12f, 0.25f), 0.6f, 0.05f, 0), 0.2f * pose.size());
        };
    }

    /** A cloth of varying density with folds. */
    static void veil(Scene scene, Pose pose, Layer layer) {
        Rng rng = scene.rng();
        Palette palette = Palette.draw(rng);
        Texture texture = Textures.draw(scene, palette);
        Shape shape = pose.ellipse(0, 0, rng.between(0.7f, 1.3f), rng.between(0.7f, 1.3f))
                .rough(0.3f * pose.size(), 0.6f * pose.size(), rng);
        float thin = rng.between(0.15f, 0.7f);
        float folds = rng.between(0.2f, 0.6f);
        float scale = 1 / (pose.size() * rng.between(0.1f, 0.4f));
        float angle = rng.angle();
        float cos = (float) StrictMath.cos(angle);
        float sin = (float) StrictMath.sin(angle);
        layer.over(Part.soft(
                shape,
                texture,
                Part.Light.draw(pose.centerX(), pose.centerY(), pose.size(), scene),
                rng.between(1.2f, 4)));
        layer.scale((x, y) -> {
            float u = (cos * x + sin * y) * scale;
            float v = (cos * y - sin * x) * scale * 0.2f;
            float fold = Noise.wave(u + 1.5f * Noise.fractal(0.4f * u, v, 2));
            return Palette.clamp(thin + folds * fold * fold);
        });
    }

    /** A cloth of threads around regular holes, with denser flowers. */
    static void lace(Scene scene, Pose pose, Layer layer) {
        Rng rng = scene.rng();
        Palette palette = Palette.draw(rng);
        Shape shape = pose.ellipse(0, 0, rng.between(0.8f, 1.4f), rng.between(0.8f, 1.4f))
                .rough(0.25f * pose.size(), 0.5f * pose.size(), rng);
        Texture thread = rng.chance(0.7) ? Texture.flat(palette.color(rng)) : Textures.draw(scene, palette);
        layer.over(Part.hard(shape, thread, Part.Light.draw(pose.centerX(), pose.centerY(), pose.size(), scene)));
        float cell = scene.unit() * rng.logBetween(5, 22);
        float angle = rng.angle();
        float cos = (float) StrictMath.cos(angle) / cell;
        float sin = (float) StrictMath.sin(angle) / cell;
        float thick = rng.between(0.08f, 0.3f);
        float flower = rng.between(0.2f, 0.9f);
        float bend = rng.between(0, 0.6f);
        boolean round = rng.chance(0.5);
        layer.scale((x, y) -> {
            float n = Noise.value(x / (3 * cell) + 7, y / (3 * cell));
            float u = cos * x + sin * y + bend * n;
            float v = cos * y - sin * x + bend * n;
            float fu = u - Noise.floor(u) - 0.5f;
            float fv = v - Noise.floor(v) - 0.5f;
            float hole = round ? (float) Math.sqrt(fu * fu + fv * fv) : Math.max(Math.abs(fu), Math.abs(fv));
            float edge = (hole - 0.5f + thick) * cell;
            boolean dense = Noise.value(Noise.floor(u) * 3, Noise.floor(v) * 3) > flower;
            float outline = Noise.step(1 + shape.distance(x, y) / 3);
            return dense ? 1 : Math.max(outline, Palette.clamp(edge + 0.5f));
        });
    }
}
