package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jmatte.image.Photo;
import org.jmatte.network.Architecture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Plans, against counts made independently, and the memory that runs take. */
class PlanTest {
    private static final MattingOptions QUARTER = MattingOptions.defaults().withKeep(0.25);

    /**
     * Multiply-adds per kind of stage for MEMatte of width C at 1024x1024 with a quarter of the tokens routed, as the
     * mathematics needs them: nothing padded, nothing computed twice, global router features pooled once, upsampling
     * after the convolution.
     */
    private static Map<String, Double> multiplyAdds(double c, int size, double fraction) {
        double tokens = size / 16.0 * (size / 16.0);
        double routed = Math.floor(tokens * fraction);
        double square = c * c;
        Map<String, Double> counts = new LinkedHashMap<>();
        counts.put("embed patches", tokens * 16 * 16 * 4 * c);
        // Every token scores and sums the real tokens of its window, one more for all of its padding, and 2 x 14
        // relative positions.
        double pairs = 0;
        for (int height : windows(size / 16)) {
            for (int width : windows(size / 16)) {
                double inside = height * width;
                pairs += inside * (inside + (inside < 14 * 14 ? 1 : 0));
            }
        }
        counts.put("window attention", 8 * (4 * square * tokens + 2 * pairs * c + 28 * tokens * c));
        counts.put("mlp", 12 * 8 * square * tokens);
        // in; the local half of the second layer; the third; one margin of two scores
        counts.put("route", 4 * tokens * (square + square / 4 + square / 8 + c / 4));
        counts.put("routed attention", 4 * (4 * square * routed + 2 * routed * routed * c));
        counts.put("refine", 4 * (2 * square * tokens + 2 * square * (tokens - routed)));
        counts.put("bottleneck", 4 * tokens * (square + 9 * square / 4));
        counts.put("decode", decoder(c, (double) size * size));
        return counts;
    }

    private static int[] windows(int grid) {
        int whole = grid / 14;
        int[] sizes = new int[grid % 14 == 0 ? whole : whole + 1];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = i < whole ? 14 : grid % 14;
        }
        return sizes;
    }

    private static double decoder(double c, double pixels) {
        double detail = pixels / 4 * 9 * 4 * 48 + pixels / 16 * 9 * 48 * 96 + pixels / 64 * 9 * 96 * 192;
        // Of each fusion: detail at its own resolution, the lower map at a quarter of it.
        double fusion = pixels / 64 * 9 * 256 * (192 + c / 4)
                + pixels / 16 * 9 * 128 * (96 + 256 / 4)
                + pixels / 4 * 9 * 64 * (48 + 128 / 4)
                + pixels * 9 * 32 * (4 + 64 / 4);
        return detail + fusion + pixels * (9 * 32 * 16 + 16);
    }

    /**
     * Ours are higher by what is no multiply-add of a matrix product: the depthwise convolution (4 % of refine), the
     * interpolation (2 % of decode), and the cut-off windows, whose count of pairs is charged as if they were whole.
     */
    @ParameterizedTest
    @CsvSource({"mematte_s, 384", "mematte_b, 768"})
    void theOperationsAreThoseThatTheNetworkNeeds(String network, int width) {
        Plan plan = Matting.plan("seeded:" + network, 1024, 1024, QUARTER);
        Map<String, Double> ours = new LinkedHashMap<>();
        for (Plan.Stage stage : plan.stages()) {
            String kind = stage.name().replaceFirst("block \\d+ ", "");
            ours.merge(kind, (double) stage.flops(), Double::sum);
        }
        // Additions alone, which the independent count leaves out.
        double merged = ours.remove("merge");
        assertTrue(merged < 1e-3 * plan.flops());
        Map<String, Double> expected = multiplyAdds(width, 1024, 0.25);
        assertEquals(expected.keySet(), ours.keySet());
        expected.forEach((kind, count) -> {
            double ratio = ours.get(kind) / (2 * count);
            assertTrue(ratio > 0.99 && ratio < 1.1, kind + ": " + ratio + " times the expected operations");
        });
        assertEquals(
                plan.flops(),
                plan.stages().stream().mapToLong(Plan.Stage::flops).sum());
        assertEquals(
                plan.movedBytes(),
                plan.stages().stream().mapToLong(Plan.Stage::movedBytes).sum());
    }

    @Test
    void theMemoryIsWeightsAndTheMostDemandingStage() {
        Plan plan = Matting.plan("seeded:mematte_s", 1024, 1024, QUARTER);
        assertEquals(plan.weightsBytes() + plan.arenaBytes(), plan.peakBytes());
        assertEquals(1024L * 1024 * (3 + 1 + 1), plan.imageBytes());
        long mostInAStage =
                plan.stages().stream().mapToLong(Plan.Stage::arenaBytes).max().orElseThrow();
        assertEquals(plan.arenaBytes(), mostInAStage);
        // 29 M parameters of 4 bytes; the packing rounds some up.
        long parameters = Architecture.named("mematte_s").parameterShapes().values().stream()
                .mapToLong(shape -> Arrays.stream(shape).reduce(1, (a, b) -> a * b))
                .sum();
        assertTrue(plan.weightsBytes() > 3.9 * parameters && plan.weightsBytes() < 4.2 * parameters);
    }

    @Test
    void bf16TakesAboutHalf() {
        Machine.assumeBf16();
        Plan fp32 = Matting.plan("seeded:mematte_s", 1024, 1024, QUARTER);
        Plan bf16 = Matting.plan("seeded:mematte_s", 1024, 1024, QUARTER.withPrecision(Precision.BF16));
        assertTrue(bf16.weightsBytes() < 0.55 * fp32.weightsBytes());
        assertTrue(bf16.arenaBytes() < 0.8 * fp32.arenaBytes());
        assertEquals(fp32.flops(), bf16.flops());
    }

    @Test
    void aBiggerImageNeedsMore() {
        Plan before = null;
        for (int size = 32; size <= 4096; size *= 2) {
            Plan plan = Matting.plan("seeded:mematte_tiny", size, size, MattingOptions.defaults());
            assertTrue(before == null
                    || (plan.peakBytes() > before.peakBytes()
                            && plan.flops() > before.flops()
                            && plan.movedBytes() > before.movedBytes()
                            && plan.imageBytes() > before.imageBytes()));
            before = plan;
        }
    }

    @Test
    void planningIsQuickAndReadsNoWeights() {
        long start = System.nanoTime();
        Plan plan = Matting.plan("seeded:mematte_b", 6017, 4872, MattingOptions.defaults());
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf("planned in %.2f s: %s%n", seconds, plan.tiling());
        assertTrue(seconds < 10, "planning took " + seconds + " s");
        assertTrue(plan.peakBytes() > 1L << 30);
    }

    @Test
    void anOpenedModelPlansTheSame() {
        try (Matting matting = Matting.open("seeded:mematte_tiny", QUARTER)) {
            assertEquals(Matting.plan("seeded:mematte_tiny", 300, 200, QUARTER), matting.plan(300, 200));
        }
    }

    /** Sizes that differ in every run lead to ever other primitives: what is kept of them must be bounded. */
    @Test
    void manyImagesOfDifferentSizesKeepNoMemory() {
        try (Matting matting = Matting.open("seeded:mematte_tiny")) {
            images(matting, 0, 40);
            long before = Machine.residentBytes();
            images(matting, 40, 70);
            long grown = Machine.residentBytes() - before >> 20;
            System.out.printf("30 images: resident memory grows by %d MiB%n", grown);
            assertTrue(grown < 100, "30 images kept " + grown + " MiB");
        }
    }

    private static void images(Matting matting, int from, int to) {
        for (int run = from; run < to; run++) {
            int height = 60 + 37 * run % 400;
            int width = 60 + 91 * run % 400;
            Photo photo = Scenes.photo(height, width, run);
            matting.matte(photo, Scenes.unknown(height, width), MatteRequest.defaults());
        }
        System.gc(); // the photos' own buffers
    }
}
