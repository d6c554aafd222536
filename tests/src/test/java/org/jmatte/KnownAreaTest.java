package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Leaving out what the trimap decides changes no pixel. */
class KnownAreaTest {
    private static final MatteRequest EXACT = MatteRequest.defaults().withFormat(Alpha.Format.F32);

    private static Matting mematte;
    private static Matting vitmatte;
    private static Matting pam;

    @BeforeAll
    static void open() {
        mematte = Matting.open("seeded:mematte_tiny");
        vitmatte = Matting.open("seeded:vitmatte_tiny");
        pam = Matting.open("seeded:pam");
    }

    @AfterAll
    static void close() {
        mematte.close();
        vitmatte.close();
        pam.close();
    }

    static Stream<Arguments> trimaps() {
        return Stream.of(
                Arguments.of("disc", Scenes.disc(700, 600, 1)),
                Arguments.of("band of 1", Scenes.band(333, 500, 1, 2)),
                Arguments.of("band of 3", Scenes.band(700, 200, 3, 3)),
                Arguments.of("band of 17", Scenes.band(150, 610, 17, 4)),
                Arguments.of("patches", Scenes.patches(450, 390, 5)),
                Arguments.of("more patches", Scenes.patches(290, 600, 6)),
                Arguments.of("top left pixel", Scenes.pixel(200, 310, 0, 0)),
                Arguments.of("top right pixel", Scenes.pixel(200, 310, 0, 309)),
                Arguments.of("bottom left pixel", Scenes.pixel(200, 310, 199, 0)),
                Arguments.of("bottom right pixel", Scenes.pixel(200, 310, 199, 309)),
                Arguments.of("pixel of the left edge", Scenes.pixel(512, 96, 300, 0)),
                Arguments.of("pixel of the lower edge", Scenes.pixel(512, 96, 511, 40)),
                Arguments.of("pixel between strips", Scenes.pixel(300, 300, 128, 127)),
                Arguments.of("pixel before a strip's end", Scenes.pixel(300, 300, 127, 128)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("trimaps")
    void skippingThemGivesTheSameAlpha(String name, Trimap trimap) {
        check(mematte, trimap);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("trimaps")
    void skippingThemGivesTheSameAlphaWithoutRouters(String name, Trimap trimap) {
        if ((long) trimap.height() * trimap.width() < 200_000) { // ViTMatte's attention takes time
            check(vitmatte, trimap);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("trimaps")
    void skippingThemGivesTheSameAlphaOnAnyPath(String name, Trimap trimap) {
        check(pam, trimap);
    }

    private static void check(Matting matting, Trimap trimap) {
        Photo photo = Scenes.photo(trimap.height(), trimap.width(), 9);
        Alpha everything =
                matting.matte(photo, trimap, EXACT.withDecodeAll(true)).alpha();
        Alpha skipped = matting.matte(photo, trimap, EXACT).alpha();
        Alphas.assertSame(everything, skipped, "skipping");
        Alpha raw = matting.matte(photo, trimap, EXACT.withKeepKnown(false)).alpha();
        int known = 0;
        for (int y = 0; y < trimap.height(); y++) {
            for (int x = 0; x < trimap.width(); x++) {
                int value = trimap.bytes().get(y * trimap.width() + x) & 255;
                boolean isKnown = value == 0 || value == 255;
                known += isKnown ? 1 : 0;
                assertEquals(isKnown ? value / 255f : raw.get(y, x), skipped.get(y, x), () -> "pixel");
            }
        }
        assertEquals(trimap.unknown(), (long) trimap.height() * trimap.width() - known);
        assertTrue(Alphas.difference(raw, skipped) > 0.1, "the network leaves known pixels as they are");
    }

    @ParameterizedTest
    @EnumSource(Alpha.Format.class)
    void aTrimapWithoutUnknownPixelsIsTheResult(Alpha.Format format) {
        // So large that computing it would take minutes.
        Trimap trimap = Scenes.known(3000, 4000);
        Photo photo = Scenes.photo(3000, 4000, 1);
        long start = System.nanoTime();
        Matte matte = vitmatte.matte(photo, trimap, MatteRequest.defaults().withFormat(format));
        assertTrue(System.nanoTime() - start < 5e9, "at once");
        for (int i = 0; i < 3000 * 4000; i += 499) {
            assertEquals(trimap.bytes().get(i) == 0 ? 0 : 1, matte.alpha().get(i / 4000, i % 4000));
        }
        assertEquals(List.of(), matte.routing().kept());
    }

    @Test
    void withoutKeepKnownEvenAKnownTrimapIsComputed() {
        Alpha alpha = mematte.matte(Scenes.photo(40, 50, 1), Scenes.known(40, 50), EXACT.withKeepKnown(false))
                .alpha();
        Alphas.assertAlpha(alpha);
        assertTrue(alpha.get(20, 25) > 0 && alpha.get(20, 25) < 1);
    }
}
