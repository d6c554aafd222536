package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which tokens attend globally: the routers' choice, caps and fractions, and the caller's own. */
class TokenChoiceTest {
    private static final String MODEL = "seeded:mematte_tiny:4";
    private static final int HEIGHT = 150;
    private static final int WIDTH = 270;
    private static final int TOKENS = 160 / 16 * 288 / 16;
    private static final int ROUTERS = 4;
    private static final Photo PHOTO = Scenes.photo(HEIGHT, WIDTH, 3);
    private static final Trimap TRIMAP = Scenes.disc(HEIGHT, WIDTH, 3);
    private static final MatteRequest EXACT = MatteRequest.defaults().withFormat(Alpha.Format.F32);

    private static Matting matting;
    private static Matte unlimited;

    @BeforeAll
    static void open() {
        matting = Matting.open(MODEL);
        unlimited = matting.matte(PHOTO, TRIMAP, EXACT);
    }

    @AfterAll
    static void close() {
        matting.close();
    }

    private static Matte with(MattingOptions options) {
        try (Matting other = Matting.open(MODEL, options)) {
            return other.matte(PHOTO, TRIMAP, EXACT);
        }
    }

    private static int[] counts(Matte matte) {
        return matte.routing().kept().stream().mapToInt(BitSet::cardinality).toArray();
    }

    @Test
    void theRoutersChooseSomeOfTheTokens() {
        Routing routing = unlimited.routing();
        assertEquals(10, routing.gridHeight());
        assertEquals(18, routing.gridWidth());
        assertEquals(TOKENS, routing.tokens());
        assertEquals(ROUTERS, routing.kept().size());
        for (BitSet kept : routing.kept()) {
            assertTrue(kept.cardinality() > 0 && kept.cardinality() < TOKENS && kept.length() <= TOKENS);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 60, TOKENS})
    void theCapLimitsEveryRouter(int cap) {
        Matte matte = with(MattingOptions.defaults().withMaxTokens(cap));
        // The first router sees the same tokens as without a cap; the others, only what it left.
        assertEquals(Math.min(cap, counts(unlimited)[0]), counts(matte)[0]);
        assertTrue(IntStream.of(counts(matte)).allMatch(count -> count <= cap));
        BitSet first = (BitSet) matte.routing().kept().get(0).clone();
        first.andNot(unlimited.routing().kept().get(0));
        assertTrue(first.isEmpty(), "the capped choice is part of the free one");
        Alphas.assertAlpha(matte.alpha());
    }

    @ParameterizedTest
    @CsvSource({"1, 18500", "0.5, 18500", "0.25, 18500", "0.3, 20", "0.001, 18500", "1, 1"})
    void aFractionIsKeptWhateverTheMargins(double fraction, int cap) {
        Matte matte = with(MattingOptions.defaults().withKeep(fraction).withMaxTokens(cap));
        int expected = Math.min((int) (fraction * TOKENS), cap);
        for (int count : counts(matte)) {
            assertEquals(expected, count);
        }
        assertEquals(matte.plannedBytes(), matte.peakBytes());
        Alphas.assertAlpha(matte.alpha());
    }

    @Test
    void forcedTokensAttendInsteadOfTheRoutersChoice() {
        Random random = new Random(5);
        List<BitSet> forced = IntStream.range(0, ROUTERS)
                .mapToObj(r -> {
                    BitSet set = new BitSet();
                    IntStream.range(0, 30 * r + 1).forEach(i -> set.set(random.nextInt(TOKENS)));
                    return set;
                })
                .toList();
        Matte matte = matting.matte(PHOTO, TRIMAP, EXACT.withForcedTokens(forced));
        assertEquals(forced, matte.routing().kept());
        assertEquals(matte.plannedBytes(), matte.peakBytes());
        assertTrue(Alphas.difference(unlimited.alpha(), matte.alpha()) > 1e-4, "it makes a difference");
    }

    @Test
    void theRoutersOwnTokensForcedGiveTheirResult() {
        Matte matte = matting.matte(
                PHOTO, TRIMAP, EXACT.withForcedTokens(unlimited.routing().kept()));
        Alphas.assertSame(unlimited.alpha(), matte.alpha(), "forced");
    }

    @Test
    void noneOrAllTokensMayBeForced() {
        BitSet all = new BitSet();
        all.set(0, TOKENS);
        for (BitSet set : List.of(new BitSet(), all)) {
            List<BitSet> forced = Collections.nCopies(ROUTERS, set);
            Matte matte = matting.matte(PHOTO, TRIMAP, EXACT.withForcedTokens(forced));
            assertEquals(forced, matte.routing().kept());
            assertEquals(matte.plannedBytes(), matte.peakBytes());
            Alphas.assertAlpha(matte.alpha());
        }
    }

    @Test
    void forcedTokensThatDoNotFitAreRefused() {
        assertRefused(Collections.nCopies(3, new BitSet()), "4 routers", "got 3");
        BitSet outside = new BitSet();
        outside.set(TOKENS);
        assertRefused(
                List.of(new BitSet(), new BitSet(), outside, new BitSet()),
                "router 2",
                TOKENS + " tokens (10x18)",
                "got token " + TOKENS);
        try (Matting unrouted = Matting.open("seeded:vitmatte_tiny")) {
            MatteRequest request = EXACT.withForcedTokens(List.of(new BitSet()));
            String message = assertThrows(InvalidInputException.class, () -> unrouted.matte(PHOTO, TRIMAP, request))
                    .getMessage();
            assertTrue(message.contains("0 routers"), message);
        }
    }

    private static void assertRefused(List<BitSet> forced, String... parts) {
        String message = assertThrows(
                        InvalidInputException.class, () -> matting.matte(PHOTO, TRIMAP, EXACT.withForcedTokens(forced)))
                .getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), message);
        }
    }
}
