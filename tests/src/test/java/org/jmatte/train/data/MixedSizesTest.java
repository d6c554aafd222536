package org.jmatte.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class MixedSizesTest {
    private static final List<Integer> SIDES = List.of(32, 48, 64);
    private static final IntFunction<SampleSource> EMPTY = side -> index -> {
        float[] plane = new float[side * side];
        float[] colors = new float[3 * side * side];
        return Sample.composed(side + "-" + index, side, side, colors, colors, plane, plane);
    };

    @Test
    void aGroupHasOneSizeAndEverySizeItsShare() {
        SampleSource mixed = new MixedSizes(5, 4, SIDES, EMPTY);
        for (long first : new long[] {0, 4, 400, 1L << 40, -8}) {
            int side = mixed.sample(first).height();
            for (int i = 1; i < 4; i++) {
                assertEquals(side, mixed.sample(first + i).height());
            }
        }
        Map<Integer, Long> counts = LongStream.range(0, 900)
                .mapToObj(group -> mixed.sample(4 * group).height())
                .collect(Collectors.groupingBy(side -> side, Collectors.counting()));
        for (int side : SIDES) {
            assertEquals(300, counts.get(side), 60); // four standard deviations
        }
    }

    @Test
    void aSampleIsThatOfItsSide() {
        IntFunction<SampleSource> generated = side -> new GeneratedSamples(9, side, List.of());
        Sample sample = new MixedSizes(1, 1, SIDES, generated).sample(17);
        assertArrayEquals(generated.apply(sample.height()).sample(17).image(), sample.image());
    }
}
