package org.jmatte.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.jmatte.bindings.emulator.Emulator;
import org.jmatte.emulator.Emulation.Run;
import org.jmatte.emulator.Emulation.Words;
import org.junit.jupiter.api.Test;

/** The dialect's numbers, warp functions and atomics against their definitions. */
class DialectTest {
    private static final int THREADS = 256;
    private static final int HALF_INFINITY = 0x7c00;
    private static final int HALF_NAN = 0x7fff;

    // ---------------------------------------------------------------- numbers

    /** What a kernel with one result per thread makes of each word, in both builds and architectures. */
    private static void check(String kernel, int[] in, IntUnaryOperator expected) {
        int blocks = in.length / THREADS;
        for (int architecture : Emulation.ARCHITECTURES)
            for (boolean checking : new boolean[] {false, true})
                try (Words words = Words.of(in);
                        Words out = Words.empty(in.length)) {
                    new Run(architecture, checking).withBlocks(blocks).correct(kernel, out, words, 0);
                    int[] results = out.get();
                    for (int i = 0; i < in.length; i++) {
                        int index = i;
                        assertEquals(
                                expected.applyAsInt(in[i]),
                                results[i],
                                () -> kernel + " of " + Integer.toHexString(in[index]));
                    }
                }
    }

    /** The value of a finite half with a positive sign, by definition; of the largest exponent as if it were finite. */
    private static double halfValue(int bits) {
        int exponent = bits >> 10;
        int fraction = bits & 0x3ff;
        return exponent == 0 ? fraction * 0x1p-24 : (1024 + fraction) * Math.pow(2, exponent - 25);
    }

    @Test
    void everyHalfBecomesAFloat() {
        check("half_to_float", IntStream.range(0, 65536).toArray(), bits -> {
            int sign = (bits & 0x8000) << 16;
            int positive = bits & 0x7fff;
            if (positive > HALF_INFINITY) return sign | 0x7fc00000 | (positive & 0x3ff) << 13;
            float value = positive == HALF_INFINITY ? Float.POSITIVE_INFINITY : (float) halfValue(positive);
            return sign | Float.floatToRawIntBits(value);
        });
    }

    /** The half nearest to a float, the even one of two. */
    private static int nearestHalf(int bits) {
        float value = Math.abs(Float.intBitsToFloat(bits));
        if (Float.isNaN(value)) return HALF_NAN;
        int low = 0;
        int high = HALF_INFINITY; // value < halfValue(high), or it is too large
        if (value >= halfValue(HALF_INFINITY)) low = HALF_INFINITY;
        else
            while (high - low > 1) {
                int middle = (low + high) / 2;
                if (halfValue(middle) <= value) low = middle;
                else high = middle;
            }
        double below = value - halfValue(low);
        double above = halfValue(low + 1) - value;
        boolean up = low < HALF_INFINITY && (above < below || above == below && low % 2 == 1);
        return (bits >>> 31) << 15 | (up ? low + 1 : low);
    }

    private static int[] floats() {
        Random random = new Random(1);
        int[] bits = new int[64 * 1024];
        for (int i = 0; i < bits.length; i++) {
            int half = random.nextInt(65536);
            double exact = halfValue(half & 0x7fff);
            double next = halfValue((half & 0x7fff) + 1);
            bits[i] = switch (i % 4) {
                case 0 -> random.nextInt();
                case 1 -> Float.floatToRawIntBits((float) exact);
                case 2 -> Float.floatToRawIntBits((float) ((exact + next) / 2)); // a tie
                default -> Float.floatToRawIntBits((float) ((exact + next) / 2)) + random.nextInt(3) - 1;
            };
            if (half > 0x7fff) bits[i] |= 0x80000000;
        }
        return bits;
    }

    @Test
    void floatsAreRoundedToHalves() {
        int[] in = floats();
        check("float_to_half", in, DialectTest::nearestHalf);
    }

    @Test
    void pairsAreRoundedLikeTheirElements() {
        int[] in = floats();
        for (int i = 0; i < in.length; i += 2) in[i + 1] = in[i];
        check("float_to_half_pairs", in, bits -> nearestHalf(bits) * 0x10001);
    }

    @Test
    void lowAndHighOfAPairAreInTheirPlaces() {
        int[] in = new int[THREADS];
        for (int i = 0; i < THREADS; i++) in[i] = Float.floatToRawIntBits(i);
        check("float_to_half_pairs", in, bits -> {
            int neighbour = (int) Float.intBitsToFloat(bits) ^ 1;
            return nearestHalf(bits) | nearestHalf(Float.floatToRawIntBits(neighbour)) << 16;
        });
    }

    @Test
    void bfloatsAreUpperHalvesOfFloats() {
        check("bfloat_to_float", IntStream.range(0, 65536).toArray(), bits -> bits << 16);
        int[] in = floats();
        for (int i = 0; i < in.length; i += 8) in[i] = in[i] & 0xffff0000 | 0x8000; // ties
        check("float_to_bfloat", in, bits -> {
            if (Float.isNaN(Float.intBitsToFloat(bits))) return bits >>> 16 | 0x40;
            int low = bits >>> 16;
            int rest = bits & 0xffff;
            return rest > 0x8000 || rest == 0x8000 && low % 2 == 1 ? low + 1 : low;
        });
    }

    @Test
    void powersOfTwoAreAsCloseAsOnACard() {
        int[] in = new int[16 * THREADS];
        for (int i = 0; i < in.length; i++) in[i] = Float.floatToRawIntBits(-200 + i * 0.09f);
        for (int architecture : Emulation.ARCHITECTURES)
            try (Words words = Words.of(in);
                    Words out = Words.empty(in.length)) {
                new Run(architecture, false).withBlocks(16).correct("powers_of_two", out, words, 0);
                int[] results = out.get();
                for (int i = 0; i < in.length; i++) {
                    double exact = Math.pow(2, Float.intBitsToFloat(in[i]));
                    float result = Float.intBitsToFloat(results[i]);
                    if (exact < Float.MIN_NORMAL) assertEquals(0, result);
                    else if (exact > Float.MAX_VALUE) assertEquals(Float.POSITIVE_INFINITY, result);
                    else assertEquals(exact, result, exact * 0x1p-22);
                }
            }
    }

    // ---------------------------------------------------------------- threads

    @Test
    void warpFunctionsExchangeWhatLanesHave() {
        Random random = new Random(2);
        int[] in = random.ints(THREADS, 0, 1 << 24).toArray();
        for (int architecture : Emulation.ARCHITECTURES)
            for (boolean checking : new boolean[] {false, true})
                for (long seed = 0; seed < 3; seed++)
                    try (Words words = Words.of(in);
                            Words out = Words.empty(8 * THREADS)) {
                        Run run = new Run(architecture, checking).withSeed(seed);
                        run.correct("warp_functions", out, words, 0);
                        checkWarpFunctions(in, out.get());
                    }
    }

    private static void checkWarpFunctions(int[] in, int[] out) {
        for (int t = 0; t < THREADS; t++) {
            int lane = t % 32;
            int warp = t - lane;
            int votes = 0;
            int sum = 0;
            int most = 0;
            for (int i = 0; i < 32; i++) {
                if (in[warp + i] % 3 == 0) votes |= 1 << i;
                sum += in[warp + i] % 1000;
                most = Math.max(most, in[warp + i] % 1000);
            }
            int[] expected = {
                in[warp + (lane * 7 + 3) % 32],
                in[warp + (lane ^ 5)],
                in[warp + (lane < 3 ? lane : lane - 3)],
                votes,
                Integer.bitCount(in[t]),
                in[warp + (lane ^ 16)],
                Float.floatToRawIntBits(sum),
                Float.floatToRawIntBits(most)
            };
            int[] results = new int[8];
            System.arraycopy(out, 8 * t, results, 0, 8);
            assertArrayEquals(expected, results, "thread " + t);
        }
    }

    @Test
    void everyThreadKnowsItsPlace() {
        int[] expected = new int[2 * 3 * 4 * 64 * 4];
        for (int block = 0; block < 24; block++)
            for (int t = 0; t < 64; t++) {
                int at = 4 * (block * 64 + t);
                expected[at] = block % 2 + 10 * (block / 2 % 3) + 100 * (block / 6);
                expected[at + 1] = 2;
                expected[at + 2] = t % 32;
                expected[at + 3] = t / 32;
            }
        for (int architecture : Emulation.ARCHITECTURES)
            for (long seed = 0; seed < 5; seed++)
                for (boolean checking : new boolean[] {false, true})
                    try (Words out = Words.empty(expected.length);
                            Words parameters = Words.of((int) out.address(), (int) (out.address() >> 32), 0, 0, 0, 0)) {
                        // The emulator's device memory is memory of this process, so its address will do here.
                        assertEquals(
                                0,
                                Emulator.launch(
                                        "places", architecture, 2, 3, 4, parameters.address(), 24, seed, checking),
                                Emulator::findings);
                        assertArrayEquals(expected, out.get());
                    }
    }

    @Test
    void atomicsLoseNothing() {
        int[] in = new Random(3).ints(20000, 0, 1 << 30).toArray();
        int[] expected = new int[128];
        for (int value : in) {
            expected[value % 64]++;
            expected[64 + value % 64] |= value;
        }
        for (int architecture : Emulation.ARCHITECTURES)
            for (boolean checking : new boolean[] {false, true})
                try (Words words = Words.of(in);
                        Words out = Words.of(new int[128])) {
                    new Run(architecture, checking).withBlocks(9).correct("histogram", out, words, in.length);
                    assertArrayEquals(expected, out.get());
                }
    }

    // ---------------------------------------------------------------- order

    @Test
    void sumsDoNotDependOnTheOrderOfThreads() {
        float[] in = new float[2000];
        Random random = new Random(4);
        for (int i = 0; i < in.length; i++) in[i] = random.nextFloat();
        for (int architecture : Emulation.ARCHITECTURES) {
            int[] expected = null;
            for (long seed = 0; seed < 8; seed++)
                for (boolean checking : new boolean[] {false, true})
                    try (Words words = Words.of(in);
                            Words out = Words.empty(5 * THREADS)) {
                        Run run = new Run(architecture, 5, seed, checking);
                        run.correct("block_sums", out, words, 768);
                        if (expected == null) expected = out.get();
                        assertArrayEquals(expected, out.get(), run::toString);
                    }
        }
    }

    @Test
    void aSeedDrawsAnOrderThatItKeeps() {
        for (int architecture : Emulation.ARCHITECTURES) {
            assertEquals(THREADS - 1, lastThread(architecture, 0));
            assertEquals(lastThread(architecture, 1), lastThread(architecture, 1));
            long distinct = IntStream.range(1, 20)
                    .map(seed -> lastThread(architecture, seed))
                    .distinct()
                    .count();
            assertTrue(distinct > 10, distinct + " orders");
            assertNotEquals(THREADS - 1, lastThread(architecture, 1));
        }
    }

    private static int lastThread(int architecture, long seed) {
        try (Words out = Words.empty(1)) {
            new Run(architecture, false).withSeed(seed).correct("last_comes", out, null, 0);
            return out.get()[0];
        }
    }
}
