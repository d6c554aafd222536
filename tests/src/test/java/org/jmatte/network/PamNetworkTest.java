package org.jmatte.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import org.jmatte.InvalidInputException;
import org.jmatte.network.PamArchitecture.Stage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Parameters, costs and budgets of path-adaptive matting. */
class PamNetworkTest {
    private static final PamPath NONE = PamPath.BYPASS_ALL;
    private static final PamPath ALL = PamPath.KEEP_ALL;

    /** Writes down what is called; wishes as it is told to. */
    private static final class Recorder implements PamOps {
        private final IntPredicate wish;
        private final List<String> calls = new ArrayList<>();

        Recorder(IntPredicate wish) {
            this.wish = wish;
        }

        @Override
        public void stem() {
            calls.add("stem");
        }

        @Override
        public void encode(Stage stage) {
            calls.add(stage.name());
        }

        @Override
        public void decode(Stage stage) {
            calls.add(stage.name());
        }

        @Override
        public boolean select(Stage stage, int segment) {
            calls.add("select " + segment);
            return wish.test(segment);
        }

        @Override
        public void keep(Stage stage, int segment) {
            calls.add("keep " + segment);
        }

        @Override
        public void bypass(Stage stage, int segment) {
            calls.add("bypass " + segment);
        }

        @Override
        public void pool(int pyramid) {
            calls.add("pool " + pyramid);
        }

        @Override
        public void refine() {
            calls.add("refine");
        }
    }

    /** The checksum covers every name and shape in order; all numbers come from the PyTorch reference. */
    @Test
    void theParametersAreTheReferences() {
        Map<String, long[]> shapes = Architecture.named("pam").parameterShapes();
        assertEquals(467, shapes.size());
        assertEquals(
                7_103_341,
                shapes.values().stream()
                        .mapToLong(shape -> Arrays.stream(shape).reduce(1, (a, b) -> a * b))
                        .sum());
        CRC32 crc = new CRC32();
        crc.update(shapes.entrySet().stream()
                .map(entry -> entry.getKey() + Arrays.toString(entry.getValue()))
                .collect(Collectors.joining("\n"))
                .getBytes(StandardCharsets.UTF_8));
        assertEquals("fa2c9e6d", String.format("%08x", crc.getValue()));
    }

    @Test
    void theCostsAreTheReferences() {
        long[] bypass = new long[14];
        long[] keep = new long[14];
        Arrays.fill(bypass, 536_870_912);
        bypass[10] = 209_715_200;
        bypass[11] = 411_041_792;
        Arrays.fill(keep, 0, 3, 2_558_525_440L);
        Arrays.fill(keep, 3, 6, 2_353_004_544L);
        Arrays.fill(keep, 6, 10, 2_250_244_096L);
        keep[10] = 870_973_440;
        keep[11] = 1_734_082_560;
        keep[12] = 2_353_004_544L;
        keep[13] = 2_558_525_440L;
        Random random = new Random(1);
        for (int i = 0; i < 100; i++) {
            PamPath path = i == 0 ? NONE : i == 1 ? ALL : new PamPath(random.nextInt(1 << 14));
            long expected = 44_128_065_880L;
            for (int segment = 0; segment < 14; segment++) {
                expected += path.keeps(segment) ? keep[segment] : bypass[segment];
            }
            assertEquals(expected, path.macs());
            assertEquals(expected / 1e9, path.gmacs());
        }
        assertEquals(51_191_273_816L, NONE.macs());
        assertEquals(75_380_218_200L, ALL.macs());
        assertEquals(52, PamArchitecture.leastGmacs());
        assertEquals(76, PamArchitecture.largestGmacs());
    }

    @Test
    void pathsAreWrittenFirstSegmentFirst() {
        assertEquals("00000000000000", NONE.toString());
        assertEquals("11111111111111", ALL.toString());
        PamPath path = PamPath.of("01001110011110");
        assertEquals("01001110011110", path.toString());
        assertTrue(!path.keeps(0) && path.keeps(1) && !path.keeps(13) && path.keeps(12));
        assertEquals(64.072374616, path.gmacs()); // of a golden file
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0101", "010011100111102", "0100111001111x"})
    void otherTextsAreNoPaths(String text) {
        String message = assertThrows(InvalidInputException.class, () -> PamPath.of(text))
                .getMessage();
        assertTrue(message.contains("14") && message.contains("'" + text + "'"), message);
    }

    @Test
    void noBudgetIsEverExceeded() {
        Random random = new Random(2);
        for (int gmacs = 52; gmacs <= 76; gmacs++) {
            for (int i = 0; i < 300; i++) {
                double eagerness = random.nextDouble();
                boolean[] wishes = new boolean[14];
                for (int segment = 0; segment < 14; segment++) {
                    wishes[segment] = random.nextDouble() < eagerness;
                }
                PamPath path = new PamNetwork(gmacs, null).run(new Recorder(segment -> wishes[segment]));
                assertTrue(path.macs() <= gmacs * 1_000_000_000L, path + " costs more than " + gmacs);
                // What was wished for and not kept could not have been paid for when it was decided.
                PamPath before = NONE;
                for (int segment = 0; segment < 14; segment++) {
                    boolean payable = before.keeping(segment).macs() <= gmacs * 1_000_000_000L;
                    assertEquals(wishes[segment] && payable, path.keeps(segment));
                    before = path.keeps(segment) ? before.keeping(segment) : before;
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "52, 00000000001000",
        "60, 11110000001000",
        "75, 11111111111110",
        "76, 11111111111111",
        "200, 11111111111111"
    })
    void whoWantsAllGetsTheFirstThatCanBePaidFor(int gmacs, String path) {
        assertEquals(PamPath.of(path), new PamNetwork(gmacs, null).run(new Recorder(segment -> true)));
    }

    @Test
    void onlyTheChosenBranchRuns() {
        Recorder recorder = new Recorder(segment -> segment % 3 == 0);
        PamPath path = new PamNetwork(76, null).run(recorder);
        List<String> expected = new ArrayList<>(List.of("stem"));
        String[] stages = {
            "encoder.quarter",
            "encoder.eighth",
            "encoder.sixteenth",
            "encoder.thirtysecond",
            "decoder.sixteenth",
            "decoder.eighth",
            "decoder.quarter"
        };
        int[] counts = {3, 3, 4, 1, 1, 1, 1};
        int segment = 0;
        for (int stage = 0; stage < stages.length; stage++) {
            if (stage == 4) {
                expected.addAll(List.of("pool 0", "pool 1", "pool 2"));
            }
            expected.add(stages[stage]);
            for (int i = 0; i < counts[stage]; i++, segment++) {
                expected.add("select " + segment);
                expected.add((segment % 3 == 0 ? "keep " : "bypass ") + segment);
            }
        }
        expected.add("refine");
        assertEquals(expected, recorder.calls);
        assertEquals(PamPath.of("10010010010010"), path);
    }

    @Test
    void aForcedPathIsFollowedWithinTheBudget() {
        PamPath forced = PamPath.of("01000000000001");
        assertEquals(forced, new PamNetwork(76, forced).run(new Recorder(segment -> true)));
        assertEquals(forced, new PamNetwork(56, forced).run(new Recorder(segment -> false)));
        String message = assertThrows(InvalidInputException.class, () -> new PamNetwork(55, forced))
                .getMessage();
        assertTrue(message.contains("55 GMACs") && message.contains(forced.toString()), message);
    }

    @ParameterizedTest
    @CsvSource({"52, 0", "60, 8", "76, 24", "77, 24", "1000, 24"})
    void budgetsHaveTheirEmbedding(int gmacs, int row) {
        assertEquals(row, PamArchitecture.embeddingRow(gmacs));
    }

    @ParameterizedTest
    @ValueSource(ints = {51, 0, -3})
    void tooSmallBudgetsAreRefusedWithTheLeast(int gmacs) {
        String message = assertThrows(InvalidInputException.class, () -> PamArchitecture.embeddingRow(gmacs))
                .getMessage();
        assertTrue(message.contains("at least 52") && message.contains("got " + gmacs), message);
    }

    @Test
    void sizesGrowToMultiplesOf32() {
        assertEquals(new Geometry(100, 200, 128, 224, 128, 224), Geometry.pam(100, 200));
        assertEquals(new Geometry(64, 1, 64, 32, 64, 32), Geometry.pam(64, 1));
        assertEquals(1, Geometry.pam(1000, 1000).referenceAreas());
        assertEquals(2, Geometry.pam(1024, 2048).referenceAreas());
    }
}
