package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamPath;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Path-adaptive matting: parity, paths and compute budgets. */
class PamTest {
    private static final MatteRequest EXACT = MatteRequest.defaults().withFormat(Alpha.Format.F32);
    private static final MatteRequest RAW = EXACT.withKeepKnown(false);

    private static Matting pam;

    @BeforeAll
    static void open() {
        pam = Matting.open("seeded:pam");
    }

    @AfterAll
    static void close() {
        pam.close();
    }

    static List<String> goldens() {
        return Golden.PAM;
    }

    static PamPath path(Golden golden) {
        StringBuilder bits = new StringBuilder();
        for (float kept : golden.values("path")) {
            bits.append(kept == 0 ? '0' : '1');
        }
        return PamPath.of(bits.toString());
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void fp32EqualsTheReference(String name) {
        try (Golden golden = new Golden(name);
                Matting matting = Matting.open(golden.model(), GoldenTest.options(golden))) {
            Matte matte = matting.matte(golden.photo(), golden.trimap(), RAW);
            assertEquals(path(golden), matte.path());
            double worst = GoldenTest.worst(matte.alpha(), golden.values("alpha"));
            System.out.printf(
                    "%s: alpha within %.2g, %.2f GMACs%n",
                    name, worst, matte.path().gmacs());
            assertTrue(worst < 1e-5, "alpha differs by " + worst);
            assertEquals(matte.plannedBytes(), matte.peakBytes());
        }
    }

    /** PyTorch's own bf16 (2.13) makes mean errors of 0.00097, 0.00108, 0.00097, 0.00098 along the same paths. */
    @ParameterizedTest
    @MethodSource("goldens")
    void bf16ErrsLessThanPyTorch(String name) {
        Machine.assumeBf16();
        try (Golden golden = new Golden(name);
                Matting matting =
                        Matting.open(golden.model(), GoldenTest.options(golden).withPrecision(Precision.BF16))) {
            Matte matte = matting.matte(golden.photo(), golden.trimap(), RAW.withForcedPath(path(golden)));
            double error = GoldenTest.mean(matte.alpha(), golden.values("alpha"));
            System.out.printf("%s: bf16 mean error %.5f%n", name, error);
            assertTrue(error < 0.00097, "mean error of alpha " + error);
        }
    }

    @Test
    void everyBudgetIsKeptAtEverySize() {
        Random random = new Random(1);
        Set<PamPath> paths = new HashSet<>();
        for (int gmacs = 52; gmacs <= 76; gmacs++) {
            int height = 20 + random.nextInt(80);
            int width = 20 + random.nextInt(80);
            MattingOptions options = MattingOptions.defaults().withGmacs(gmacs);
            try (Matting matting = Matting.open("seeded:pam:" + random.nextInt(1000), options)) {
                Matte matte = matting.matte(Scenes.photo(height, width, gmacs), Scenes.unknown(height, width), RAW);
                assertTrue(matte.path().macs() <= gmacs * PamArchitecture.GIGA, matte.path() + " exceeds " + gmacs);
                assertEquals(matte.plannedBytes(), matte.peakBytes());
                Alphas.assertAlpha(matte.alpha());
                paths.add(matte.path());
            }
        }
        assertTrue(paths.size() > 5, "many paths: " + paths);
    }

    @ParameterizedTest
    @CsvSource({"52", "60", "76", "100"})
    void aRequestsBudgetIsThatOfTheOptions(int gmacs) {
        Photo photo = Scenes.photo(70, 100, 2);
        Trimap trimap = Scenes.disc(70, 100, 2);
        Matte requested = pam.matte(photo, trimap, EXACT.withGmacs(gmacs));
        try (Matting opened =
                Matting.open("seeded:pam", MattingOptions.defaults().withGmacs(gmacs))) {
            Matte matte = opened.matte(photo, trimap, EXACT);
            assertEquals(matte.path(), requested.path());
            Alphas.assertSame(matte.alpha(), requested.alpha(), "requested");
        }
    }

    /** Whatever the path, the run takes the memory that was planned. */
    @ParameterizedTest
    @CsvSource({"64, 96, FP32", "33, 300, FP32", "300, 33, BF16"})
    void everyPathTakesThePlannedMemory(int height, int width, Precision precision) {
        if (precision == Precision.BF16) {
            Machine.assumeBf16();
        }
        Photo photo = Scenes.photo(height, width, 3);
        Trimap trimap = Scenes.unknown(height, width);
        Random random = new Random(3);
        try (Matting matting =
                Matting.open("seeded:pam", MattingOptions.defaults().withPrecision(precision))) {
            long planned = matting.plan(height, width).peakBytes();
            Alpha before = null;
            for (int run = 0; run < 6; run++) {
                PamPath path = run == 0
                        ? PamPath.BYPASS_ALL
                        : run == 1 ? PamPath.KEEP_ALL : new PamPath(random.nextInt(1 << PamArchitecture.SEGMENTS));
                Matte matte = matting.matte(photo, trimap, EXACT.withForcedPath(path));
                assertEquals(path, matte.path());
                assertEquals(planned, matte.plannedBytes());
                assertEquals(planned, matte.peakBytes());
                assertEquals(Routing.NONE, matte.routing());
                assertTrue(before == null || Alphas.difference(before, matte.alpha()) > 1e-4, "another path");
                before = matte.alpha();
            }
        }
    }

    @Test
    void theNetworksOwnPathForcedGivesItsResult() {
        Photo photo = Scenes.photo(70, 100, 4);
        Trimap trimap = Scenes.disc(70, 100, 4);
        Matte own = pam.matte(photo, trimap, EXACT);
        Matte forced = pam.matte(photo, trimap, EXACT.withForcedPath(own.path()));
        Alphas.assertSame(own.alpha(), forced.alpha(), "forced");
    }

    /** Multiply-adds of the plan at 1024x1024, against the definition: upsampling commutes with convolutions. */
    @ParameterizedTest
    @CsvSource({"52", "64", "76"})
    void thePlanCountsWhatTheNetworkNeeds(int gmacs) {
        Plan plan =
                Matting.plan("seeded:pam", 1024, 1024, MattingOptions.defaults().withGmacs(gmacs));
        assertEquals(gmacs, plan.gmacs());
        assertEquals(gmacs, plan.totalGmacs());
        assertEquals(0, plan.maxTokens());
        double ratio = plan.flops() / (2e9 * gmacs);
        // The parts that commute take a quarter; the first convolution runs twice.
        assertTrue(ratio > 0.8 && ratio < 1, "planned " + ratio + " of the budget");
        Plan larger =
                Matting.plan("seeded:pam", 1000, 2048, MattingOptions.defaults().withGmacs(gmacs));
        assertEquals(2 * gmacs, larger.totalGmacs());
        assertTrue(larger.peakBytes() > plan.peakBytes());
    }

    @Test
    void aKnownTrimapNeedsNoPath() {
        assertNull(
                pam.matte(Scenes.photo(40, 50, 1), Scenes.known(40, 50), EXACT).path());
    }

    @Test
    void budgetsBelowTheSmallestNetworkAreRefusedWithIt() {
        assertRefused(
                () -> Matting.open("seeded:pam", MattingOptions.defaults().withGmacs(51)), "at least 52", "got 51");
        Photo photo = Scenes.photo(40, 50, 1);
        Trimap trimap = Scenes.unknown(40, 50);
        assertRefused(() -> pam.matte(photo, trimap, EXACT.withGmacs(0)), "at least 52", "got 0");
        MatteRequest beyond = EXACT.withGmacs(60).withForcedPath(PamPath.KEEP_ALL);
        assertRefused(() -> pam.matte(photo, trimap, beyond), "budget of 60 GMACs", "75.38");
    }

    @Test
    void optionsOfOtherNetworksAreRefused() {
        MattingOptions options = MattingOptions.defaults();
        assertRefused(() -> Matting.open("seeded:pam", options.withKeep(0.5)), "keep", "pam");
        assertRefused(() -> Matting.open("seeded:pam", options.withMaxTokens(99)), "max tokens", "pam");
        assertRefused(() -> Matting.open("seeded:pam", options.withPadding(Padding.AUTHORS)), "padding", "pam");
        assertRefused(() -> Matting.open("seeded:vitmatte_tiny", options.withGmacs(60)), "gmacs", "vitmatte_tiny");
        Photo photo = Scenes.photo(40, 50, 1);
        Trimap trimap = Scenes.unknown(40, 50);
        MatteRequest tokens = EXACT.withForcedTokens(List.of(new BitSet()));
        assertRefused(() -> pam.matte(photo, trimap, tokens), "forced tokens", "pam");
        try (Matting mematte = Matting.open("seeded:mematte_tiny")) {
            assertRefused(() -> mematte.matte(photo, trimap, EXACT.withGmacs(60)), "gmacs", "mematte_tiny");
            MatteRequest forced = EXACT.withForcedPath(PamPath.KEEP_ALL);
            assertRefused(() -> mematte.matte(photo, trimap, forced), "forced path", "mematte_tiny");
        }
    }

    private static void assertRefused(Runnable doing, String... parts) {
        String message = assertThrows(InvalidInputException.class, doing::run).getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), message);
        }
    }

    @Test
    void seedsGiveDifferentNetworks() {
        Photo photo = Scenes.photo(64, 64, 1);
        Trimap trimap = Scenes.unknown(64, 64);
        try (Matting other = Matting.open("seeded:pam:2")) {
            assertNotEquals(
                    0,
                    Alphas.difference(
                            pam.matte(photo, trimap, RAW).alpha(),
                            other.matte(photo, trimap, RAW).alpha()));
        }
    }
}
