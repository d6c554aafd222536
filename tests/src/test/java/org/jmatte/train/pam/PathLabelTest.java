package org.jmatte.train.pam;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Map;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamPath;
import org.junit.jupiter.api.Test;

class PathLabelTest {
    private static final PamPath WITHOUT_3 = PamPath.of("11101111111111");
    private static final PamPath WITHOUT_7 = PamPath.of("11111110111111");

    private static PathLabel label(double errorWithout3, double errorWithout7, PamPath walk) {
        return PathLabel.of(Map.of(WITHOUT_3, errorWithout3, WITHOUT_7, errorWithout7), walk);
    }

    @Test
    void followsTheBestCandidateUntilTheWalkHasTakenAnother() {
        assertEquals(WITHOUT_7, label(0.11, 0.10, PamPath.KEEP_ALL).path());
        assertEquals(WITHOUT_7, label(0.11, 0.10, WITHOUT_7).path());
        assertEquals(
                PamPath.KEEP_ALL,
                label(0.11, 0.10, WITHOUT_3).path(),
                "segment 3 had better been kept; as it was not, segment 7 is");
        assertEquals(
                WITHOUT_7,
                label(0.11, 0.10, PamPath.of("01111110000000")).path(),
                "where it agrees equally with both, the better one");
    }

    @Test
    void aDecisionMattersAsMuchAsTheErrorDependsOnIt() {
        assertArrayEquals(ones(), label(0.11, 0.10, PamPath.KEEP_ALL).weights());
        float[] weights = ones();
        weights[3] = 1f / 3;
        assertArrayEquals(weights, label(0.101, 0.100, WITHOUT_7).weights(), 1e-5f);
        assertArrayEquals(weights, label(0.100, 0.101, WITHOUT_3).weights(), 1e-5f);
    }

    @Test
    void anImageWithoutErrorDecidesNothing() {
        float[] weights = ones();
        weights[3] = 0;
        assertArrayEquals(weights, label(0, 0, WITHOUT_3).weights());
    }

    @Test
    void allOfAPathMatters() {
        assertEquals(WITHOUT_3, PathLabel.of(WITHOUT_3).path());
        assertArrayEquals(ones(), PathLabel.of(WITHOUT_3).weights());
    }

    private static float[] ones() {
        float[] ones = new float[PamArchitecture.SEGMENTS];
        Arrays.fill(ones, 1);
        return ones;
    }
}
