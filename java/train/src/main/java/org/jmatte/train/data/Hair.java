package org.jmatte.train.data;

/**
 * Long hair: locks that leave a scalp, fall or blow, wave, and part into single strands towards their ends.
 */
final class Hair {
    private final Scene scene;
    private final Rng rng;
    private final Strands strands;
    private final float[] dark;
    private final float[] shine;
    private final float width;
    private final float wave;
    private final float spread;
    private final float wind;
    private final float fall;

    Hair(Scene scene, Strands strands, float[] dark, float[] shine) {
        this.scene = scene;
        this.strands = strands;
        this.dark = dark;
        this.shine = shine;
        rng = scene.rng();
        width = rng.logBetween(0.45f, 1.8f);
        wave = rng.chance(0.5) ? rng.between(0, 0.1f) : rng.between(0.1f, 0.6f);
        spread = rng.logBetween(0.2f, 1.6f);
        wind = rng.chance(0.7) ? 0.1f * rng.normal() : rng.between(-1, 1);
        fall = rng.between(0.3f, 1);
    }

    /** Locks of this length, in units of the pose, rooted around the top of its unit circle. */
    void locks(Pose pose, int count, float length) {
        for (int i = 0; i < count; i++) {
            float around = (float) -Math.PI * rng.between(-0.05f, 1.05f);
            float radius = rng.between(0.75f, 1.05f);
            lock(pose, radius * cos(around), radius * sin(around), around, length * rng.between(0.6f, 1.15f));
        }
    }

    private void lock(Pose pose, float u, float v, float heading, float length) {
        int points = Math.max(6, Math.min(24, (int) (length * pose.size() / 6)));
        float step = length / points;
        float[] us = new float[points + 1];
        float[] vs = new float[points + 1];
        us[0] = u;
        vs[0] = v;
        float velocityU = cos(heading);
        float velocityV = sin(heading);
        for (int k = 1; k <= points; k++) {
            velocityU += (wind + 0.3f * rng.normal()) * 2.5f * step;
            velocityV += fall * 3 * step;
            float norm = 1 / Math.max(0.05f, (float) Math.sqrt(velocityU * velocityU + velocityV * velocityV));
            velocityU *= norm;
            velocityV *= norm;
            us[k] = us[k - 1] + step * velocityU;
            vs[k] = vs[k - 1] + step * velocityV;
        }
        // a wave needs some points to bend on
        float frequency = Math.min(rng.between(2, 9), 0.27f * points);
        float[] root = Palette.jitter(dark, 0.08f, rng);
        float[] tip = Palette.mix(root, shine, rng.uniform());
        int hairs = (int) rng.logBetween(5, 30);
        for (int h = 0; h < hairs; h++) {
            hair(pose, us, vs, frequency, root, tip);
        }
    }

    /** One hair beside the lock's line: apart from it as it goes on, by a wave of its own phase. */
    private void hair(Pose pose, float[] us, float[] vs, float frequency, float[] root, float[] tip) {
        float beside = 0.12f * rng.normal();
        float apart = 0.1f * spread * rng.normal();
        float phase = 0.6f * rng.normal();
        int last = (int) ((us.length - 1) * rng.between(0.6f, 1));
        for (int k = 0; k <= last; k++) {
            float t = (float) k / (us.length - 1);
            int before = Math.max(0, k - 1);
            int after = Math.min(us.length - 1, k + 1);
            float du = us[after] - us[before];
            float dv = vs[after] - vs[before];
            float norm = 1 / Math.max(1e-4f, (float) Math.sqrt(du * du + dv * dv));
            float off = beside + apart * t * t * 3 + 0.15f * wave * t * Noise.cos(frequency * 3 * t + phase);
            float u = us[k] - off * dv * norm;
            float v = vs[k] + off * du * norm;
            if (k == 0) {
                strands.from(pose.x(u, v), pose.y(u, v));
            } else {
                strands.to(pose.x(u, v), pose.y(u, v));
            }
        }
        float light = 1 + 0.15f * rng.normal();
        float thick = width * rng.between(0.6f, 1.3f);
        strands.draw(new Strands.Look(
                thick, 0.5f * thick, scaled(root, light), scaled(tip, light), rng.between(0.6f, 1), false));
    }

    /** Single hairs that wander out of the outline of the hair. */
    void flyaways(Pose pose, Shape mass) {
        int count = (int) rng.logBetween(4, 140);
        float curvature = rng.between(0.02f, 0.35f);
        float away = rng.between(0.3f, 1.2f);
        float step = Math.max(2.5f * scene.unit(), 0.04f * pose.size());
        float down = (float) (Math.PI / 2);
        float[] light = Palette.jitter(shine, 0.1f, rng);
        for (int i = 0; i < count; i++) {
            float around = rng.between((float) -Math.PI, 0) + 0.3f * rng.normal();
            float x = pose.x(1.2f * cos(around), 1.2f * sin(around) + rng.between(0, 1.2f));
            float y = pose.y(1.2f * cos(around), 1.2f * sin(around) + rng.between(0, 1.2f));
            if (mass.distance(x, y) > 4) {
                continue;
            }
            float heading = pose.turn(around * away + down * (1 - away) + 0.6f * rng.normal());
            float turn = 0.1f * rng.normal();
            strands.from(x, y);
            for (int k = rng.count(6, 32); k > 0; k--) {
                turn = 0.85f * turn + curvature * 0.5f * rng.normal();
                heading += turn;
                x += step * cos(heading);
                y += step * sin(heading);
                strands.to(x, y);
            }
            float thick = rng.between(0.35f, 1.3f);
            float[] color = rng.chance(0.3) ? light : Palette.jitter(dark, 0.1f, rng);
            strands.draw(new Strands.Look(
                    thick, 0.4f * thick, color, rng.chance(0.5) ? light : color, rng.between(0.5f, 1), false));
        }
    }

    private static float[] scaled(float[] color, float factor) {
        return new float[] {
            Palette.clamp(color[0] * factor), Palette.clamp(color[1] * factor), Palette.clamp(color[2] * factor)
        };
    }

    private static float cos(float angle) {
        return (float) StrictMath.cos(angle);
    }

    private static float sin(float angle) {
        return (float) StrictMath.sin(angle);
    }
}
