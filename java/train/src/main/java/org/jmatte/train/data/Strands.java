package org.jmatte.train.data;

import java.util.Arrays;

/**
 * Draws strands: curved lines that taper, one over the other. The coverage of a pixel is the overlap of its width with
 * the strand's at their distance, so that strands thinner than a pixel are as transparent as they should be.
 */
final class Strands {
    private static final int MOST_POINTS = 48;

    private final Layer layer;
    private final int side;
    private final float[] covers;
    private final float[] places;
    private final int[] firsts;
    private final int[] lasts;
    private final float[] xs = new float[MOST_POINTS];
    private final float[] ys = new float[MOST_POINTS];
    private int count;

    Strands(Layer layer) {
        this.layer = layer;
        side = layer.side;
        covers = new float[side * side];
        places = new float[side * side];
        firsts = new int[side];
        lasts = new int[side];
        Arrays.fill(firsts, side);
        Arrays.fill(lasts, -1);
    }

    int side() {
        return side;
    }

    /** How a strand looks: widths in pixels, colours at root and tip, opacity; atop: only on what is there. */
    record Look(float width, float tipWidth, float[] root, float[] tip, float opacity, boolean atop) {}

    /** Begins a strand at its root. */
    Strands from(float x, float y) {
        xs[0] = x;
        ys[0] = y;
        count = 1;
        return this;
    }

    /** Continues the strand; points beyond the most that a strand may have are dropped. */
    Strands to(float x, float y) {
        if (count < MOST_POINTS) {
            xs[count] = x;
            ys[count] = y;
            count++;
        }
        return this;
    }

    /** Continues along a quadratic Bezier curve. */
    Strands curve(float controlX, float controlY, float endX, float endY) {
        float x0 = xs[count - 1];
        float y0 = ys[count - 1];
        float length = Math.abs(controlX - x0)
                + Math.abs(controlY - y0)
                + Math.abs(endX - controlX)
                + Math.abs(endY - controlY);
        int steps = Math.max(2, Math.min(16, (int) (length / 5)));
        for (int k = 1; k <= steps; k++) {
            float t = (float) k / steps;
            float s = 1 - t;
            to(s * s * x0 + 2 * s * t * controlX + t * t * endX, s * s * y0 + 2 * s * t * controlY + t * t * endY);
        }
        return this;
    }

    void draw(Look look) {
        int top = side;
        int bottom = -1;
        for (int k = 0; k + 1 < count; k++) {
            float reach = half(look, (float) k / (count - 1)) + 0.5f;
            int y0 = Math.max(0, Noise.floor(Math.min(ys[k], ys[k + 1]) - reach));
            int y1 = Math.min(side - 1, Noise.floor(Math.max(ys[k], ys[k + 1]) + reach));
            int x0 = Math.max(0, Noise.floor(Math.min(xs[k], xs[k + 1]) - reach));
            int x1 = Math.min(side - 1, Noise.floor(Math.max(xs[k], xs[k + 1]) + reach));
            if (y0 <= y1 && x0 <= x1) {
                segment(k, look, reach, y0, y1, x0, x1);
                top = Math.min(top, y0);
                bottom = Math.max(bottom, y1);
            }
        }
        for (int y = top; y <= bottom; y++) {
            blend(y, look);
        }
    }

    /** Half the width at a share of the length. */
    private static float half(Look look, float along) {
        return 0.5f * (look.tipWidth + (look.width - look.tipWidth) * (1 - along * along));
    }

    private void segment(int k, Look look, float reach, int y0, int y1, int x0, int x1) {
        float ax = xs[k];
        float ay = ys[k];
        float dx = xs[k + 1] - ax;
        float dy = ys[k + 1] - ay;
        float inverse = 1 / Math.max(1e-6f, dx * dx + dy * dy);
        float share = 1f / (count - 1);
        float start = k * share;
        // along a row, the strip around the line is this far to either side of it
        float slope = Math.abs(dy) > 0.05f ? dx / dy : 0;
        float beside = Math.abs(dy) > 0.05f ? reach * (float) Math.sqrt(1 + slope * slope) : 2 * side;
        for (int y = y0; y <= y1; y++) {
            float py = y + 0.5f - ay;
            float middle = ax + slope * py;
            int from = Math.max(x0, (int) (middle - beside));
            int to = Math.min(x1, (int) (middle + beside));
            for (int x = from; x <= to; x++) {
                float px = x + 0.5f - ax;
                float t = (px * dx + py * dy) * inverse;
                t = t < 0 ? 0 : t > 1 ? 1 : t;
                float ex = px - t * dx;
                float ey = py - t * dy;
                float squared = ex * ex + ey * ey;
                float along = start + t * share;
                float half = half(look, along);
                if (squared >= (half + 0.5f) * (half + 0.5f)) {
                    continue;
                }
                float distance = (float) Math.sqrt(squared);
                float cover = Math.min(distance + 0.5f, half) - Math.max(distance - 0.5f, -half);
                int i = y * side + x;
                if (cover > covers[i]) {
                    covers[i] = cover;
                    places[i] = along;
                    firsts[y] = Math.min(firsts[y], x);
                    lasts[y] = Math.max(lasts[y], x);
                }
            }
        }
    }

    private void blend(int y, Look look) {
        float[] root = look.root;
        float[] tip = look.tip;
        for (int i = y * side + firsts[y]; i <= y * side + lasts[y]; i++) {
            float cover = covers[i];
            if (cover > 0) {
                covers[i] = 0;
                float t = places[i];
                layer.blend(
                        i,
                        Math.min(1, cover) * look.opacity,
                        root[0] + t * (tip[0] - root[0]),
                        root[1] + t * (tip[1] - root[1]),
                        root[2] + t * (tip[2] - root[2]),
                        look.atop);
            }
        }
        firsts[y] = side;
        lasts[y] = -1;
    }
}
