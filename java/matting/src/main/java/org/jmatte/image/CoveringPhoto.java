package org.jmatte.image;

import java.util.Arrays;

/** A photo scaled to cover a size; see {@link Background#cover}. */
final class CoveringPhoto implements Background {
    /**
     * The stored pixels that make one of the scaled picture, along one axis. Their weights fall linearly with the
     * distance, to 0 at one pixel of the coarser of both pictures.
     *
     * @param first of those pixels
     * @param weights of it and the following ones; their sum is 1
     */
    private record Taps(int first, float[] weights) {}

    private final Photo photo;
    private final Taps[] rows;
    private final Taps[] columns;

    CoveringPhoto(Photo photo, int height, int width) {
        this.photo = photo;
        double scale = Math.max((double) height / photo.height(), (double) width / photo.width());
        rows = taps(height, photo.height(), scale);
        columns = taps(width, photo.width(), scale);
    }

    /** The taps of {@code size} pixels, {@code 1 / scale} apart, in the middle of {@code stored} ones. */
    private static Taps[] taps(int size, int stored, double scale) {
        double reach = Math.max(1, 1 / scale);
        double start = (stored - size / scale) / 2;
        Taps[] taps = new Taps[size];
        for (int i = 0; i < size; i++) {
            double centre = start + (i + 0.5) / scale - 0.5;
            int first = Math.max(0, (int) Math.ceil(centre - reach));
            int last = Math.min(stored - 1, (int) Math.floor(centre + reach));
            float[] weights = new float[last - first + 1];
            float total = 0;
            for (int k = 0; k < weights.length; k++) {
                weights[k] = (float) (1 - Math.abs(first + k - centre) / reach);
                total += weights[k];
            }
            for (int k = 0; k < weights.length; k++) {
                weights[k] /= total;
            }
            taps[i] = new Taps(first, weights);
        }
        return taps;
    }

    @Override
    public void row(int y, float[] rgb) {
        float[] stored = new float[3 * photo.width()];
        float[] mixed = new float[stored.length];
        Taps row = rows[y];
        for (int k = 0; k < row.weights().length; k++) {
            photo.row(row.first() + k, stored);
            float weight = row.weights()[k];
            for (int i = 0; i < mixed.length; i++) {
                mixed[i] += weight * stored[i];
            }
        }
        Arrays.fill(rgb, 0);
        for (int x = 0; x < columns.length; x++) {
            Taps column = columns[x];
            for (int k = 0; k < column.weights().length; k++) {
                float weight = column.weights()[k];
                int from = 3 * (column.first() + k);
                rgb[3 * x] += weight * mixed[from];
                rgb[3 * x + 1] += weight * mixed[from + 1];
                rgb[3 * x + 2] += weight * mixed[from + 2];
            }
        }
    }
}
