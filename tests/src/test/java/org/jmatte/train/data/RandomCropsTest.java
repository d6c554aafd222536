package org.jmatte.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

class RandomCropsTest {
    private static final int SIDE = 64;
    private static final IntFunction<SampleSource> GENERATED = side -> new GeneratedSamples(3, side, List.of());

    @Test
    void aCropIsAPartOfALargerSample() {
        SampleSource crops = new RandomCrops(1, 1, SIDE, GENERATED);
        for (int index = 0; index < 4; index++) {
            Sample part = crops.sample(index);
            Sample whole = GENERATED.apply(2 * SIDE).sample(index);
            assertEquals(SIDE, part.height());
            assertEquals(SIDE, part.width());
            assertTrue(liesIn(part, whole), "sample " + index);
            assertArrayEquals(
                    Sample.composite(part.foreground(), part.background(), part.alpha()), part.image(), 0.01f);
        }
    }

    private static boolean liesIn(Sample part, Sample whole) {
        for (int top = 0; top <= SIDE; top++) {
            for (int left = 0; left <= SIDE; left++) {
                if (equalAt(part.image(), 3, whole.image(), top, left)
                        && equalAt(part.trimap(), 1, whole.trimap(), top, left)
                        && equalAt(part.alpha(), 1, whole.alpha(), top, left)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean equalAt(float[] part, int planes, float[] whole, int top, int left) {
        for (int c = 0, i = 0; c < planes; c++) {
            for (int y = 0; y < SIDE; y++) {
                for (int x = 0; x < SIDE; x++, i++) {
                    if (part[i] != whole[(c * 2 * SIDE + top + y) * 2 * SIDE + left + x]) {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    @Test
    void aShareOfTheSamplesAreCropsAndSomeHoldKnownPixelsAlone() {
        float[] plane = new float[4 * SIDE * SIDE];
        plane[0] = 0.5f; // only a crop at the corner has it
        IntFunction<SampleSource> marked = side -> index -> Sample.composed(
                "" + side,
                side,
                side,
                new float[3 * side * side],
                new float[3 * side * side],
                crop(plane, side),
                crop(plane, side));
        SampleSource crops = new RandomCrops(2, 0.25f, SIDE, marked);
        int cut = 0;
        int known = 0;
        for (int index = 0; index < 1000; index++) {
            Sample sample = crops.sample(index);
            cut += sample.name().equals("" + 2 * SIDE) ? 1 : 0;
            known += Trimaps.unknownShare(sample.trimap()) == 0 ? 1 : 0;
        }
        assertEquals(250, cut, 55); // four standard deviations
        assertTrue(known > 0 && known <= cut);
    }

    private static float[] crop(float[] plane, int side) {
        return Arrays.copyOf(plane, side * side);
    }
}
