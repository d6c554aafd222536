package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.awt.image.BufferedImage;
import java.util.Random;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes in and what comes out. */
class MattingTest {
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

    @ParameterizedTest
    @CsvSource({"1, 1", "2, 1", "31, 33", "32, 32", "33, 31", "5000, 16", "16, 5000", "1, 700"})
    void everySizeWorks(int height, int width) {
        for (Matting matting : new Matting[] {mematte, vitmatte, pam}) {
            Photo photo = Scenes.photo(height, width, 1);
            Trimap trimap = Scenes.unknown(height, width);
            Matte matte = matting.matte(photo, trimap, EXACT);
            assertEquals(height, matte.alpha().height());
            assertEquals(width, matte.alpha().width());
            assertEquals(matte.plannedBytes(), matte.peakBytes());
            assertEquals(matting.plan(height, width).peakBytes(), matte.peakBytes());
            assertTrue(matte.encodeSeconds() > 0 && matte.decodeSeconds() > 0);
            Alphas.assertAlpha(matte.alpha());
            Alpha everything =
                    matting.matte(photo, trimap, EXACT.withDecodeAll(true)).alpha();
            Alphas.assertSame(everything, matte.alpha(), "decoding all");
        }
    }

    /** Callers of JavaCPP may hold a scope open that frees what is made inside it. */
    @ParameterizedTest
    @ValueSource(strings = {"seeded:mematte_tiny", "seeded:vitmatte_tiny", "seeded:pam"})
    void aCallersPointerScopeTakesNothingFromTheNetwork(String model) {
        Photo photo = Scenes.photo(64, 96, 3);
        Trimap trimap = Scenes.disc(64, 96, 3);
        Matting opened;
        Alpha expected;
        try (PointerScope scope = new PointerScope()) {
            opened = Matting.open(model);
            expected = opened.matte(photo, trimap, EXACT).alpha();
        }
        overwriteFreedMemory();
        try (Matting matting = opened) {
            Alphas.assertSame(expected, matting.matte(photo, trimap, EXACT).alpha(), "after the scope");
        }
    }

    private static void overwriteFreedMemory() {
        try (PointerScope scope = new PointerScope()) {
            for (int floats = 1; floats <= 4096; floats *= 2) {
                for (int i = 0; i < 200; i++) {
                    Pointer.memset(new FloatPointer(floats), 255, (long) floats * Float.BYTES); // NaN
                }
            }
        }
    }

    @Test
    void theFormatsAgreeToRounding() {
        Photo photo = Scenes.photo(90, 120, 2);
        Trimap trimap = Scenes.disc(90, 120, 2);
        Alpha exact = mematte.matte(photo, trimap, EXACT).alpha();
        Alpha bytes = mematte.matte(photo, trimap, MatteRequest.defaults()).alpha();
        Alpha shorts =
                mematte.matte(photo, trimap, EXACT.withFormat(Alpha.Format.U16)).alpha();
        assertEquals(Alpha.Format.U8, bytes.format());
        assertEquals(Alpha.Format.U16, shorts.format());
        assertTrue(Alphas.difference(exact, bytes) < 0.501 / 255);
        assertTrue(Alphas.difference(exact, shorts) < 0.501 / 65535);
    }

    @Test
    void sixteenBitsOfTheSameColoursGiveNearlyTheSame() {
        Trimap trimap = Scenes.disc(90, 120, 4);
        for (Matting matting : new Matting[] {mematte, vitmatte, pam}) {
            Alpha expected =
                    matting.matte(Scenes.photo(90, 120, 4), trimap, EXACT).alpha();
            Alpha actual =
                    matting.matte(Scenes.photo16(90, 120, 4), trimap, EXACT).alpha();
            double difference = Alphas.difference(expected, actual);
            assertTrue(difference < 2e-5, "alpha differs by " + difference);
        }
    }

    @Test
    void snappingTakesAllUnknownValuesForOneRawDoesNot() {
        Photo photo = Scenes.photo(90, 120, 5);
        byte[] grey = new byte[90 * 120];
        byte[] levels = new byte[90 * 120];
        Random random = new Random(5);
        for (int i = 0; i < grey.length; i++) {
            boolean known = i % 120 < 40;
            grey[i] = known ? 0 : (byte) 128;
            levels[i] = known ? 0 : (byte) (1 + random.nextInt(254));
        }
        Alpha expected =
                vitmatte.matte(photo, Scenes.trimap(grey, 90, 120), EXACT).alpha();
        Alpha snapped =
                vitmatte.matte(photo, Scenes.trimap(levels, 90, 120), EXACT).alpha();
        Alpha raw = vitmatte.matte(photo, Scenes.trimap(levels, 90, 120, Trimap.Values.RAW), EXACT)
                .alpha();
        Alpha rawGrey = vitmatte.matte(photo, Scenes.trimap(grey, 90, 120, Trimap.Values.RAW), EXACT)
                .alpha();
        Alphas.assertSame(expected, snapped, "snapped");
        assertTrue(Alphas.difference(expected, raw) > 0.01, "raw values are seen");
        // 128 / 255 instead of 0.5
        assertTrue(Alphas.difference(expected, rawGrey) < 0.05);
        assertEquals(0, raw.get(10, 10), "known under either reading");
    }

    @Test
    void pamSeesAnythingBetweenBlackAndWhiteAsUnknown() {
        Photo photo = Scenes.photo(90, 120, 5);
        byte[] grey = new byte[90 * 120];
        byte[] levels = new byte[90 * 120];
        Random random = new Random(5);
        for (int i = 0; i < grey.length; i++) {
            boolean known = i % 120 < 40;
            grey[i] = known ? 0 : (byte) 128;
            levels[i] = known ? 0 : (byte) (1 + random.nextInt(254));
        }
        Alpha expected = pam.matte(photo, Scenes.trimap(grey, 90, 120), EXACT).alpha();
        for (Trimap.Values reading : Trimap.Values.values()) {
            Alpha alpha = pam.matte(photo, Scenes.trimap(levels, 90, 120, reading), EXACT)
                    .alpha();
            Alphas.assertSame(expected, alpha, reading.name());
        }
    }

    @Test
    void imagesWorkLikeTheBuffersTheyHold() {
        Photo photo = Scenes.photo(40, 70, 6);
        Trimap trimap = Scenes.disc(40, 70, 6);
        BufferedImage grey = new BufferedImage(70, 40, BufferedImage.TYPE_BYTE_GRAY);
        for (int i = 0; i < 40 * 70; i++) {
            int value = trimap.bytes().get(i) & 255;
            grey.getRaster().setSample(i % 70, i / 70, 0, value == 128 ? 99 : value);
        }
        Matte expected = mematte.matte(photo, trimap, MatteRequest.defaults());
        Matte actual = mematte.matte(photo.toImage(), grey);
        Alphas.assertSame(expected.alpha(), actual.alpha(), "images");
        BufferedImage result = actual.alpha().toImage();
        assertEquals(70, result.getWidth());
        assertEquals(40, result.getHeight());
    }

    @Test
    void photoAndTrimapOfDifferentSizeAreRefused() {
        String message = assertThrows(
                        InvalidInputException.class,
                        () -> mematte.matte(Scenes.photo(80, 100, 1), Scenes.unknown(90, 110), EXACT))
                .getMessage();
        assertTrue(message.contains("100x80") && message.contains("110x90"), message);
    }

    @Test
    void theModelSaysWhatItIs() {
        assertEquals("mematte_tiny", mematte.architecture().name());
        assertTrue(mematte.architecture().routed());
        assertEquals("vitmatte_tiny", vitmatte.architecture().name());
        assertEquals("pam", pam.architecture().name());
        assertFalse(pam.architecture().routed());
    }

    @Test
    void paddingIsSelectable() {
        Photo photo = Scenes.photo(64, 40, 8);
        Trimap trimap = Scenes.unknown(64, 40);
        MattingOptions options = MattingOptions.defaults();
        try (Matting authors = Matting.open("seeded:vitmatte_tiny", options.withPadding(Padding.AUTHORS));
                Matting each = Matting.open("seeded:vitmatte_tiny", options.withPadding(Padding.HUGGINGFACE))) {
            Matte expected = vitmatte.matte(photo, trimap, EXACT);
            Alphas.assertSame(
                    expected.alpha(), authors.matte(photo, trimap, EXACT).alpha(), "the authors'");
            assertEquals(6, expected.routing().gridHeight()); // 64 fits, and grows to 96 all the same
            assertEquals(4, each.matte(photo, trimap, EXACT).routing().gridHeight());
        }
    }

    @Test
    void anotherInstructionSetInTheSameProcessIsRefused() {
        Isa other = Isa.AVX2; // the class has opened the best, which is more unless the machine has no more
        assumeTrue(Machine.hasAvx512(), "this processor has AVX2 only");
        assertRefused(other, "this process already runs with ", "avx2");
    }

    @Test
    void anInstructionSetThatTheProcessorLacksIsRefused() {
        assumeFalse(Machine.hasAmx(), "this processor has everything");
        assertRefused(Isa.AMX, "isa", "this processor offers at most", "got amx");
    }

    private static void assertRefused(Isa isa, String... parts) {
        String message = assertThrows(
                        InvalidInputException.class,
                        () -> Matting.open(
                                "seeded:mematte_tiny", MattingOptions.defaults().withIsa(isa)))
                .getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), message);
        }
    }

    @Test
    void optionsOutsideTheirRangeAreRefused() {
        MattingOptions options = MattingOptions.defaults();
        assertThrows(InvalidInputException.class, () -> options.withThreads(-1));
        assertThrows(InvalidInputException.class, () -> options.withThreads(1025));
        assertThrows(InvalidInputException.class, () -> options.withMaxTokens(0));
        assertThrows(InvalidInputException.class, () -> options.withKeep(0));
        assertThrows(InvalidInputException.class, () -> options.withKeep(1.01));
        assertThrows(InvalidInputException.class, () -> options.withKeep(Double.NaN));
        assertThrows(InvalidInputException.class, () -> options.withMemoryBudget(-1));
        assertThrows(NullPointerException.class, () -> options.withIsa(null));
        assertThrows(InvalidInputException.class, () -> mematte.plan(0, 5));
        assertThrows(InvalidInputException.class, () -> mematte.plan(5, -1));
    }
}
