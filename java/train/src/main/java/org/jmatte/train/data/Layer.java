package org.jmatte.train.data;

/** A picture with alpha in planes, colours premultiplied, painted from back to front; a pixel's centre is at +0.5. */
final class Layer {
    private static final int BLOCK = 8;

    final int side;
    final float[] red;
    final float[] green;
    final float[] blue;
    final float[] alpha;

    private Layer(int side, float[] red, float[] green, float[] blue, float[] alpha) {
        this.side = side;
        this.red = red;
        this.green = green;
        this.blue = blue;
        this.alpha = alpha;
    }

    /** An empty layer. */
    Layer(int side) {
        this(side, new float[side * side], new float[side * side], new float[side * side], new float[side * side]);
    }

    Layer copy() {
        return new Layer(side, red.clone(), green.clone(), blue.clone(), alpha.clone());
    }

    /** Paints over what is there. */
    void over(Surface surface) {
        paint(surface, false, 0, 0, side, side);
    }

    /** Paints a surface that lies within a distance of (x, y). */
    void over(Surface surface, float x, float y, float reach) {
        int left = Math.max(0, Noise.floor(x - reach));
        int top = Math.max(0, Noise.floor(y - reach));
        int right = Math.min(side, Noise.floor(x + reach) + 1);
        int bottom = Math.min(side, Noise.floor(y + reach) + 1);
        paint(surface, false, left, top, right, bottom);
    }

    /** Paints only where, and as far as, something is there already; alpha stays. */
    void atop(Surface surface) {
        paint(surface, true, 0, 0, side, side);
    }

    private void paint(Surface surface, boolean atop, int left, int top, int right, int bottom) {
        float[] rgb = new float[3];
        for (int blockY = top; blockY < bottom; blockY += BLOCK) {
            for (int blockX = left; blockX < right; blockX += BLOCK) {
                if (surface.misses(blockX + BLOCK / 2, blockY + BLOCK / 2, 0.71f * BLOCK)) {
                    continue;
                }
                for (int y = blockY; y < Math.min(bottom, blockY + BLOCK); y++) {
                    for (int x = blockX; x < Math.min(right, blockX + BLOCK); x++) {
                        int i = y * side + x;
                        if (atop && alpha[i] == 0) {
                            continue;
                        }
                        float cover = surface.cover(x + 0.5f, y + 0.5f, rgb);
                        if (cover > 0) {
                            blend(i, cover, rgb[0], rgb[1], rgb[2], atop);
                        }
                    }
                }
            }
        }
    }

    void blend(int i, float cover, float r, float g, float b, boolean atop) {
        float added = atop ? cover * alpha[i] : cover;
        float kept = 1 - cover;
        red[i] = added * r + kept * red[i];
        green[i] = added * g + kept * green[i];
        blue[i] = added * b + kept * blue[i];
        if (!atop) {
            alpha[i] = added + kept * alpha[i];
        }
    }

    /** Puts another layer in front. */
    void over(Layer front) {
        for (int i = 0; i < alpha.length; i++) {
            float kept = 1 - front.alpha[i];
            red[i] = front.red[i] + kept * red[i];
            green[i] = front.green[i] + kept * green[i];
            blue[i] = front.blue[i] + kept * blue[i];
            alpha[i] = front.alpha[i] + kept * alpha[i];
        }
    }

    /** Cuts a shape out. */
    void erase(Shape shape, float softness) {
        scale((x, y) -> Noise.step(0.5f + shape.distance(x, y) / softness));
    }

    /** A number for every place. */
    @FunctionalInterface
    interface Map {
        float at(float x, float y);
    }

    /** Multiplies the opacity. */
    void scale(Map factor) {
        for (int y = 0, i = 0; y < side; y++) {
            for (int x = 0; x < side; x++, i++) {
                if (alpha[i] > 0) {
                    float kept = factor.at(x + 0.5f, y + 0.5f);
                    red[i] *= kept;
                    green[i] *= kept;
                    blue[i] *= kept;
                    alpha[i] *= kept;
                }
            }
        }
    }

    /** Moves every pixel towards another layer's by a share for every place. */
    void mix(Layer other, Map share) {
        for (int y = 0, i = 0; y < side; y++) {
            for (int x = 0; x < side; x++, i++) {
                float t = share.at(x + 0.5f, y + 0.5f);
                red[i] += t * (other.red[i] - red[i]);
                green[i] += t * (other.green[i] - green[i]);
                blue[i] += t * (other.blue[i] - blue[i]);
                alpha[i] += t * (other.alpha[i] - alpha[i]);
            }
        }
    }

    /** Something done to each plane alike. */
    @FunctionalInterface
    interface Filter {
        void apply(float[] plane, int side);
    }

    void filter(Filter filter) {
        filter.apply(red, side);
        filter.apply(green, side);
        filter.apply(blue, side);
        filter.apply(alpha, side);
        for (int i = 0; i < alpha.length; i++) {
            alpha[i] = Palette.clamp(alpha[i]);
        }
    }

    /** Share of the frame that is covered. */
    float coverage() {
        double sum = 0;
        for (float a : alpha) {
            sum += a;
        }
        return (float) (sum / alpha.length);
    }

    /** The premultiplied colours with 8 bits. */
    Picture toPicture() {
        byte[] rgb = new byte[3 * alpha.length];
        for (int i = 0; i < alpha.length; i++) {
            rgb[3 * i] = (byte) (red[i] * 255 + 0.5f);
            rgb[3 * i + 1] = (byte) (green[i] * 255 + 0.5f);
            rgb[3 * i + 2] = (byte) (blue[i] * 255 + 0.5f);
        }
        return new Picture(side, side, rgb);
    }

    /** Planar RGB without the premultiplication; where alpha is near 0, colours flow in from the surroundings. */
    float[] colors() {
        float[][] planes = {red, green, blue};
        float[] colors = new float[3 * alpha.length];
        Layer around = new Layer(side, red.clone(), green.clone(), blue.clone(), alpha.clone());
        around.fill();
        float[][] filled = {around.red, around.green, around.blue};
        float pull = 0.004f;
        for (int c = 0; c < 3; c++) {
            for (int i = 0; i < alpha.length; i++) {
                colors[c * alpha.length + i] = Palette.clamp((planes[c][i] + pull * filled[c][i]) / (alpha[i] + pull));
            }
        }
        return colors;
    }

    /** Pull-push: transparent parts take the colour of a half-sized layer, filled in the same way. */
    private void fill() {
        if (isOpaque()) {
            return;
        }
        if (side == 1) {
            float inverse = alpha[0] > 0 ? 1 / alpha[0] : 0;
            red[0] *= inverse;
            green[0] *= inverse;
            blue[0] *= inverse;
            return;
        }
        Layer half = new Layer((side + 1) / 2);
        for (int y = 0, i = 0; y < side; y++) {
            for (int x = 0; x < side; x++, i++) {
                int to = y / 2 * half.side + x / 2;
                half.red[to] += red[i];
                half.green[to] += green[i];
                half.blue[to] += blue[i];
                half.alpha[to] += alpha[i];
            }
        }
        for (int i = 0; i < half.alpha.length; i++) {
            float factor = half.alpha[i] > 1 ? 1 / half.alpha[i] : 1;
            half.red[i] *= factor;
            half.green[i] *= factor;
            half.blue[i] *= factor;
            half.alpha[i] *= factor;
        }
        half.fill();
        for (int y = 0, i = 0; y < side; y++) {
            int row = y / 2 * half.side;
            int otherRow = Math.max(0, Math.min(half.side - 1, y / 2 + (y % 2 == 0 ? -1 : 1))) * half.side;
            for (int x = 0; x < side; x++, i++) {
                float missing = 1 - alpha[i];
                if (missing > 0) {
                    int column = x / 2;
                    int otherColumn = Math.max(0, Math.min(half.side - 1, x / 2 + (x % 2 == 0 ? -1 : 1)));
                    int a = row + column;
                    int b = row + otherColumn;
                    int c = otherRow + column;
                    int d = otherRow + otherColumn;
                    red[i] += missing * bilinear(half.red, a, b, c, d);
                    green[i] += missing * bilinear(half.green, a, b, c, d);
                    blue[i] += missing * bilinear(half.blue, a, b, c, d);
                }
            }
        }
    }

    private boolean isOpaque() {
        for (float a : alpha) {
            if (a < 1) {
                return false;
            }
        }
        return true;
    }

    private static float bilinear(float[] plane, int near, int beside, int below, int across) {
        return 0.0625f * (9 * plane[near] + 3 * plane[beside] + 3 * plane[below] + plane[across]);
    }
}
