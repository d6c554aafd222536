package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A memory budget takes leaner tilings first, then fewer tokens, and in the end is refused. */
class MemoryBudgetTest {
    private static final int TILINGS = 4;
    private static final MatteRequest EXACT = MatteRequest.defaults().withFormat(Alpha.Format.U8);

    private static Matting open(String network, long budget, Precision precision) {
        MattingOptions options = MattingOptions.defaults()
                .withThreads(2)
                .withMemoryBudget(budget)
                .withPrecision(precision);
        return Matting.open("seeded:" + network, options);
    }

    /** What the budget speaks of. */
    private static long total(Plan plan) {
        return plan.peakBytes() + plan.imageBytes();
    }

    private static Plan plan(String network, int height, int width, long budget) {
        return Matting.plan(
                "seeded:" + network,
                height,
                width,
                MattingOptions.defaults().withThreads(2).withMemoryBudget(budget));
    }

    /** A budget for every tiling that this size can be given, the unlimited one (0) first. */
    private static Map<String, Long> budgets(String network, int height, int width) {
        Map<String, Long> budgets = new LinkedHashMap<>();
        Plan plan = plan(network, height, width, 0);
        long budget = 0;
        while (budgets.putIfAbsent(plan.tiling(), budget) == null && budgets.size() < TILINGS) {
            budget = total(plan) - 1;
            plan = plan(network, height, width, budget);
        }
        return budgets;
    }

    @ParameterizedTest
    @CsvSource({"mematte_tiny, 500, 330", "vitmatte_tiny, 350, 430", "mematte_tiny, 130, 700", "pam, 300, 430"})
    void everyTilingGivesTheSameResult(String network, int height, int width) {
        Photo photo = Scenes.photo(height, width, 1);
        MatteRequest request =
                MatteRequest.defaults().withFormat(Alpha.Format.F32).withKeepKnown(false);
        Map<String, Long> budgets = budgets(network, height, width);
        assertEquals(TILINGS, budgets.size(), () -> "tilings " + budgets);
        Matte expected = null;
        for (long budget : budgets.values()) {
            // The plan is for an 8-bit result; the budget is told of the other one's size.
            long more = budget == 0 ? 0 : budget + 3L * height * width;
            try (Matting matting = open(network, more, Precision.FP32)) {
                Matte matte = matting.matte(photo, Scenes.disc(height, width, 1), request);
                expected = expected == null ? matte : expected;
                assertEquals(matte.plannedBytes(), matte.peakBytes());
                assertTrue(budget == 0 || matte.peakBytes() < expected.peakBytes());
                assertEquals(expected.routing(), matte.routing());
                assertEquals(expected.path(), matte.path());
                double difference = Alphas.difference(expected.alpha(), matte.alpha());
                assertTrue(difference < 1e-5, "alpha differs by " + difference);
            }
        }
    }

    @Test
    void aSmallerBudgetLowersTheTokenCap() {
        Photo photo = Scenes.photo(12000, 64, 2); // so tall that attention takes more than the decoder's strips
        Trimap trimap = Scenes.disc(12000, 64, 2);
        long smallest = smallest("mematte_tiny", 12000, 64);
        long leanest = List.copyOf(budgets("mematte_tiny", 12000, 64).values()).get(TILINGS - 1);
        int before = Integer.MAX_VALUE;
        for (int step = 1; step <= 4; step++) {
            long budget = leanest - (leanest - smallest) * step / 4;
            Plan plan = plan("mematte_tiny", 12000, 64, budget);
            assertTrue(total(plan) <= budget);
            assertTrue(plan.maxTokens() < before || step == 1, "a lower cap for less memory");
            before = plan.maxTokens();
            try (Matting matting = open("mematte_tiny", budget, Precision.FP32);
                    Matting capped = Matting.open(
                            "seeded:mematte_tiny", MattingOptions.defaults().withMaxTokens(plan.maxTokens()))) {
                Matte matte = matting.matte(photo, trimap, EXACT);
                Matte same = capped.matte(photo, trimap, EXACT);
                assertEquals(same.routing(), matte.routing());
                assertTrue(matte.routing().kept().stream()
                        .mapToInt(BitSet::cardinality)
                        .allMatch(kept -> kept <= plan.maxTokens()));
                assertEquals(plan.peakBytes(), matte.peakBytes());
                assertTrue(Alphas.difference(same.alpha(), matte.alpha()) < 0.01);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "mematte_tiny, 200, 300, FP32",
        "vitmatte_tiny, 200, 300, FP32",
        "mematte_tiny, 1, 1, FP32",
        "pam, 200, 300, FP32",
        "pam, 1, 1, FP32",
        "pam, 200, 300, BF16",
        "mematte_tiny, 200, 300, BF16"
    })
    void theSmallestBudgetWorksAndOneByteLessIsRefused(String network, int height, int width, Precision precision) {
        if (precision == Precision.BF16) {
            Machine.assumeBf16();
        }
        Photo photo = Scenes.photo(height, width, 3);
        Trimap trimap = Scenes.unknown(height, width);
        long smallest;
        try (Matting matting = open(network, 1, precision)) {
            smallest = named(assertThrows(InvalidInputException.class, () -> matting.matte(photo, trimap, EXACT)));
        }
        try (Matting matting = open(network, smallest - 1, precision)) {
            InvalidInputException refusal =
                    assertThrows(InvalidInputException.class, () -> matting.matte(photo, trimap, EXACT));
            assertEquals(smallest, named(refusal));
            assertTrue(refusal.getMessage().contains("got " + (smallest - 1)), refusal.getMessage());
            assertTrue(refusal.getMessage().contains(height + "x" + width), refusal.getMessage());
        }
        try (Matting matting = open(network, smallest, precision)) {
            Matte matte = matting.matte(photo, trimap, EXACT);
            assertEquals(matte.plannedBytes(), matte.peakBytes());
            assertTrue(matte.peakBytes() <= smallest);
            Alphas.assertAlpha(matte.alpha());
        }
    }

    @Test
    void theBudgetCountsTheImagesAsTheyAre() {
        // A 16-bit photo and a float result are larger than the 8 bits that plans speak of.
        long budget = total(plan("mematte_tiny", 200, 300, 0));
        Trimap trimap = Scenes.unknown(200, 300);
        try (Matting matting = open("mematte_tiny", budget, Precision.FP32)) {
            Matte fits = matting.matte(Scenes.photo(200, 300, 1), trimap, EXACT);
            Matte leaner = matting.matte(Scenes.photo16(200, 300, 1), trimap, EXACT);
            assertTrue(leaner.peakBytes() < fits.peakBytes());
            Matte floats = matting.matte(Scenes.photo(200, 300, 1), trimap, EXACT.withFormat(Alpha.Format.F32));
            assertTrue(floats.peakBytes() < fits.peakBytes());
        }
    }

    @Test
    void forcedTokensAreNeverCutDown() {
        BitSet all = new BitSet();
        all.set(0, 12000 / 16 * 64 / 16);
        MatteRequest forced = EXACT.withForcedTokens(List.of(all, all, all, all));
        long smallest = smallest("mematte_tiny", 12000, 64);
        try (Matting matting = open("mematte_tiny", smallest, Precision.FP32)) {
            Photo photo = Scenes.photo(12000, 64, 1);
            Trimap trimap = Scenes.unknown(12000, 64);
            long needed = named(assertThrows(InvalidInputException.class, () -> matting.matte(photo, trimap, forced)));
            assertNotEquals(smallest, needed);
            try (Matting enough = open("mematte_tiny", needed, Precision.FP32)) {
                assertEquals(
                        forced.forcedTokens(),
                        enough.matte(photo, trimap, forced).routing().kept());
            }
        }
    }

    private static long smallest(String network, int height, int width) {
        return named(assertThrows(InvalidInputException.class, () -> plan(network, height, width, 1)));
    }

    /** The smallest budget that a refusal names. */
    private static long named(InvalidInputException refusal) {
        Matcher matcher = Pattern.compile("at least (\\d+) bytes").matcher(refusal.getMessage());
        assertTrue(matcher.find(), refusal.getMessage());
        return Long.parseLong(matcher.group(1));
    }
}
