package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import org.jmatte.image.Alpha;

/** Comparisons of mattes. */
public final class Alphas {
    private Alphas() {}

    /** Fails unless both hold the same bytes. */
    public static void assertSame(Alpha expected, Alpha actual, String what) {
        assertEquals(expected.toString(), actual.toString(), what);
        int at = expected.values().mismatch(actual.values());
        if (at >= 0) {
            int pixel = at / expected.format().bytes();
            int y = pixel / expected.width();
            int x = pixel % expected.width();
            fail(what + ": alpha at y=" + y + ", x=" + x + " is " + actual.get(y, x) + " instead of "
                    + expected.get(y, x));
        }
    }

    /** The largest difference between two alphas of the same size; infinite where one is not a number. */
    public static double difference(Alpha expected, Alpha actual) {
        double worst = 0;
        for (int y = 0; y < expected.height(); y++) {
            for (int x = 0; x < expected.width(); x++) {
                double difference = Math.abs(expected.get(y, x) - actual.get(y, x));
                worst = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(worst, difference);
            }
        }
        return worst;
    }

    /** Fails unless every value is a number from 0 to 1. */
    static void assertAlpha(Alpha alpha) {
        for (int y = 0; y < alpha.height(); y++) {
            for (int x = 0; x < alpha.width(); x++) {
                float value = alpha.get(y, x);
                if (!(value >= 0 && value <= 1)) {
                    fail("alpha at y=" + y + ", x=" + x + " is " + value);
                }
            }
        }
    }
}
