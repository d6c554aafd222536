package org.jmatte.bench.cpu;

import java.util.List;
import java.util.Locale;

/** The median of some numbers, the least and the most of them. */
record Spread(double median, double least, double most) {
    static Spread of(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int count = sorted.size();
        double median = (sorted.get((count - 1) / 2) + sorted.get(count / 2)) / 2;
        return new Spread(median, sorted.get(0), sorted.get(count - 1));
    }

    /** {@code 0.35 (0.33 to 0.38)}, with two or three digits that say something. */
    @Override
    public String toString() {
        return number(median) + " (" + number(least) + " to " + number(most) + ")";
    }

    static String number(double value) {
        return String.format(
                Locale.ROOT, value < 0.0995 ? "%.3f" : value < 9.95 ? "%.2f" : value < 99.5 ? "%.1f" : "%.0f", value);
    }
}
