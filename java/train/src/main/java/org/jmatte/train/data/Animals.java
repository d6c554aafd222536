package org.jmatte.train.data;

/** Animals: parts of contrasting coats with fur along every outline, eyes, noses, whiskers, tails. */
final class Animals {
    private static final float DOWN = (float) (Math.PI / 2);

    private final Scene scene;
    private final Rng rng;
    private final Pose pose;
    private final Layer layer;
    private final Strands strands;
    private final Palette palette;
    private final float[] base;
    private final float[] second;
    private final Texture coat;
    private final Fur fur;

    private Animals(Scene scene, Pose pose, Layer layer) {
        this.scene = scene;
        this.pose = pose;
        this.layer = layer;
        rng = scene.rng();
        strands = new Strands(layer);
        palette = rng.chance(0.75) ? Palette.coats(rng) : Palette.draw(rng);
        base = palette.color(rng);
        second = palette.contrast(base, rng);
        coat = coat(base);
        fur = Fur.draw(pose.size(), pose.turn(DOWN + 0.5f * rng.normal()), palette, scene);
    }

    /** A head seen from the front, on a body that the frame may cut. */
    static void face(Scene scene, Pose pose, Layer layer) {
        new Animals(scene, pose, layer).paintFace();
    }

    /** A whole animal from the side. */
    static void profile(Scene scene, Pose pose, Layer layer) {
        new Animals(scene, pose, layer).paintProfile();
    }

    /** Something furry of no kind: a heap of parts, each with a coat of its own. */
    static void heap(Scene scene, Pose pose, Layer layer) {
        new Animals(scene, pose, layer).paintHeap();
    }

    private void paintFace() {
        if (rng.chance(0.8)) {
            float u = 0.4f * rng.normal();
            furry(pose.ellipse(u, rng.between(1.3f, 1.9f), rng.between(0.9f, 1.5f), rng.between(1, 1.7f)), coat, 1);
            if (rng.chance(0.5)) {
                patch(pose.ellipse(0.5f * u, 1.4f, rng.between(0.3f, 0.7f), rng.between(0.4f, 1)), second);
            }
        }
        float broad = rng.between(0.85f, 1.2f);
        ears(broad);
        Shape head = pose.ellipse(0, 0, broad, rng.between(0.8f, 1.1f))
                .or(pose.ellipse(0, 0.4f, broad * rng.between(0.5f, 1.05f), 0.55f), 0.3f * pose.size());
        furry(head, rng.chance(0.5) ? coat : coat(palette.color(rng)), rng.between(0.4f, 1));
        markings();
        float spread = rng.between(0.3f, 0.5f);
        float eye = rng.between(0.1f, 0.3f);
        float level = rng.between(-0.25f, 0.05f);
        if (rng.chance(0.5)) {
            float[] around = rng.chance(0.6) ? second : palette.color(rng);
            patch(pose.ellipse(-spread, level, 1.6f * eye, rng.between(1.2f, 2) * eye, 0.5f), around);
            patch(pose.ellipse(spread, level, 1.6f * eye, rng.between(1.2f, 2) * eye, -0.5f), around);
        }
        float[] iris = Palette.hsv(rng.between(0, 0.6f), rng.between(0.2f, 1), rng.between(0.15f, 1));
        float pupil = rng.between(0.35f, 0.9f);
        eye(-spread, level, eye, iris, pupil);
        eye(spread, level, eye, iris, pupil);
        float muzzle = rng.between(0.3f, 0.6f);
        if (rng.chance(0.7)) {
            patch(
                    pose.ellipse(0, 0.5f, muzzle, rng.between(0.25f, 0.45f)),
                    rng.chance(0.5) ? second : palette.color(rng));
        }
        detail(pose.ellipse(0, rng.between(0.3f, 0.5f), 0.3f * muzzle, 0.22f * muzzle), dark());
        if (rng.chance(0.6)) {
            whiskers(muzzle);
        }
    }

    private void ears(float broad) {
        int kind = rng.below(4);
        float size = rng.between(0.3f, 0.65f);
        float u = broad * rng.between(0.5f, 0.85f);
        float tip = rng.between(-0.1f, 0.5f);
        float longest = rng.between(1, 2.2f);
        float tall = rng.between(1.2f, 2.2f) * size;
        Texture outer = rng.chance(0.5) ? coat : coat(palette.contrast(base, rng));
        float[] inner = rng.chance(0.5) ? Palette.hsv(0.02f, 0.35f, rng.between(0.4f, 1)) : palette.color(rng);
        float tufts = rng.between(0.3f, 1.2f);
        for (int s = -1; s <= 1; s += 2) {
            Shape ear;
            Shape hollow;
            switch (kind) {
                case 0 -> {
                    ear = pose.polygon(
                                    s * (u - size * 0.7f), -0.55f,
                                    s * (u + size * 0.6f), -0.35f,
                                    s * (u + tip * size), -0.6f - tall)
                            .grown(0.06f * pose.size());
                    hollow = pose.polygon(
                            s * (u - size * 0.35f), -0.6f,
                            s * (u + size * 0.35f), -0.5f,
                            s * (u + 0.8f * tip * size), -0.6f - 0.75f * tall);
                }
                case 1 -> {
                    ear = pose.ellipse(s * u, -0.75f, size, size);
                    hollow = pose.ellipse(s * u, -0.75f, 0.6f * size, 0.6f * size);
                }
                case 2 -> {
                    ear = pose.ellipse(
                            s * 0.7f * u, -0.6f - 0.5f * longest, 0.55f * size, 0.75f * longest, s * 0.5f * tip);
                    hollow = pose.ellipse(
                            s * 0.7f * u, -0.6f - 0.5f * longest, 0.3f * size, 0.6f * longest, s * 0.5f * tip);
                }
                default -> {
                    ear = pose.ellipse(s * (u + 0.5f * size), -0.1f, 0.6f * size, 1.1f * size, -s * 0.4f);
                    hollow = null;
                }
            }
            fur.scaled(tufts).over(layer, strands, Part.soft(ear, outer, light(s * u, -0.8f, size), 2), scene);
            if (hollow != null) {
                patch(hollow, inner);
            }
        }
    }

    private void markings() {
        if (rng.chance(0.4)) {
            float width = rng.between(0.06f, 0.25f);
            patch(
                    pose.capsule(0, -1.1f, 0, rng.between(-0.2f, 0.3f), width, 0.5f * width),
                    palette.contrast(base, rng));
        }
        if (rng.chance(0.35)) {
            patch(
                    pose.ellipse(
                            rng.sign() * 0.5f,
                            rng.between(-0.6f, 0.4f),
                            rng.between(0.2f, 0.6f),
                            rng.between(0.2f, 0.6f)),
                    palette.color(rng));
        }
    }

    private void eye(float u, float v, float radius, float[] iris, float pupil) {
        detail(pose.ellipse(u, v, 1.12f * radius, 1.05f * radius), dark());
        detail(pose.ellipse(u, v, 0.92f * radius, 0.9f * radius), iris);
        detail(
                pose.ellipse(u, v, pupil * radius * rng.between(0.3f, 0.9f), 0.9f * pupil * radius),
                new float[] {0.02f, 0.02f, 0.02f});
        detail(pose.ellipse(u - 0.3f * radius, v - 0.35f * radius, 0.2f * radius, 0.2f * radius), new float[] {1, 1, 1
        });
    }

    private void whiskers(float muzzle) {
        float[] color = rng.chance(0.65) ? new float[] {0.95f, 0.95f, 0.93f} : dark();
        float width = rng.between(0.6f, 1.5f);
        int count = rng.count(3, 9);
        float length = rng.between(0.6f, 1.6f);
        for (int s = -1; s <= 1; s += 2) {
            for (int i = 0; i < count; i++) {
                float u = s * muzzle * rng.between(0.4f, 0.9f);
                float v = rng.between(0.35f, 0.65f);
                float angle = rng.between(-0.5f, 0.5f);
                float endU = u + s * length * rng.between(0.7f, 1.2f);
                float endV = v + length * angle + rng.between(-0.1f, 0.4f);
                float midU = u + 0.5f * (endU - u);
                float midV = v + 0.5f * length * angle - rng.between(0, 0.25f);
                strands.from(pose.x(u, v), pose.y(u, v))
                        .curve(pose.x(midU, midV), pose.y(midU, midV), pose.x(endU, endV), pose.y(endU, endV))
                        .draw(new Strands.Look(width, 0.3f * width, color, color, rng.between(0.6f, 1), false));
            }
        }
    }

    private void paintProfile() {
        if (rng.chance(0.8)) {
            tail();
        }
        float tall = rng.between(0.35f, 0.6f);
        float legs = rng.between(0.4f, 0.9f);
        float thick = rng.between(0.08f, 0.16f);
        for (int i = 0; i < 4; i++) {
            float u = (i < 2 ? -0.6f : 0.6f) + rng.between(-0.18f, 0.18f);
            float foot = u + rng.between(-0.25f, 0.25f);
            furry(pose.capsule(u, 0.2f, foot, tall + legs, 1.5f * thick, thick), coat, 0.4f);
        }
        furry(
                pose.ellipse(0, 0, rng.between(0.9f, 1.1f), tall)
                        .or(pose.ellipse(0.6f, -0.1f, 0.45f, tall), 0.2f * pose.size()),
                coat,
                rng.between(0.5f, 1));
        patch(pose.ellipse(0.2f * rng.normal(), 0.6f * tall, 0.6f, 0.45f * tall), second);
        markings();
        float u = rng.between(0.9f, 1.3f);
        float v = rng.between(-0.8f, -0.2f);
        float head = rng.between(0.25f, 0.4f);
        furry(pose.capsule(0.7f, -0.1f, u, v, 0.8f * tall, 0.7f * head), coat, 0.8f);
        for (int i = 0; i < 2; i++) {
            float ear = u - 0.5f * head + 0.5f * i * head;
            furry(
                    pose.capsule(
                            ear,
                            v - 0.6f * head,
                            ear - 0.15f,
                            v - rng.between(1.1f, 2) * head,
                            0.35f * head,
                            0.1f * head),
                    coat,
                    0.3f);
        }
        Texture face = rng.chance(0.5) ? coat : coat(second);
        furry(
                pose.ellipse(u, v, head, 0.8f * head)
                        .or(
                                pose.capsule(u, v + 0.1f, u + 1.5f * head, v + 0.3f * head, 0.5f * head, 0.3f * head),
                                0.1f * pose.size()),
                face,
                0.4f);
        eye(u + 0.3f * head, v - 0.15f * head, rng.between(0.12f, 0.25f) * head, palette.color(rng), 0.7f);
        detail(pose.ellipse(u + 1.65f * head, v + 0.2f * head, 0.15f * head, 0.12f * head), dark());
    }

    private void tail() {
        float[] xs = new float[7];
        float[] ys = new float[7];
        float u = -0.85f;
        float v = -0.1f;
        float heading = rng.between(2.2f, 4.2f);
        float bend = rng.between(-0.5f, 0.5f);
        float piece = rng.between(0.15f, 0.4f);
        for (int i = 0; i < xs.length; i++) {
            xs[i] = pose.x(u, v);
            ys[i] = pose.y(u, v);
            u += piece * (float) StrictMath.cos(heading);
            v += piece * (float) StrictMath.sin(heading);
            heading += bend;
        }
        float thick = pose.size() * rng.between(0.06f, 0.2f);
        float direction = (float) StrictMath.atan2(ys[6] - ys[0], xs[6] - xs[0]);
        Texture rings = rng.chance(0.5)
                ? Textures.stripes(base, second, direction, pose.size() * rng.between(0.15f, 0.5f), scene)
                : coat;
        furry(Shape.path(xs, ys, thick, thick * rng.between(0.3f, 1.4f)), rings, rng.between(0.5f, 1.2f));
    }

    private void paintHeap() {
        int parts = rng.count(2, 6);
        for (int i = 0; i < parts; i++) {
            Shape shape = pose.ellipse(
                            0.6f * rng.normal(),
                            0.6f * rng.normal(),
                            rng.between(0.25f, 0.9f),
                            rng.between(0.25f, 0.9f),
                            rng.angle())
                    .rough(pose.size() * rng.between(0.02f, 0.15f), pose.size() * rng.between(0.2f, 0.6f), rng);
            Texture texture = rng.chance(0.4) ? Textures.draw(scene, palette) : coat(palette.color(rng));
            furry(shape, texture, rng.between(0.3f, 1.2f));
        }
        for (int i = rng.below(4); i > 0; i--) {
            patch(
                    pose.ellipse(
                            0.5f * rng.normal(),
                            0.5f * rng.normal(),
                            rng.between(0.1f, 0.5f),
                            rng.between(0.1f, 0.5f),
                            rng.angle()),
                    palette.contrast(base, rng));
        }
    }

    /** A coat's texture: combed, patched, striped or spotted. */
    private Texture coat(float[] color) {
        float[] shade = Palette.jitter(color, 0.15f, rng);
        float[] other = rng.chance(0.6) ? palette.contrast(color, rng) : palette.color(rng);
        float flow = pose.turn(DOWN);
        return switch (rng.below(8)) {
            case 0 ->
                Textures.patched(
                        Textures.fur(color, shade, flow, scene),
                        Textures.fur(other, palette.color(rng), flow, scene),
                        scene);
            case 1 -> Textures.stripes(color, other, rng.angle(), pose.size() * rng.between(0.1f, 0.5f), scene);
            case 2 -> Textures.spots(color, other, scene);
            case 3 -> Textures.clouds(color, shade, other, scene);
            case 4 -> Textures.draw(scene, palette);
            default -> Textures.fur(color, rng.chance(0.5) ? shade : other, flow, scene);
        };
    }

    private void furry(Shape shape, Texture texture, float length) {
        fur.scaled(length).over(layer, strands, Part.soft(shape, texture, light(0, 0, 1), 2), scene);
    }

    /** An area of another colour inside the animal, with furry or with plain edges. */
    private void patch(Shape shape, float[] color) {
        Texture texture = Textures.fur(color, Palette.jitter(color, 0.15f, rng), pose.turn(DOWN), scene);
        Part part = Part.soft(shape, texture, light(0, 0, 1), rng.between(1.5f, 6));
        if (rng.chance(0.6)) {
            fur.scaled(rng.between(0.15f, 0.5f)).atop(layer, strands, part, scene);
        } else {
            layer.atop(part);
        }
    }

    private void detail(Shape shape, float[] color) {
        layer.atop(Part.hard(shape, Texture.flat(color), light(0, 0, 1)));
    }

    private float[] dark() {
        return Palette.hsv(rng.uniform(), rng.between(0, 0.4f), rng.between(0.02f, 0.2f));
    }

    private Part.Light light(float u, float v, float radius) {
        return Part.Light.draw(pose.x(u, v), pose.y(u, v), radius * pose.size(), scene);
    }
}
