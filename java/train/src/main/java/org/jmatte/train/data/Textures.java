package org.jmatte.train.data;

/** Surfaces: noise, marble, wood, stripes, checks, spots, cells, fur, cloth, bricks, pictures, patches of two. */
final class Textures {
    /** A turned, scaled and shifted grid: texture coordinates of a pixel. */
    private record Grid(float xu, float yu, float u0, float xv, float yv, float v0) {
        static Grid draw(float cell, float aspect, Rng rng) {
            return turned(rng.angle(), cell, aspect, rng);
        }

        static Grid turned(float angle, float cell, float aspect, Rng rng) {
            float cos = (float) StrictMath.cos(angle) / cell;
            float sin = (float) StrictMath.sin(angle) / cell;
            return new Grid(cos, sin, rng.between(0, 256), -sin / aspect, cos / aspect, rng.between(0, 256));
        }

        float u(float x, float y) {
            return x * xu + y * yu + u0;
        }

        float v(float x, float y) {
            return x * xv + y * yv + v0;
        }
    }

    private Textures() {}

    /** Any surface in the colours of a palette. */
    static Texture draw(Scene scene, Palette palette) {
        Rng rng = scene.rng();
        if (rng.chance(0.15)) {
            return patched(plain(scene, palette), plain(scene, palette), scene);
        }
        return plain(scene, palette);
    }

    private static Texture plain(Scene scene, Palette palette) {
        Rng rng = scene.rng();
        if (scene.hasPictures() && rng.chance(0.22)) {
            return picture(scene.picture(), scene);
        }
        float[] first = palette.color(rng);
        float[] second = rng.chance(0.5) ? palette.contrast(first, rng) : palette.color(rng);
        return switch (rng.below(13)) {
            case 0, 1 -> Texture.flat(first);
            case 2, 3 -> clouds(first, second, palette.color(rng), scene);
            case 4 -> marble(first, second, scene);
            case 5 -> stripes(first, second, scene);
            case 6 -> checks(first, second, scene);
            case 7 -> spots(first, second, scene);
            case 8 -> cells(first, second, scene);
            case 9 -> cloth(first, second, scene);
            case 10 -> rng.chance(0.5) ? bricks(first, second, scene) : wood(first, second, scene);
            case 11 -> fur(first, second, rng.angle(), scene);
            default -> scene.simple() ? Texture.flat(second) : DeadLeaves.texture(scene.simplified(), palette);
        };
    }

    /** Fractal noise between three colours. */
    static Texture clouds(float[] dark, float[] light, float[] third, Scene scene) {
        Rng rng = scene.rng();
        Grid grid = Grid.draw(scene.unit() * rng.logBetween(6, 90), rng.logBetween(0.4f, 2.5f), rng);
        int octaves = rng.count(2, 5);
        float contrast = rng.logBetween(0.5f, 2.5f);
        return (x, y, rgb) -> {
            float n = Noise.fractal(grid.u(x, y), grid.v(x, y), octaves);
            float t = Noise.step(0.5f + contrast * n);
            float third0 = Noise.step(-n * 2 - 0.4f);
            for (int c = 0; c < 3; c++) {
                float color = dark[c] + t * (light[c] - dark[c]);
                rgb[c] = color + third0 * (third[c] - color);
            }
        };
    }

    private static Texture marble(float[] ground, float[] vein, Scene scene) {
        Rng rng = scene.rng();
        Grid grid = Grid.draw(scene.unit() * rng.logBetween(8, 60), 1, rng);
        float twist = rng.between(1, 4);
        float sharp = rng.logBetween(1, 6);
        return (x, y, rgb) -> {
            float u = grid.u(x, y);
            float v = grid.v(x, y);
            float t = Noise.step((Noise.wave(u + twist * Noise.fractal(0.5f * u, 0.5f * v, 3)) - 0.5f) * sharp + 0.5f);
            blend(ground, vein, t, rgb);
        };
    }

    private static Texture wood(float[] light, float[] dark, Scene scene) {
        Rng rng = scene.rng();
        float ring = scene.unit() * rng.logBetween(4, 20);
        Grid grid = Grid.draw(ring, rng.between(8, 25), rng);
        return (x, y, rgb) -> {
            float u = grid.u(x, y);
            float v = grid.v(x, y);
            float warped = u + 3 * Noise.value(0.15f * u, 0.6f * v);
            float rings = warped - Noise.floor(warped);
            float t = 0.7f * rings * rings + 0.3f * Noise.value(6 * u, 3 * v);
            blend(light, dark, Palette.clamp(t), rgb);
        };
    }

    static Texture stripes(float[] first, float[] second, Scene scene) {
        Rng rng = scene.rng();
        return stripes(first, second, rng.angle(), scene.unit() * rng.logBetween(3, 45), scene);
    }

    /** Stripes across a direction, straight or wavy, of equal or unequal widths. */
    static Texture stripes(float[] first, float[] second, float angle, float period, Scene scene) {
        Rng rng = scene.rng();
        Grid grid = Grid.turned(angle, period, 1, rng);
        float wavy = rng.chance(0.5) ? 0 : rng.between(0.2f, 1.2f);
        float duty = rng.between(0.25f, 0.75f);
        float sharp = 0.6f * period;
        return (x, y, rgb) -> {
            float u = grid.u(x, y);
            if (wavy > 0) {
                u += wavy * Noise.fractal(0.3f * u, 0.3f * grid.v(x, y), 2);
            }
            float phase = u - Noise.floor(u);
            // a triangle of height 1/2, cut at the duty; its slope makes an edge of about one pixel
            float edge = Math.min(phase, 1 - phase) - 0.5f * duty;
            blend(first, second, Palette.clamp(edge * sharp + 0.5f), rgb);
        };
    }

    private static Texture checks(float[] first, float[] second, Scene scene) {
        Rng rng = scene.rng();
        float cell = scene.unit() * rng.logBetween(4, 40);
        Grid grid = Grid.draw(cell, rng.logBetween(0.5f, 2), rng);
        boolean tartan = rng.chance(0.5);
        return (x, y, rgb) -> {
            float a = Palette.clamp((Noise.wave(0.5f * grid.u(x, y)) - 0.5f) * cell + 0.5f);
            float b = Palette.clamp((Noise.wave(0.5f * grid.v(x, y)) - 0.5f) * cell + 0.5f);
            blend(first, second, tartan ? 0.5f * (a + b) : a + b - 2 * a * b, rgb);
        };
    }

    static Texture spots(float[] ground, float[] spot, Scene scene) {
        Rng rng = scene.rng();
        float cell = scene.unit() * rng.logBetween(4, 30);
        Grid grid = Grid.draw(cell, rng.logBetween(0.6f, 1.7f), rng);
        float level = rng.between(-0.1f, 0.45f);
        float sharp = rng.logBetween(3, 20);
        return (x, y, rgb) -> {
            float n = Noise.fractal(grid.u(x, y), grid.v(x, y), 2);
            blend(ground, spot, Palette.clamp((n - level) * sharp + 0.5f), rgb);
        };
    }

    /** Worley cells: pebbles, scales, cracks, foliage; each cell with its own lightness. */
    private static Texture cells(float[] first, float[] second, Scene scene) {
        Rng rng = scene.rng();
        Grid grid = Grid.draw(scene.unit() * rng.logBetween(4, 36), rng.logBetween(0.5f, 2), rng);
        float gap = rng.between(0.05f, 0.3f);
        return (x, y, rgb) -> {
            float u = grid.u(x, y);
            float v = grid.v(x, y);
            float nearest = 9;
            float second0 = 9;
            float shade = 0;
            int column = Noise.floor(u);
            int row = Noise.floor(v);
            for (int j = row - 1; j <= row + 1; j++) {
                for (int i = column - 1; i <= column + 1; i++) {
                    float du = i + 0.5f + 0.45f * Noise.value(i, j) - u;
                    float dv = j + 0.5f + 0.45f * Noise.value(i + 101, j + 57) - v;
                    float d = du * du + dv * dv;
                    if (d < nearest) {
                        second0 = nearest;
                        nearest = d;
                        shade = Noise.value(i + 31, j + 173);
                    } else if (d < second0) {
                        second0 = d;
                    }
                }
            }
            float border = ((float) Math.sqrt(second0) - (float) Math.sqrt(nearest)) / gap;
            blend(first, second, Palette.clamp(0.5f + 0.5f * shade), rgb);
            float light = 0.35f + 0.65f * Noise.step(border);
            rgb[0] *= light;
            rgb[1] *= light;
            rgb[2] *= light;
        };
    }

    /** Fine combed noise along a direction that drifts over the surface. */
    static Texture fur(float[] first, float[] second, float angle, Scene scene) {
        Rng rng = scene.rng();
        float cell = rng.logBetween(1, 3.5f);
        Grid grid = Grid.turned(angle + (float) Math.PI / 2, cell, rng.between(5, 18), rng);
        float bend = scene.unit() * rng.between(4, 16);
        float bendCell = 1 / (scene.unit() * rng.logBetween(20, 60));
        float contrast = rng.between(0.3f, 1);
        float patches = rng.between(0, 0.6f);
        return (x, y, rgb) -> {
            float n = Noise.value(x * bendCell + grid.u0, y * bendCell + grid.v0);
            float wx = x + bend * n;
            float wy = y - bend * n;
            float u = grid.u(wx, wy);
            float v = grid.v(wx, wy);
            float t = 0.5f
                    + contrast * (0.5f * Noise.value(u, v) + 0.35f * Noise.value(0.4f * u, 0.7f * v))
                    + patches * n;
            blend(first, second, Palette.clamp(t), rgb);
        };
    }

    private static Texture cloth(float[] first, float[] second, Scene scene) {
        Rng rng = scene.rng();
        Grid grid = Grid.draw(rng.logBetween(1.5f, 6), 1, rng);
        float folds = 1 / (scene.unit() * rng.logBetween(15, 60));
        float depth = rng.between(0, 0.5f);
        float weave = rng.between(0.05f, 0.5f);
        return (x, y, rgb) -> {
            float u = grid.u(x, y);
            float v = grid.v(x, y);
            float t = weave * (Noise.wave(u) + Noise.wave(v) - 1) + 0.3f * weave * Noise.value(2 * u, 2 * v);
            float light = 1 + depth * Noise.value(x * folds + grid.u0, y * folds * 0.4f + grid.v0);
            blend(first, second, Palette.clamp(0.3f + t), rgb);
            rgb[0] = Palette.clamp(rgb[0] * light);
            rgb[1] = Palette.clamp(rgb[1] * light);
            rgb[2] = Palette.clamp(rgb[2] * light);
        };
    }

    private static Texture bricks(float[] brick, float[] joint, Scene scene) {
        Rng rng = scene.rng();
        float cell = scene.unit() * rng.logBetween(8, 45);
        Grid grid = Grid.turned(rng.chance(0.5) ? 0 : rng.between(-0.5f, 0.5f), cell, rng.between(0.3f, 0.6f), rng);
        float gap = rng.between(0.03f, 0.1f);
        return (x, y, rgb) -> {
            float v = grid.v(x, y);
            float row = Noise.floor(v);
            float u = grid.u(x, y) + 0.5f * ((int) row & 1);
            float column = Noise.floor(u);
            float edge = Math.min(Math.min(u - column, column + 1 - u), Math.min(v - row, row + 1 - v) * 0.5f) - gap;
            float light = 1 + 0.25f * Noise.value(column * 7, row * 5) + 0.15f * Noise.value(u * 9, v * 9);
            float t = Palette.clamp(edge * cell + 0.5f);
            for (int c = 0; c < 3; c++) {
                rgb[c] = Palette.clamp(joint[c] + t * (brick[c] * light - joint[c]));
            }
        };
    }

    /** A turned and scaled view of a picture with changed colours; mirrored beyond its borders. */
    static Texture picture(Picture picture, Scene scene) {
        Rng rng = scene.rng();
        float shorter = Math.min(picture.height(), picture.width());
        float angle = rng.chance(0.6) ? 0.15f * rng.normal() : rng.angle();
        // picture pixels per pixel: up to the whole picture in the frame, and down to a twofold enlargement
        float step = rng.logBetween(0.5f, Math.max(0.75f, shorter / scene.side()));
        float cos = step * (float) StrictMath.cos(angle);
        float sin = step * (float) StrictMath.sin(angle);
        float startX = rng.between(0, picture.width());
        float startY = rng.between(0, picture.height());
        boolean mirrored = rng.chance(0.5);
        float gain = rng.chance(0.5) ? 1 : rng.logBetween(0.6f, 1.5f);
        float[] tint = rng.chance(0.6) ? new float[] {1, 1, 1} : Palette.hsv(rng.uniform(), rng.between(0, 0.5f), 1);
        return (x, y, rgb) -> {
            float dx = mirrored ? -x : x;
            picture.color(startX + cos * dx - sin * y, startY + sin * dx + cos * y, rgb);
            rgb[0] = Palette.clamp(rgb[0] * gain * tint[0]);
            rgb[1] = Palette.clamp(rgb[1] * gain * tint[1]);
            rgb[2] = Palette.clamp(rgb[2] * gain * tint[2]);
        };
    }

    /** One texture with blotches of another. */
    static Texture patched(Texture ground, Texture patch, Scene scene) {
        Rng rng = scene.rng();
        Grid grid = Grid.draw(scene.unit() * rng.logBetween(15, 70), rng.logBetween(0.5f, 2), rng);
        float level = rng.between(-0.2f, 0.3f);
        float sharp = rng.logBetween(2, 30);
        return (x, y, rgb) -> {
            float t = Palette.clamp((Noise.fractal(grid.u(x, y), grid.v(x, y), 3) - level) * sharp + 0.5f);
            if (t <= 0) {
                ground.color(x, y, rgb);
            } else if (t >= 1) {
                patch.color(x, y, rgb);
            } else {
                ground.color(x, y, rgb);
                float r = rgb[0];
                float g = rgb[1];
                float b = rgb[2];
                patch.color(x, y, rgb);
                rgb[0] = r + t * (rgb[0] - r);
                rgb[1] = g + t * (rgb[1] - g);
                rgb[2] = b + t * (rgb[2] - b);
            }
        };
    }

    private static void blend(float[] from, float[] to, float t, float[] rgb) {
        rgb[0] = from[0] + t * (to[0] - from[0]);
        rgb[1] = from[1] + t * (to[1] - from[1]);
        rgb[2] = from[2] + t * (to[2] - from[2]);
    }
}
