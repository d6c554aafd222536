package org.jmatte.train.data;

/** People: shoulders in clothes, a head, and hair of many kinds with single hairs flying off. */
final class Portraits {
    private static final float DOWN = (float) (Math.PI / 2);

    private final Scene scene;
    private final Rng rng;
    private final Pose pose;
    private final Layer layer;
    private final Strands strands;
    private final float[] hair;
    private final float[] shine;
    private final Palette clothes;

    private Portraits(Scene scene, Pose pose, Layer layer) {
        this.scene = scene;
        this.pose = pose;
        this.layer = layer;
        rng = scene.rng();
        strands = new Strands(layer);
        Palette natural = rng.chance(0.85) ? Palette.coats(rng) : Palette.draw(rng);
        hair = natural.color(rng);
        shine = Palette.mix(Palette.jitter(hair, 0.2f, rng), new float[] {1, 0.95f, 0.85f}, rng.between(0, 0.35f));
        clothes = Palette.draw(rng);
    }

    static void bust(Scene scene, Pose pose, Layer layer) {
        new Portraits(scene, pose, layer).paint();
    }

    private void paint() {
        float[] skin = Palette.skin(rng);
        boolean back = rng.chance(0.25);
        boolean behind = rng.chance(0.75);
        float lengthOfHair = rng.chance(0.5) ? rng.between(0.9f, 1.4f) : rng.between(1.4f, 3);
        float broad = rng.between(1.1f, 1.6f);
        Shape mass = pose.ellipse(0, -0.15f, broad, rng.between(1.25f, 1.55f));
        if (lengthOfHair > 1.3f) {
            mass = mass.or(
                    pose.box(
                            0.1f * rng.normal(),
                            0.5f * lengthOfHair,
                            0.9f * broad,
                            0.5f * lengthOfHair,
                            0.4f,
                            0.1f * rng.normal()),
                    0.4f * pose.size());
        }
        mass = mass.rough(0.12f * pose.size(), 0.5f * pose.size(), rng);
        Fur coat = coat();
        Hair locks = new Hair(scene, strands, hair, shine);
        boolean loose = rng.chance(0.5);
        if (behind) {
            coat.over(layer, strands, hairPart(loose ? mass.grown(-0.25f * pose.size()) : mass), scene);
        }
        if (loose) {
            locks.locks(pose, rng.count(6, 26), lengthOfHair);
        }
        body(skin);
        if (back) {
            coat.over(layer, strands, hairPart(mass), scene);
        } else {
            head(skin);
            fringe(coat);
        }
        if (loose || rng.chance(0.3)) {
            locks.locks(pose, rng.count(1, 10), rng.between(0.5f, 1) * lengthOfHair);
        }
        locks.flyaways(pose, mass);
    }

    private void body(float[] skin) {
        layer.over(Part.hard(pose.capsule(0, 0.5f, 0, 1.7f, 0.48f, 0.6f), Texture.flat(skin), light(0, 1, 0.6f)));
        float wide = rng.between(1.3f, 2.1f);
        float slope = rng.between(1.3f, 1.75f);
        Shape torso =
                pose.box(0.2f * rng.normal(), slope + 1.6f, wide, 1.7f, rng.between(0.4f, 0.9f), 0.1f * rng.normal());
        if (rng.chance(0.5)) {
            torso = torso.minus(pose.ellipse(0, slope - 0.2f, rng.between(0.4f, 0.8f), rng.between(0.3f, 0.7f)));
        }
        Part cloth = Part.hard(torso, Textures.draw(scene, clothes), light(0, 2, wide));
        if (rng.chance(0.2)) {
            Fur.draw(0.3f * pose.size(), pose.turn(DOWN), clothes, scene).over(layer, strands, cloth, scene);
        } else {
            layer.over(cloth.withSoftness(rng.between(1.2f, 2.5f)));
        }
        if (rng.chance(0.6)) {
            Shape stripe = pose.capsule(
                    rng.between(-1.5f, 0),
                    slope - 0.2f,
                    rng.between(-0.5f, 1),
                    slope + 2,
                    rng.between(0.05f, 0.3f),
                    rng.between(0.05f, 0.3f));
            layer.atop(Part.hard(stripe, Textures.draw(scene, clothes), light(0, 2, wide)));
        }
        if (rng.chance(0.4)) {
            arm(skin, slope, wide);
        }
    }

    /** A raised arm leaves a hole between itself and the head or the body. */
    private void arm(float[] skin, float slope, float wide) {
        int s = rng.sign();
        float elbowU = s * (wide + rng.between(0.3f, 1));
        float elbowV = slope + rng.between(-0.8f, 1.2f);
        float thick = rng.between(0.2f, 0.35f);
        Texture sleeve = rng.chance(0.5) ? Texture.flat(skin) : Textures.draw(scene, clothes);
        layer.over(Part.hard(
                pose.capsule(s * (wide - 0.4f), slope + 0.4f, elbowU, elbowV, 1.2f * thick, thick),
                sleeve,
                light(elbowU, elbowV, 0.5f)));
        layer.over(Part.hard(
                pose.capsule(
                        elbowU, elbowV, s * rng.between(0.7f, 1.2f), rng.between(-0.6f, 0.9f), thick, 0.7f * thick),
                Texture.flat(Palette.jitter(skin, 0.05f, rng)),
                light(elbowU, elbowV, 0.5f)));
    }

    private void head(float[] skin) {
        float tall = rng.between(1.1f, 1.3f);
        Texture face = Textures.clouds(
                skin, Palette.jitter(skin, 0.08f, rng), Palette.mix(skin, new float[] {0.9f, 0.3f, 0.3f}, 0.2f), scene);
        for (int s = -1; s <= 1; s += 2) {
            layer.over(Part.hard(pose.ellipse(s * 0.88f, 0.1f, 0.16f, 0.28f), face, light(s, 0, 0.3f)));
        }
        layer.over(Part.hard(pose.ellipse(0, 0, 0.88f, tall), face, light(0, 0, 1)));
        float spread = rng.between(0.3f, 0.42f);
        float[] iris = Palette.hsv(rng.between(0.05f, 0.6f), rng.between(0.1f, 0.7f), rng.between(0.1f, 0.6f));
        for (int s = -1; s <= 1; s += 2) {
            detail(pose.ellipse(s * spread, -0.05f, 0.16f, 0.08f), new float[] {0.92f, 0.9f, 0.88f});
            detail(pose.ellipse(s * spread, -0.05f, 0.08f, 0.08f), iris);
            detail(
                    pose.capsule(s * (spread - 0.2f), -0.22f, s * (spread + 0.2f), -0.25f, 0.04f, 0.025f),
                    Palette.jitter(hair, 0.1f, rng));
        }
        detail(pose.capsule(0.02f, 0.05f, 0.06f, 0.35f, 0.03f, 0.08f), Palette.jitter(skin, 0.15f, rng));
        detail(
                pose.ellipse(0, 0.65f, rng.between(0.2f, 0.32f), rng.between(0.06f, 0.14f)),
                Palette.hsv(0.98f, rng.between(0.3f, 0.8f), rng.between(0.4f, 0.9f)));
        if (rng.chance(0.2)) {
            glasses(spread);
        }
        if (rng.chance(0.2)) {
            Shape beard = pose.ellipse(0, 0.75f, 0.75f, 0.6f).minus(pose.ellipse(0, 0.2f, 0.7f, 0.55f));
            coat().scaled(rng.between(0.2f, 0.6f)).over(layer, strands, hairPart(beard), scene);
        }
    }

    private void glasses(float spread) {
        float[] frame = clothes.color(rng);
        float rim = pose.size() * rng.between(0.015f, 0.05f);
        for (int s = -1; s <= 1; s += 2) {
            detail(pose.ellipse(s * spread, 0, 0.26f, 0.2f).outline(rim), frame);
        }
        layer.over(Part.hard(
                pose.capsule(spread + 0.25f, 0, 1, -0.05f, 0.02f, 0.02f), Texture.flat(frame), light(0, 0, 1)));
    }

    /** The hair on top of the head, over the brow; or a hat. */
    private void fringe(Fur coat) {
        float line = rng.between(-0.75f, -0.2f);
        Shape cap = pose.ellipse(0, -0.25f, rng.between(0.95f, 1.2f), rng.between(1.05f, 1.3f))
                .minus(pose.ellipse(rng.between(-0.3f, 0.3f), line + 1.1f, rng.between(0.7f, 0.9f), 1.1f));
        if (rng.chance(0.15)) {
            layer.over(Part.hard(cap.grown(0.06f * pose.size()), Textures.draw(scene, clothes), light(0, -0.5f, 1)));
        } else if (rng.chance(0.9)) {
            coat.scaled(rng.between(0.5f, 1)).over(layer, strands, hairPart(cap), scene);
        }
    }

    private Fur coat() {
        return Fur.draw(
                pose.size() * rng.between(0.6f, 1.5f), pose.turn(DOWN + 0.3f * rng.normal()), hairPalette(), scene);
    }

    private Palette hairPalette() {
        return Palette.around(hair, shine, rng);
    }

    private Part hairPart(Shape shape) {
        return Part.soft(shape, Textures.fur(hair, shine, pose.turn(DOWN), scene), light(0, 0, 1.3f), 2);
    }

    private void detail(Shape shape, float[] color) {
        layer.atop(Part.hard(shape, Texture.flat(color), light(0, 0, 1)));
    }

    private Part.Light light(float u, float v, float radius) {
        return Part.Light.draw(pose.x(u, v), pose.y(u, v), radius * pose.size(), scene);
    }
}
