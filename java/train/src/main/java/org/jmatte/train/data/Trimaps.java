package org.jmatte.train.data;

/**
 * Trimaps of an alpha: known is what keeps a distance from everything that is not clearly known. Widths are drawn for
 * the foreground and the background apart, and bands are even, uneven, dabbed with a round brush or cornered.
 */
final class Trimaps {
    static final float BACKGROUND = 0;
    static final float UNKNOWN = 0.5f;
    static final float FOREGROUND = 1;

    /** Alphas below and above count as clear background and foreground. */
    private static final float CLEAR_BACKGROUND = 0.01f;

    private static final float CLEAR_FOREGROUND = 0.99f;
    private static final float MOST_UNKNOWN = 0.97f;

    private final float[] alpha;
    private final int height;
    private final int width;
    private final Rng rng;

    private Trimaps(float[] alpha, int height, int width, Rng rng) {
        this.alpha = alpha;
        this.height = height;
        this.width = width;
        this.rng = rng;
    }

    /** Whether a trimap of this alpha would have unknown pixels: alpha is not all clear of one kind. */
    static boolean possible(float[] alpha) {
        boolean foreground = false;
        boolean background = false;
        for (float a : alpha) {
            foreground |= a > CLEAR_BACKGROUND;
            background |= a < CLEAR_FOREGROUND;
        }
        return foreground && background;
    }

    /**
     * Draws a trimap of any style.
     *
     * @param reach the largest radius of a band in pixels
     */
    static float[] draw(float[] alpha, int height, int width, float reach, Rng rng) {
        Trimaps trimaps = new Trimaps(alpha, height, width, rng);
        float style = rng.uniform();
        while (true) {
            float[] trimap = style < 0.6f
                    ? trimaps.even(reach)
                    : style < 0.8f
                            ? trimaps.uneven(reach)
                            : style < 0.92f ? trimaps.dabbed(reach) : trimaps.cornered(reach);
            if (reach < 2 || unknownShare(trimap) <= MOST_UNKNOWN) {
                return trimap;
            }
            reach /= 2;
        }
    }

    /** Erosion and dilation by ellipses of random radii from 1 to {@code reach} pixels. */
    static float[] even(float[] alpha, int height, int width, float reach, Rng rng) {
        return new Trimaps(alpha, height, width, rng).even(reach);
    }

    private float[] even(float reach) {
        return bands(radius(reach), radius(reach), radius(reach), radius(reach), null);
    }

    private float[] uneven(float reach) {
        float[] factor = new float[alpha.length];
        float cell = 1 / (reach * rng.between(1, 4));
        float offset = rng.between(0, 256);
        for (int y = 0, i = 0; y < height; y++) {
            for (int x = 0; x < width; x++, i++) {
                factor[i] = 0.55f + 0.45f * Noise.value(x * cell + offset, y * cell);
            }
        }
        return bands(reach, reach, radius(reach), radius(reach), factor);
    }

    /** A thin band, and discs about some of its pixels. */
    private float[] dabbed(float reach) {
        float[] thin = bands(1.5f, 1.5f, 1.5f, 1.5f, null);
        boolean[] dabs = new boolean[alpha.length];
        float share = 1 / rng.between(10, 150);
        for (int i = 0; i < dabs.length; i++) {
            dabs[i] = thin[i] == UNKNOWN && rng.uniform() < share;
        }
        float radius = rng.between(0.3f, 1) * reach;
        float[] squared = squaredDistances(dabs, radius, radius);
        for (int i = 0; i < thin.length; i++) {
            if (squared[i] <= 1) {
                thin[i] = UNKNOWN;
            }
        }
        return thin;
    }

    /** Unknown in whole tiles of a turned and warped grid. */
    private float[] cornered(float reach) {
        float narrow = 0.3f * radius(reach) + 1;
        float[] trimap = bands(narrow, narrow, narrow, narrow, null);
        float cell = Math.max(3, rng.between(0.4f, 1.2f) * reach);
        float angle = rng.angle();
        float cos = (float) StrictMath.cos(angle) / cell;
        float sin = (float) StrictMath.sin(angle) / cell;
        int across = (int) ((height + width) / cell) + 4;
        int[] tiles = new int[alpha.length];
        boolean[] unknown = new boolean[across * across];
        for (int y = 0, i = 0; y < height; y++) {
            for (int x = 0; x < width; x++, i++) {
                float warp = 0.6f * Noise.value(x / (2 * cell), y / (2 * cell));
                int column = Noise.floor(cos * x + sin * y + warp);
                int row = Noise.floor(cos * y - sin * x + warp);
                tiles[i] = Math.floorMod(row, across) * across + Math.floorMod(column, across);
                unknown[tiles[i]] |= trimap[i] == UNKNOWN;
            }
        }
        for (int i = 0; i < trimap.length; i++) {
            if (unknown[tiles[i]]) {
                trimap[i] = UNKNOWN;
            }
        }
        return trimap;
    }

    private float radius(float reach) {
        return rng.between(1, Math.max(1, reach));
    }

    /** Known where no unclear pixel lies within an ellipse; {@code factor} scales its radii from place to place. */
    private float[] bands(float backgroundX, float backgroundY, float foregroundX, float foregroundY, float[] factor) {
        boolean[] notBackground = new boolean[alpha.length];
        boolean[] notForeground = new boolean[alpha.length];
        for (int i = 0; i < alpha.length; i++) {
            notBackground[i] = alpha[i] >= CLEAR_BACKGROUND;
            notForeground[i] = alpha[i] <= CLEAR_FOREGROUND;
        }
        float[] toForeground = squaredDistances(notBackground, backgroundX, backgroundY);
        float[] toBackground = squaredDistances(notForeground, foregroundX, foregroundY);
        float[] trimap = new float[alpha.length];
        for (int i = 0; i < trimap.length; i++) {
            float limit = factor == null ? 1 : factor[i] * factor[i];
            trimap[i] = !notBackground[i] && toForeground[i] > limit
                    ? BACKGROUND
                    : !notForeground[i] && toBackground[i] > limit ? FOREGROUND : UNKNOWN;
        }
        return trimap;
    }

    /** Share of unknown pixels. */
    static float unknownShare(float[] trimap) {
        int unknown = 0;
        for (float value : trimap) {
            unknown += value == UNKNOWN ? 1 : 0;
        }
        return (float) unknown / trimap.length;
    }

    /**
     * Squared distance to the nearest set pixel with the axes divided by the radii: at most 1 within the ellipse. By
     * columns, then as the lower envelope of a row's parabolas (Felzenszwalb and Huttenlocher 2012).
     */
    private float[] squaredDistances(boolean[] set, float radiusX, float radiusY) {
        float far = 1e9f;
        float[] result = new float[set.length];
        for (int x = 0; x < width; x++) {
            float distance = far;
            for (int y = 0; y < height; y++) {
                distance = set[y * width + x] ? 0 : distance + 1;
                result[y * width + x] = distance;
            }
            distance = far;
            for (int y = height - 1; y >= 0; y--) {
                distance = set[y * width + x] ? 0 : distance + 1;
                float down = Math.min(distance, result[y * width + x]) / radiusY;
                result[y * width + x] = Math.min(far, down * down);
            }
        }
        float weight = 1 / (radiusX * radiusX);
        int[] feet = new int[width];
        float[] bounds = new float[width + 1];
        float[] row = new float[width];
        for (int start = 0; start < set.length; start += width) {
            System.arraycopy(result, start, row, 0, width);
            int last = -1;
            for (int q = 0; q < width; q++) {
                float bound = Float.NEGATIVE_INFINITY;
                while (last >= 0) {
                    int p = feet[last];
                    bound = ((row[q] - row[p]) / weight + (float) q * q - (float) p * p) / (2 * (q - p));
                    if (bound > bounds[last]) {
                        break;
                    }
                    last--;
                    bound = Float.NEGATIVE_INFINITY;
                }
                last++;
                feet[last] = q;
                bounds[last] = bound;
            }
            bounds[last + 1] = Float.POSITIVE_INFINITY;
            for (int x = 0, k = 0; x < width; x++) {
                while (bounds[k + 1] < x) {
                    k++;
                }
                float d = x - feet[k];
                result[start + x] = d * d * weight + row[feet[k]];
            }
        }
        return result;
    }
}
