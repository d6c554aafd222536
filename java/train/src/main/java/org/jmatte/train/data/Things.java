package org.jmatte.train.data;

/** Hard objects: toys and tools of several materials, rods and wheels with gaps, and lettering. */
final class Things {
    /** Letters as strokes on a grid of 4 x 6, points of two digits, strokes parted by a slash. */
    private static final String[] LETTERS = {
        "062046/1333",
        "06003041324233043546/3343",
        "413010010515364645",
        "0600304145360600",
        "400006460343",
        "4000060333",
        "41301001051636454333",
        "000646400343",
        "2026",
        "404535150504",
        "0006400343",
        "000646",
        "0600224046",
        "06004640",
        "103041453616050110",
        "06003041423303",
        "103041453616050110/3446",
        "06003041423303/2346",
        "413010011333443616",
        "00402026",
        "000415354440",
        "00264000",
        "001622364000",
        "00460640",
        "00234023/26",
        "00400646",
        "00400646/1333",
        "1030414536160501",
        "112026",
        "014130104145360645"
    };

    private final Scene scene;
    private final Rng rng;
    private final Pose pose;
    private final Layer layer;
    private final Palette palette;

    private Things(Scene scene, Pose pose, Layer layer) {
        this.scene = scene;
        this.pose = pose;
        this.layer = layer;
        rng = scene.rng();
        palette = Palette.draw(rng);
    }

    /** A body of one to six hard parts with details and perhaps holes. */
    static void solid(Scene scene, Pose pose, Layer layer) {
        new Things(scene, pose, layer).solids();
    }

    /** Rods, rings, spokes, nets: much outline, little area. */
    static void frame(Scene scene, Pose pose, Layer layer) {
        new Things(scene, pose, layer).frames();
    }

    /** Words in drawn letters. */
    static void lettering(Scene scene, Pose pose, Layer layer) {
        new Things(scene, pose, layer).letters();
    }

    private void solids() {
        int parts = rng.count(1, 6);
        float softness = rng.chance(0.75) ? rng.between(1, 1.6f) : rng.between(1.6f, 4);
        for (int i = 0; i < parts; i++) {
            float u = i == 0 ? 0 : rng.between(-0.8f, 0.8f);
            float v = i == 0 ? 0 : rng.between(-0.8f, 0.8f);
            float radius = i == 0 ? rng.between(0.6f, 1) : rng.between(0.15f, 0.6f);
            Shape shape = shape(u, v, radius);
            Texture texture = Textures.draw(scene, palette);
            layer.over(new Part(shape, texture, light(u, v, radius), softness, 1));
            if (rng.chance(0.4)) {
                Shape band = shape.grown(-0.5f * radius * pose.size() * rng.uniform())
                        .outline(pose.size() * rng.between(0.01f, 0.08f));
                layer.atop(Part.hard(band.and(shape), Texture.flat(palette.color(rng)), light(u, v, radius)));
            }
        }
        for (int i = rng.below(5); i > 0; i--) {
            float u = rng.between(-0.8f, 0.8f);
            float v = rng.between(-0.8f, 0.8f);
            float radius = rng.between(0.05f, 0.4f);
            layer.atop(Part.hard(shape(u, v, radius), Textures.draw(scene, palette), light(u, v, radius)));
        }
        if (rng.chance(0.3)) {
            for (int i = rng.count(1, 4); i > 0; i--) {
                layer.erase(
                        shape(rng.between(-0.6f, 0.6f), rng.between(-0.6f, 0.6f), rng.between(0.05f, 0.3f)), softness);
            }
        }
    }

    private Shape shape(float u, float v, float radius) {
        float aspect = rng.logBetween(0.4f, 1);
        Shape shape =
                switch (rng.below(6)) {
                    case 0, 1 -> pose.ellipse(u, v, radius, aspect * radius, rng.angle());
                    case 2 ->
                        pose.box(u, v, radius, aspect * radius, rng.uniform() * 0.5f * aspect * radius, rng.angle());
                    case 3 -> {
                        float angle = rng.angle();
                        float du = radius * (float) StrictMath.cos(angle);
                        float dv = radius * (float) StrictMath.sin(angle);
                        yield pose.capsule(
                                u - du,
                                v - dv,
                                u + du,
                                v + dv,
                                0.5f * aspect * radius,
                                rng.between(0.1f, 0.6f) * radius);
                    }
                    case 4 -> star(u, v, radius, rng.count(3, 9), rng.between(0.3f, 1));
                    default ->
                        pose.ellipse(u, v, radius, radius).outline(pose.size() * radius * rng.between(0.05f, 0.25f));
                };
        return rng.chance(0.25) ? shape.rough(0.15f * radius * pose.size(), 0.5f * radius * pose.size(), rng) : shape;
    }

    /** A polygon with corners on two circles in turn. */
    private Shape star(float u, float v, float radius, int corners, float inner) {
        float[] points = new float[4 * corners];
        float start = rng.angle();
        for (int i = 0; i < 2 * corners; i++) {
            float angle = start + i * (float) Math.PI / corners;
            float r = i % 2 == 0 ? radius : radius * Math.min(inner, (float) StrictMath.cos(Math.PI / corners) + 0.3f);
            points[2 * i] = u + r * (float) StrictMath.cos(angle);
            points[2 * i + 1] = v + r * (float) StrictMath.sin(angle);
        }
        return pose.polygon(points);
    }

    private void frames() {
        float thick = rng.logBetween(0.6f, 8);
        Texture material = Textures.draw(scene, palette);
        if (rng.chance(0.4)) {
            solids();
        }
        switch (rng.below(4)) {
            case 0 -> {
                for (int i = rng.count(2, 9); i > 0; i--) {
                    rod(
                            rng.between(-1.5f, 1.5f),
                            rng.between(-1.5f, 1.5f),
                            rng.between(-1.5f, 1.5f),
                            rng.between(-1.5f, 1.5f),
                            thick,
                            material);
                }
            }
            case 1 -> {
                ring(1, 2 * thick, material);
                int spokes = rng.count(4, 28);
                for (int i = 0; i < spokes; i++) {
                    float angle = (float) (2 * Math.PI * i / spokes);
                    rod(0, 0, (float) StrictMath.cos(angle), (float) StrictMath.sin(angle), 0.5f * thick, material);
                }
                ring(rng.between(0.05f, 0.4f), 2 * thick, material);
            }
            case 2 -> {
                int bars = rng.count(3, 12);
                float slant = rng.between(-0.4f, 0.4f);
                for (int i = 0; i < bars; i++) {
                    float at = -1.5f + 3f * i / (bars - 1);
                    rod(at, -1.6f, at + slant, 1.6f, thick, material);
                    if (rng.chance(0.6)) {
                        rod(-1.6f, at, 1.6f, at + slant, thick, material);
                    }
                }
            }
            default -> {
                int arms = rng.count(6, 14);
                for (int i = 0; i < arms; i++) {
                    float angle = (float) (2 * Math.PI * i / arms);
                    float next = (float) (2 * Math.PI * (i + 1) / arms);
                    rod(0, 0, 2 * cos(angle), 2 * sin(angle), 0.4f * thick, material);
                    for (int r = 1; r < 6; r++) {
                        float radius = 0.3f * r;
                        rod(
                                radius * cos(angle),
                                radius * sin(angle),
                                radius * cos(next),
                                radius * sin(next),
                                0.3f * thick,
                                material);
                    }
                }
            }
        }
    }

    private void rod(float u0, float v0, float u1, float v1, float thick, Texture material) {
        float half = Math.max(0.5f, 0.5f * thick);
        Shape shape = Shape.capsule(pose.x(u0, v0), pose.y(u0, v0), pose.x(u1, v1), pose.y(u1, v1), half, half);
        // what is thinner than a pixel is transparent instead
        layer.over(Part.hard(shape, material, light(0, 0, 1)).withOpacity(Math.min(1, thick)));
    }

    private void ring(float radius, float thick, Texture material) {
        layer.over(Part.hard(
                Shape.disc(pose.centerX(), pose.centerY(), radius * pose.size()).outline(0.5f * thick),
                material,
                light(0, 0, 1)));
    }

    private void letters() {
        int lines = rng.count(1, 4);
        float height = 2f / lines * rng.between(0.5f, 0.9f);
        float pen = rng.between(0.04f, 0.16f);
        float slant = rng.chance(0.6) ? 0 : rng.between(-0.3f, 0.3f);
        boolean outlined = rng.chance(0.2);
        Texture ink = Textures.draw(scene, palette);
        float opacity = rng.chance(0.85) ? 1 : rng.between(0.4f, 0.9f);
        if (rng.chance(0.25)) {
            layer.over(Part.hard(
                            pose.box(0, 0, 1.5f, 1.1f, 0.1f, 0),
                            Textures.draw(scene, Palette.draw(rng)),
                            light(0, 0, 1))
                    .withOpacity(opacity));
        }
        for (int line = 0; line < lines; line++) {
            float u = -1.5f + rng.between(-0.3f, 0.3f);
            float v = -1 + 2f * line / lines;
            float width = height * rng.between(0.5f, 0.7f);
            while (u < 1.5f) {
                if (rng.chance(0.85)) {
                    Shape letter = letter(LETTERS[rng.below(LETTERS.length)], u, v, width, height, slant, pen * height);
                    Shape shape = outlined ? letter.outline(0.25f * pen * height * pose.size()) : letter;
                    layer.over(Part.hard(shape, rng.chance(0.1) ? Textures.draw(scene, palette) : ink, light(0, 0, 1))
                            .withOpacity(opacity));
                }
                u += 1.35f * width;
            }
        }
    }

    private Shape letter(String strokes, float u, float v, float width, float height, float slant, float pen) {
        Shape shape = null;
        for (String stroke : strokes.split("/")) {
            for (int i = 0; i + 3 < stroke.length(); i += 2) {
                float[] at = new float[4];
                for (int k = 0; k < 4; k++) {
                    at[k] = (stroke.charAt(i + k) - '0') / (k % 2 == 0 ? 4f : 6f);
                }
                Shape piece = pose.capsule(
                        u + width * at[0] - slant * height * at[1],
                        v + height * at[1],
                        u + width * at[2] - slant * height * at[3],
                        v + height * at[3],
                        pen,
                        pen);
                shape = shape == null ? piece : shape.or(piece);
            }
        }
        return shape;
    }

    private static float cos(float angle) {
        return (float) StrictMath.cos(angle);
    }

    private static float sin(float angle) {
        return (float) StrictMath.sin(angle);
    }

    private Part.Light light(float u, float v, float radius) {
        return Part.Light.draw(pose.x(u, v), pose.y(u, v), radius * pose.size(), scene);
    }
}
