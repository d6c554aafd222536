package org.jmatte.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What holds for every sample, whatever its source. */
final class Samples {
    private Samples() {}

    static void requireConsistent(Sample sample, int side) {
        int size = side * side;
        assertEquals(side, sample.height(), sample.name());
        assertEquals(side, sample.width(), sample.name());
        requireUnit(sample.name() + ": alpha", sample.alpha(), size);
        requireUnit(sample.name() + ": foreground", sample.foreground(), 3 * size);
        requireUnit(sample.name() + ": background", sample.background(), 3 * size);
        assertEquals(3 * size, sample.image().length);
        int unknown = 0;
        for (int i = 0; i < size; i++) {
            float alpha = sample.alpha()[i];
            for (int c = 0; c < 3; c++) {
                float foreground = sample.foreground()[c * size + i];
                float background = sample.background()[c * size + i];
                assertEquals(
                        alpha * foreground + (1 - alpha) * background, sample.image()[c * size + i], 0, sample.name());
            }
            float known = sample.trimap()[i];
            assertTrue(known == 0 || known == 0.5f || known == 1, sample.name() + ": trimap " + known);
            assertTrue(known != 0 || alpha < 0.01f, sample.name() + ": known background of alpha " + alpha);
            assertTrue(known != 1 || alpha > 0.99f, sample.name() + ": known foreground of alpha " + alpha);
            unknown += known == 0.5f ? 1 : 0;
        }
        assertTrue(unknown > 0, sample.name() + ": no unknown pixels");
    }

    private static void requireUnit(String name, float[] values, int length) {
        assertEquals(length, values.length, name);
        for (float value : values) {
            assertTrue(value >= 0 && value <= 1, name + " has " + value);
        }
    }

    static void requireSame(Sample expected, Sample actual) {
        assertEquals(expected.name(), actual.name());
        assertArrayEquals(expected.image(), actual.image(), expected.name());
        assertArrayEquals(expected.foreground(), actual.foreground(), expected.name());
        assertArrayEquals(expected.background(), actual.background(), expected.name());
        assertArrayEquals(expected.alpha(), actual.alpha(), expected.name());
        assertArrayEquals(expected.trimap(), actual.trimap(), expected.name());
    }
}
