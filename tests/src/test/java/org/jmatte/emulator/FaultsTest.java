package org.jmatte.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jmatte.emulator.Emulation.Run;
import org.jmatte.emulator.Emulation.Words;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Planted faults, each found at its lines, in the plain order of threads; and kernels without, in which nothing is. */
class FaultsTest {
    private static final int THREADS = 64;

    /**
     * Each with its finding's first words, how many blocks, the count it is given, and the text in faults.cu after which
     * its marked lines stand.
     */
    @ParameterizedTest
    @CsvSource({
        "missing_barrier, race, 1, 0, void rotate",
        "missing_second_barrier, race, 1, 0, missing_second_barrier",
        "missing_sync_warp, race, 1, 0, void swap_lanes",
        "warp_barrier_between_warps, race, 1, 0, warp_barrier_between_warps",
        "read_then_written, race, 1, 0, read_then_written",
        "ended_before_barrier, divergence, 1, 10, ended_before_barrier",
        "divergent_barrier, threads of a block meet at different lines, 1, 0, divergent_barrier",
        "divergent_shuffle, divergence, 1, 0, divergent_shuffle",
        "different_meetings, lanes of a warp meet at different operations, 1, 0, different_meetings",
        "different_lines, lanes of a warp meet at different lines, 1, 0, different_lines",
        "past_the_end, out of bounds, 1, 400, past_the_end",
        "past_shared_memory, out of bounds, 1, 1, past_shared_memory",
        "past_an_array, out of bounds, 1, 1, past_an_array",
        "uninitialised_shared, uninitialised, 1, 0, uninitialised_shared",
        "misaligned, misaligned, 1, 1, misaligned",
        "blocks_write_the_same, conflict between blocks, 2, 0, blocks_write_the_same",
        "block_reads_another, conflict between blocks, 2, 0, block_reads_another",
        "block_writes_what_others_read, conflict between blocks, 3, 0, block_writes_what_others_read",
        "atomic_and_plain, race, 1, 0, atomic_and_plain",
        "async_without_barrier, race, 1, 64, void copy_row",
        "async_source_changes, race, 1, 0, async_source_changes",
    })
    void isFoundAtItsLines(String kernel, String kind, int blocks, int count, String after) throws IOException {
        for (int architecture : Emulation.ARCHITECTURES) {
            if (kernel.equals("async_source_changes") && architecture == 75) continue; // the copy is over at once
            try (Words out = Words.of(new int[400]);
                    Words in = Words.of(new int[400])) {
                Run run = new Run(architecture, true).withBlocks(blocks);
                checkFinding(run.launch(kernel, out, in, count), kernel, kind, after);
            }
        }
    }

    /** One finding names all marked lines; others, consequences of the same fault, no further ones. */
    private static void checkFinding(List<String> findings, String kernel, String kind, String after)
            throws IOException {
        List<Integer> lines = marked(after);
        String start = kind + ": " + kernel + " (sm_";
        assertTrue(
                findings.stream()
                        .anyMatch(finding ->
                                finding.startsWith(start) && linesIn(finding).containsAll(lines)),
                () -> kernel + " in lines " + lines + ": " + findings);
        for (String finding : findings) assertTrue(lines.containsAll(linesIn(finding)), finding);
    }

    private static List<Integer> linesIn(String finding) {
        return Pattern.compile("faults\\.cu:(\\d+)")
                .matcher(finding)
                .results()
                .map(match -> Integer.valueOf(match.group(1)))
                .toList();
    }

    /** The lines marked "here", and "and here" if there is one, that come first after a text. */
    private static List<Integer> marked(String after) throws IOException {
        List<String> source = Files.readAllLines(Emulation.FAULTS);
        List<Integer> lines = new ArrayList<>();
        int i = 0;
        while (!source.get(i).contains(after)) i++;
        for (i++; i < source.size(); i++) {
            if (source.get(i).endsWith("// here")) {
                if (!lines.isEmpty()) break;
                lines.add(i + 1);
            }
            if (source.get(i).endsWith("// and here") && lines.size() == 1) lines.add(i + 1);
        }
        assertTrue(!lines.isEmpty(), after);
        return lines;
    }

    @ParameterizedTest
    @ValueSource(strings = {"async_without_wait", "async_waits_for_others"})
    void dataReadBeforeItsWaitIsFound(String kernel) throws IOException {
        try (Words out = Words.of(new int[THREADS]);
                Words in = Words.of(new int[THREADS])) {
            List<String> findings = new Run(80, true).launch(kernel, out, in, THREADS);
            checkFinding(findings, kernel, "asynchronous copy under way", "void copy_row");
            assertEquals(List.of(), new Run(75, true).launch(kernel, out, in, THREADS), "the copy is over at once");
        }
    }

    @Test
    void dataReadBeforeItsWaitIsPoisonWithoutChecking() {
        try (Words out = Words.of(new int[THREADS]);
                Words in = Words.of(new int[THREADS])) {
            new Run(80, false).correct("async_without_wait", out, in, THREADS);
            assertEquals(-1, out.get()[0]); // thread 0 reads before it waits
        }
    }

    @Test
    void memoryThatNobodyWroteIsFound() throws IOException {
        for (int architecture : Emulation.ARCHITECTURES)
            try (Words out = Words.empty(THREADS);
                    Words between = Words.empty(THREADS);
                    Words in = Words.empty(THREADS)) {
                Run run = new Run(architecture, true);
                in.set(0, new int[60]);
                checkFinding(run.launch("copies", between, in, 61), "copies", "uninitialised", "KERNEL(copies");
                run.correct("copies", between, in, 60);
                run.correct("copies", out, between, 60); // written by a kernel that was watched
                checkFinding(run.launch("copies", in, between, 62), "copies", "uninitialised", "KERNEL(copies");
                new Run(architecture, false).correct("copies", out, in, 60); // by one that was not
                run.correct("copies", in, out, THREADS);
            }
    }

    @Test
    void aWildAddressEndsTheLaunchOnly() throws IOException {
        for (int architecture : Emulation.ARCHITECTURES)
            for (boolean checking : new boolean[] {false, true}) {
                Run run = new Run(architecture, checking);
                List<String> findings = run.launch("null_pointer", 0, 0, -1);
                assertEquals(1, findings.size());
                String kind = checking ? "out of bounds" : "crash";
                assertTrue(findings.get(0).startsWith(kind + ": null_pointer (sm_"), findings.get(0));
                assertTrue(findings.get(0).contains("block 0,0,0 thread 5 "), findings.get(0));
                try (Words out = Words.of(new int[THREADS]);
                        Words in = Words.of(new int[THREADS])) {
                    run.correct("correct_barrier", out, in, 0);
                }
            }
    }

    /** The same faults, as far as they can be seen without checks. */
    @ParameterizedTest
    @CsvSource({
        "ended_before_barrier, divergence, 10",
        "divergent_shuffle, divergence, 0",
        "different_meetings, lanes of a warp meet at different operations, 0",
        "past_the_end, out of bounds, 350",
        "past_shared_memory, out of bounds, 1",
    })
    void someAreFoundWithoutChecking(String kernel, String kind, int count) {
        for (int architecture : Emulation.ARCHITECTURES)
            try (Words out = Words.of(new int[400])) {
                List<String> findings = new Run(architecture, false).launch(kernel, out, null, count);
                assertEquals(1, findings.size(), kernel);
                assertTrue(findings.get(0).startsWith(kind + ": " + kernel), findings.get(0));
            }
    }

    @ParameterizedTest
    @CsvSource({
        "correct_barrier, 1, 0",
        "correct_sync_warp, 1, 0",
        "correct_read_by_all, 1, 0",
        "correct_atomics, 3, 0",
        "correct_async, 1, 40",
        "correct_pipeline, 1, 5",
        "copies, 1, 64",
    })
    void nothingIsFoundInCorrectKernels(String kernel, int blocks, int count) {
        int[] data = new int[400];
        for (int i = 0; i < data.length; i++) data[i] = i * i;
        for (int architecture : Emulation.ARCHITECTURES) {
            int[] expected = null;
            for (boolean checking : new boolean[] {false, true})
                for (long seed = 0; seed < 5; seed++)
                    try (Words out = Words.of(new int[THREADS]);
                            Words in = Words.of(data)) {
                        Run run = new Run(architecture, blocks, seed, checking);
                        run.correct(kernel, out, in, count);
                        if (expected == null) expected = out.get();
                        assertArrayEquals(expected, out.get(), kernel + " " + run);
                    }
        }
    }

    @Test
    void neighboursInOneWordAreToldApart() throws IOException {
        for (int architecture : Emulation.ARCHITECTURES)
            try (Words halves = Words.empty(THREADS / 2);
                    Words bytes = Words.empty(THREADS / 4)) {
                Run run = new Run(architecture, true);
                run.correct("correct_neighbours", halves, bytes, 0);
                List<String> findings = run.launch("byte_of_a_neighbour", halves, bytes, 0);
                checkFinding(findings, "byte_of_a_neighbour", "race", "byte_of_a_neighbour");
            }
    }
}
