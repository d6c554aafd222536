package org.jmatte.train.data;

/**
 * A coat of strands: rooted in a part near its outline, combed by a flow, gathered in clumps, coloured by the part's
 * own texture. A dense coat, and over it sparse longer guard hairs.
 *
 * @param shortest length in pixels, as {@code longest}
 * @param width at the root in pixels
 * @param spacing of roots in pixels
 * @param depth how far inside the outline strands are rooted, in pixels
 * @param guards length of the guard hairs as a multiple of the longest, 0 for none
 */
record Fur(
        float shortest,
        float longest,
        float width,
        float spacing,
        float depth,
        float guards,
        Combing combing,
        Coloring coloring) {
    private static final float QUARTER = (float) (Math.PI / 2);
    private static final int TILE = 16;

    /**
     * The way strands lie.
     *
     * @param lean weight of the outward direction against the flow
     * @param flow direction in which the coat is combed
     * @param clump size of a clump in pixels
     * @param gather how far tips move to the middle of their clump, 0..1
     * @param curl sideways bend as a share of the length
     */
    record Combing(float lean, float flow, float clump, float gather, float curl) {}

    /**
     * How strands differ from the part's colour.
     *
     * @param contrast of lightness among strands
     * @param opacity of a strand
     * @param odd colour of the odd strand
     * @param tint colour that tips go to
     * @param tinted how far they go, 0..1
     */
    record Coloring(float contrast, float opacity, float[] odd, float[] tint, float tinted) {}

    /** A coat for a subject of this size (its radius in pixels). */
    static Fur draw(float size, float flow, Palette palette, Scene scene) {
        Rng rng = scene.rng();
        float longest = Math.max(2.5f, Math.min(60 * scene.unit(), size * rng.logBetween(0.04f, 0.6f)));
        float width = rng.chance(0.15)
                ? rng.logBetween(1.5f, 6) * Math.min(1, longest / 25)
                : rng.logBetween(0.28f, 1.7f) * (1 + longest / 100);
        width = Math.max(0.28f, width);
        float[] tint = rng.chance(0.25) ? Palette.hsv(0.12f, rng.between(0, 0.2f), 1) : palette.color(rng);
        Combing combing = new Combing(
                rng.logBetween(0.25f, 3),
                flow,
                rng.logBetween(4, 24),
                rng.chance(0.6) ? rng.between(0.1f, 0.9f) : 0,
                rng.chance(0.7) ? rng.between(0, 0.3f) : rng.between(0.3f, 0.8f));
        Coloring coloring = new Coloring(
                rng.logBetween(0.05f, 0.5f),
                rng.chance(0.6) ? 1 : rng.between(0.45f, 1),
                palette.contrast(tint, rng),
                tint,
                rng.chance(0.5) ? rng.between(0, 0.8f) : 0);
        return new Fur(
                longest * rng.between(0.15f, 0.6f),
                longest,
                width,
                rng.between(1.3f, 2.8f) * Math.max(0.8f, width / 1.3f),
                Math.min(24, 3 + longest * rng.between(0.3f, 0.9f)),
                rng.chance(0.45) ? rng.between(1.2f, 2.5f) : 0,
                combing,
                coloring);
    }

    /** The same coat with other lengths, say for an ear. */
    Fur scaled(float factor) {
        return new Fur(
                Math.max(1.5f, shortest * factor),
                Math.max(2, longest * factor),
                width,
                spacing,
                Math.max(2, depth * factor),
                guards,
                combing,
                coloring);
    }

    /** Paints a part with this coat. */
    void over(Layer layer, Strands strands, Part part, Scene scene) {
        Rng rng = scene.rng();
        // the body stays inside, soft and streaked, so that the strands make the outline
        float inset = Math.min(6, longest * rng.between(0.15f, 0.4f));
        Shape body = part.shape().grown(-inset).combed(inset, combing.flow + QUARTER, 1.5f * width, rng);
        layer.over(part.withShape(body).withSoftness(rng.between(1.5f, 1.5f + 1.5f * inset)));
        strands(strands, part, false, scene);
    }

    /** Paints a part with this coat as a patch of what is there. */
    void atop(Layer layer, Strands strands, Part part, Scene scene) {
        layer.atop(part.withShape(part.shape().grown(-Math.min(3, 0.3f * longest))));
        strands(strands, part, true, scene);
    }

    private void strands(Strands strands, Part part, boolean atop, Scene scene) {
        Rng rng = scene.rng().split();
        float offset = rng.between(0, 256);
        coat(strands, part, atop, offset, rng);
        if (guards > 0 && !atop) {
            new Fur(
                            guards * shortest,
                            guards * longest,
                            Math.max(0.3f, 0.7f * width),
                            2.5f * spacing,
                            depth,
                            0,
                            combing,
                            coloring)
                    .coat(strands, part, false, offset, rng);
        }
    }

    private void coat(Strands strands, Part part, boolean atop, float offset, Rng rng) {
        float margin = Math.min(longest, 24);
        int rows = (int) ((strands.side() + 2 * margin) / spacing);
        int cells = rows * rows;
        // a step prime to the number of cells visits each once in a scattered order
        int step = (int) (cells * 0.618f) | 1;
        while (gcd(step, cells) != 1) {
            step += 2;
        }
        boolean[] rooted = rooted(part.shape(), strands.side(), margin);
        int tiles = tiles(strands.side(), margin);
        float[] rgb = new float[3];
        for (int k = 0, cell = rng.below(cells); k < cells; k++, cell = (cell + step) % cells) {
            float x = (cell % rows + rng.uniform()) * spacing - margin;
            float y = (cell / rows + rng.uniform()) * spacing - margin;
            if (!rooted[(int) ((y + margin) / TILE) * tiles + (int) ((x + margin) / TILE)]) {
                continue;
            }
            float distance = part.shape().distance(x, y);
            if (distance < 0 && distance > -depth) {
                part.color(x, y, distance, rgb);
                path(strands, part.shape(), x, y, distance, offset, rng);
                paint(strands, x, y, offset, rgb, atop, rng);
            }
        }
    }

    /** Which tiles of the frame and its margin may have roots: those that the band inside the outline comes near. */
    private boolean[] rooted(Shape shape, int side, float margin) {
        int tiles = tiles(side, margin);
        boolean[] rooted = new boolean[tiles * tiles];
        for (int i = 0; i < rooted.length; i++) {
            float x = (i % tiles + 0.5f) * TILE - margin;
            float y = (i / tiles + 0.5f) * TILE - margin;
            float distance = shape.distance(x, y);
            rooted[i] = distance < TILE && distance > -depth - TILE;
        }
        return rooted;
    }

    private static int tiles(int side, float margin) {
        return (int) ((side + 2 * margin) / TILE) + 1;
    }

    private void path(Strands strands, Shape shape, float x, float y, float distance, float offset, Rng rng) {
        float outX = shape.distance(x + 1.5f, y) - distance;
        float outY = shape.distance(x, y + 1.5f) - distance;
        float norm = 1 / Math.max(1e-3f, (float) Math.sqrt(outX * outX + outY * outY));
        outX *= norm;
        outY *= norm;
        float drift = combing.flow + 1.2f * Noise.value(x * 0.02f + offset, y * 0.02f) + 0.25f * rng.normal();
        float flowX = Noise.cos(drift);
        float flowY = Noise.cos(drift - QUARTER);
        // strands lie along the surface rather than growing back into it
        float inward = Math.min(0, flowX * outX + flowY * outY);
        float dirX = flowX - inward * outX + combing.lean * outX;
        float dirY = flowY - inward * outY + combing.lean * outY;
        norm = 1 / Math.max(1e-3f, (float) Math.sqrt(dirX * dirX + dirY * dirY));
        dirX *= norm;
        dirY *= norm;

        float clump = combing.clump;
        float tuft = 0.75f + 0.5f * Noise.value(x / clump + offset, y / clump);
        float u = rng.uniform();
        float length = (shortest + (longest - shortest) * u * u) * tuft;
        float column = Noise.floor(x / clump) + 0.5f;
        float row = Noise.floor(y / clump) + 0.5f;
        float toX = (column + 0.4f * Noise.value(column + offset, row)) * clump - x;
        float toY = (row + 0.4f * Noise.value(column, row + offset)) * clump - y;
        float tipX = x + dirX * length + combing.gather * toX;
        float tipY = y + dirY * length + combing.gather * toY;
        float bend = combing.curl * length * (0.7f * Noise.value(x * 0.05f, y * 0.05f + offset) + 0.4f * rng.normal());
        float controlX = x + 0.55f * dirX * length + 0.2f * outX * length - bend * dirY;
        float controlY = y + 0.55f * dirY * length + 0.2f * outY * length + bend * dirX;
        strands.from(x, y).curve(controlX, controlY, tipX, tipY);
    }

    private void paint(Strands strands, float x, float y, float offset, float[] rgb, boolean atop, Rng rng) {
        float light = 1 + coloring.contrast * (0.6f * rng.normal() + 0.8f * Noise.value(x * 0.3f + offset, y * 0.3f));
        float[] root = new float[3];
        float[] tip = new float[3];
        boolean odd = rng.chance(0.07);
        for (int c = 0; c < 3; c++) {
            float color = odd ? 0.5f * (rgb[c] + coloring.odd[c]) : rgb[c];
            root[c] = Palette.clamp(color * light + 0.04f * (light - 1));
            tip[c] =
                    Palette.clamp((color + coloring.tinted * (coloring.tint[c] - color)) * light + 0.06f * (light - 1));
        }
        float thickness = width * rng.between(0.55f, 1.25f);
        float opacity = coloring.opacity * rng.between(0.75f, 1);
        strands.draw(new Strands.Look(thickness, 0.25f * thickness, root, tip, opacity, atop));
    }

    private static int gcd(int a, int b) {
        return b == 0 ? a : gcd(b, a % b);
    }
}
