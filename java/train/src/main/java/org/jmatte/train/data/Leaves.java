package org.jmatte.train.data;

/** Twigs with leaves, grass, feathers and ferns: many small parts with gaps between them. */
final class Leaves {
    private final Scene scene;
    private final Rng rng;
    private final Pose pose;
    private final Layer layer;
    private final Palette palette;

    private Leaves(Scene scene, Pose pose, Layer layer, Palette palette) {
        this.scene = scene;
        this.pose = pose;
        this.layer = layer;
        this.palette = palette;
        rng = scene.rng();
    }

    /** A leaf blade between two arcs, with a midrib and veins; u goes along it from -1 to 1. */
    private record Leaf(
            float centerX,
            float centerY,
            float axisX,
            float axisY,
            float length,
            float width,
            float teeth,
            float[] color,
            float[] rib,
            float shade)
            implements Surface {
        @Override
        public float cover(float x, float y, float[] rgb) {
            float u = ((x - centerX) * axisX + (y - centerY) * axisY) / length;
            float v = ((y - centerY) * axisX - (x - centerX) * axisY) / width;
            float profile = 1 - u * u;
            if (profile <= 0) {
                return 0;
            }
            profile *= 1 - 0.3f * u;
            profile *= 1 - teeth * Noise.wave(u * 9);
            float side = Math.abs(v);
            float cover = Palette.clamp(0.5f + (profile - side) * width * 0.85f);
            if (cover > 0) {
                float vein = Noise.step(1.2f - side * width * 0.8f)
                        + 0.35f * Noise.step(6 * Noise.wave(7 * (u - 0.4f * side)) - 5);
                float light = v > 0 ? 1 + shade : 1 - shade;
                for (int c = 0; c < 3; c++) {
                    rgb[c] = Palette.clamp(color[c] * light + Math.min(1, vein) * 0.6f * (rib[c] - color[c]));
                }
            }
            return cover;
        }

        float reach() {
            return Math.max(length, 1.2f * width) + 1;
        }
    }

    static void foliage(Scene scene, Pose pose, Layer layer) {
        Rng rng = scene.rng();
        Palette palette = rng.chance(0.7) ? Palette.foliage(rng) : Palette.draw(rng);
        foliage(scene, pose, layer, palette);
    }

    static void foliage(Scene scene, Pose pose, Layer layer, Palette palette) {
        Leaves leaves = new Leaves(scene, pose, layer, palette);
        switch (scene.rng().below(3)) {
            case 0 -> leaves.grass();
            case 1 -> leaves.fern();
            default -> leaves.twigs();
        }
    }

    private void twigs() {
        int twigs = rng.count(2, 8);
        float length = pose.size() * rng.logBetween(0.1f, 0.45f);
        float slim = rng.between(0.25f, 0.6f);
        float teeth = rng.chance(0.6) ? 0 : rng.between(0.05f, 0.3f);
        float[] bark = Palette.hsv(rng.between(0.03f, 0.12f), rng.between(0.1f, 0.6f), rng.between(0.1f, 0.5f));
        for (int t = 0; t < twigs; t++) {
            float x = pose.x(0.4f * rng.normal(), 0.9f);
            float y = pose.y(0.4f * rng.normal(), 0.9f);
            float heading = pose.turn((float) (-Math.PI / 2) + 0.7f * rng.normal());
            int nodes = rng.count(4, 11);
            float thick = rng.between(1, 4);
            for (int k = 0; k < nodes; k++) {
                float nextX = x + 0.6f * length * (float) StrictMath.cos(heading);
                float nextY = y + 0.6f * length * (float) StrictMath.sin(heading);
                float w = thick * (1 - 0.8f * k / nodes);
                Shape stem = Shape.capsule(x, y, nextX, nextY, 0.5f * w + 0.3f, 0.5f * w + 0.2f);
                layer.over(Part.hard(stem, Texture.flat(bark), light()), x, y, length + w);
                for (int s = -1; s <= 1; s += 2) {
                    if (rng.chance(0.8)) {
                        leaf(
                                nextX,
                                nextY,
                                heading + s * rng.between(0.4f, 1.3f),
                                length * rng.between(0.6f, 1.2f),
                                slim,
                                teeth);
                    }
                }
                heading += 0.25f * rng.normal();
                x = nextX;
                y = nextY;
            }
        }
    }

    private void fern() {
        int fronds = rng.count(2, 7);
        for (int f = 0; f < fronds; f++) {
            float x = pose.x(0.3f * rng.normal(), 0.9f);
            float y = pose.y(0.3f * rng.normal(), 0.9f);
            float heading = pose.turn((float) (-Math.PI / 2) + 0.7f * rng.normal());
            float bend = 0.06f * rng.normal();
            int nodes = rng.count(10, 24);
            float step = 2 * pose.size() / nodes;
            float broad = pose.size() * rng.between(0.15f, 0.5f);
            for (int k = 0; k < nodes; k++) {
                x += step * (float) StrictMath.cos(heading);
                y += step * (float) StrictMath.sin(heading);
                float size = broad * (1 - (float) k / nodes) + 2;
                for (int s = -1; s <= 1; s += 2) {
                    leaf(x, y, heading + s * 1.1f, size, rng.between(0.1f, 0.22f), 0);
                }
                heading += bend;
            }
        }
    }

    private void grass() {
        Strands strands = new Strands(layer);
        int blades = rng.count(15, 120);
        float width = rng.logBetween(1.2f, 8);
        for (int i = 0; i < blades; i++) {
            float u = rng.between(-1.3f, 1.3f);
            float length = pose.size() * rng.between(0.6f, 2.2f);
            float x = pose.x(u, 1);
            float y = pose.y(u, 1);
            float heading = pose.turn((float) (-Math.PI / 2) + 0.35f * rng.normal());
            float fall = pose.size() * 0.5f * rng.normal();
            float cos = (float) StrictMath.cos(heading);
            float sin = (float) StrictMath.sin(heading);
            float[] color = palette.color(rng);
            strands.from(x, y)
                    .curve(
                            x + 0.6f * length * cos,
                            y + 0.6f * length * sin,
                            x + length * cos - fall * sin,
                            y + length * sin + fall * cos)
                    .draw(new Strands.Look(width * rng.between(0.5f, 1.2f), 0.4f, color, palette.color(rng), 1, false));
        }
    }

    private void leaf(float x, float y, float heading, float length, float slim, float teeth) {
        float cos = (float) StrictMath.cos(heading);
        float sin = (float) StrictMath.sin(heading);
        float half = 0.5f * length;
        float[] color = palette.color(rng);
        float middleX = x + half * cos;
        float middleY = y + half * sin;
        float width = Math.max(0.8f, slim * half);
        float[] rib = Palette.jitter(color, 0.25f, rng);
        Leaf leaf = new Leaf(middleX, middleY, cos, sin, half, width, teeth, color, rib, rng.between(0, 0.25f));
        layer.over(leaf, middleX, middleY, leaf.reach());
    }

    private Part.Light light() {
        return Part.Light.draw(pose.centerX(), pose.centerY(), pose.size(), scene);
    }
}
