package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.FloatBuffer;
import java.util.BitSet;
import org.junit.jupiter.api.Test;

class RoutingTest {
    private static double closest(float[] margins, int... kept) {
        BitSet set = new BitSet();
        for (int token : kept) {
            set.set(token);
        }
        return Routing.closest(FloatBuffer.wrap(margins), set);
    }

    @Test
    void withoutACapTheDistanceIsTo0() {
        assertEquals(0.25, closest(new float[] {1, -0.5f, 0.25f, -2}, 0, 2));
        assertEquals(0.125, closest(new float[] {1, -0.125f, 0.25f, -2}, 0, 2));
        assertEquals(3, closest(new float[] {4, 3}, 0, 1));
        assertEquals(3, closest(new float[] {-4, -3}));
    }

    @Test
    void withACapItIsHalfOfTheGap() {
        assertEquals(0.25, closest(new float[] {1, 2, 1.5f, -2}, 1, 2));
        assertEquals(0, closest(new float[] {1, 1, 1}, 0));
    }
}
