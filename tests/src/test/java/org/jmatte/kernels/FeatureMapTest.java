package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.jmatte.kernels.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class FeatureMapTest {
    private static final Tensor ROWS = Tensor.wrap(4096, FP16, 6, 10, 32);

    @Test
    void sizes() {
        FeatureMap ring = new FeatureMap(ROWS, 20, 24);
        assertEquals("[20, 10, 24] fp16, 6 rows in memory", ring.toString());
        assertEquals(6, ring.ring());
        assertEquals(10, ring.width());
        assertEquals(32, ring.pitch());
        assertEquals("[6, 10, 32] fp16", FeatureMap.of(ROWS).toString());
        FeatureMap slice = FeatureMap.of(ROWS).slice(24, 8);
        assertEquals(4096 + 48, slice.rows().pointer());
        assertEquals("[6, 10, 8] fp16", slice.toString());
    }

    @Test
    void badSizesAreRefused() {
        assertRefused(
                "feature map: rows: expected fp32 or fp16 or bf16, got [6, 10, 32] i32",
                () -> new FeatureMap(Tensor.wrap(4096, I32, 6, 10, 32), 6, 32));
        assertRefused(
                "feature map: rows: expected [ring, width, pitch], got [6, 10] fp32",
                () -> new FeatureMap(Tensor.wrap(4096, FP32, 6, 10), 6, 10));
        assertRefused("feature map: channels: expected 1 to 32, got 33", () -> new FeatureMap(ROWS, 6, 33));
        assertRefused("feature map: height: expected 0 to 536870911, got -1", () -> new FeatureMap(ROWS, -1, 32));
        assertRefused("feature map: channels: expected 1 to 8, got 9", () -> FeatureMap.of(ROWS)
                .slice(24, 9));
    }

    @Test
    void slicesEndWithTheirLastChannel() {
        FeatureMap last = FeatureMap.of(ROWS).slice(24, 8);
        Tensor next = Tensor.wrap(4096 + ROWS.bytes(), FP16, 8);
        last.expectApart("test", "out", "next", next);
        assertRefused(
                "test: out: expected memory apart from last's, got memory that overlaps it",
                () -> last.expectApart("test", "out", "last", Tensor.wrap(4096 + ROWS.bytes() - 2, FP16, 1)));
        // Channels of one map: the caller sees to it.
        last.expectApart("test", "out", "first", FeatureMap.of(ROWS).slice(0, 24));
    }
}
