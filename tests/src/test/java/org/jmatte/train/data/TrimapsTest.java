package org.jmatte.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class TrimapsTest {
    private static final int HEIGHT = 41;
    private static final int WIDTH = 57;

    /** A blob of noise: several outlines, soft edges, holes. */
    private static float[] alpha(int seed) {
        float[] alpha = new float[HEIGHT * WIDTH];
        for (int i = 0; i < alpha.length; i++) {
            float noise = Noise.fractal(i % WIDTH / 12f + seed, i / WIDTH / 12f, 3);
            alpha[i] = Palette.clamp(0.5f + 4 * noise);
        }
        return alpha;
    }

    /** Known is what no unclear pixel comes near: each pixel of the ellipse looked at. */
    @Test
    void bandsAreThoseOfErosionAndDilationByEllipses() {
        for (int seed = 0; seed < 20; seed++) {
            float[] alpha = alpha(seed);
            float[] trimap = Trimaps.even(alpha, HEIGHT, WIDTH, 9, new Rng(seed));
            Rng draws = new Rng(seed);
            float backgroundX = draws.between(1, 9);
            float backgroundY = draws.between(1, 9);
            float foregroundX = draws.between(1, 9);
            float foregroundY = draws.between(1, 9);
            for (int i = 0; i < alpha.length; i++) {
                boolean background = true;
                boolean foreground = true;
                for (int j = 0; j < alpha.length; j++) {
                    float dx = j % WIDTH - i % WIDTH;
                    float dy = j / WIDTH - i / WIDTH;
                    background &= alpha[j] < 0.01f || !within(dx / backgroundX, dy / backgroundY);
                    foreground &= alpha[j] > 0.99f || !within(dx / foregroundX, dy / foregroundY);
                }
                float expected = background ? 0 : foreground ? 1 : 0.5f;
                assertEquals(expected, trimap[i], "seed " + seed + ", x " + i % WIDTH + ", y " + i / WIDTH);
            }
        }
    }

    private static boolean within(float u, float v) {
        return u * u + v * v <= 1;
    }

    @Test
    void trimapsOfAllStylesAgreeWithAlphaAndLeaveSomethingKnown() {
        float least = 1;
        float most = 0;
        for (int seed = 0; seed < 200; seed++) {
            float[] alpha = alpha(seed % 7);
            float[] trimap = Trimaps.draw(alpha, HEIGHT, WIDTH, 12, new Rng(seed));
            for (int i = 0; i < alpha.length; i++) {
                assertTrue(trimap[i] != 0 || alpha[i] < 0.01f, "seed " + seed);
                assertTrue(trimap[i] != 1 || alpha[i] > 0.99f, "seed " + seed);
            }
            least = Math.min(least, Trimaps.unknownShare(trimap));
            most = Math.max(most, Trimaps.unknownShare(trimap));
        }
        assertTrue(least > 0.1f && least < 0.6f, "least unknown " + least);
        assertTrue(most > 0.85f && most <= 0.97f, "most unknown " + most);
    }

    @Test
    void anAlphaOfOneValueHasNoTrimap() {
        assertFalse(Trimaps.possible(new float[] {0, 0, 0.005f}));
        assertFalse(Trimaps.possible(new float[] {1, 1, 0.995f}));
        assertTrue(Trimaps.possible(new float[] {0, 1}));
        assertTrue(Trimaps.possible(new float[] {0.5f, 0.5f}));
    }
}
