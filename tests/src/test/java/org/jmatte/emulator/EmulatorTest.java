package org.jmatte.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jmatte.bindings.emulator.Emulator;
import org.jmatte.emulator.Emulation.Words;
import org.junit.jupiter.api.Test;

/** Device memory, the table of kernels, and what is refused. */
class EmulatorTest {
    private static void assertRefused(int findings, String why) {
        assertEquals(1, findings);
        assertTrue(Emulator.findings().startsWith("refused: "), Emulator.findings());
        assertTrue(Emulator.findings().contains(why), Emulator.findings());
    }

    @Test
    void memoryComesPoisonedAndAligned() {
        for (int length : new int[] {1, 63, 64, 1023, 1024, 1025, 5000})
            try (Words words = Words.empty(length)) {
                assertEquals(0, words.address() % 256);
                int[] poison = new int[length];
                Arrays.fill(poison, -1);
                assertArrayEquals(poison, words.get());
            }
    }

    @Test
    void memoryIsUsedAgain() {
        long before = Emulator.allocated_bytes();
        Random random = new Random(1);
        long highest = 0;
        for (int round = 0; round < 20; round++) {
            List<Words> buffers = new ArrayList<>();
            for (int i = 0; i < 50; i++) buffers.add(Words.of(new int[1 + random.nextInt(5000)]));
            Collections.shuffle(buffers, random);
            for (Words buffer : buffers) {
                highest = Math.max(highest, buffer.address());
                buffer.close();
            }
        }
        assertEquals(before, Emulator.allocated_bytes());
        try (Words first = Words.empty(1)) {
            assertTrue(highest - first.address() < 50 * 9 * 4096, "as much as one round needs");
        }
    }

    @Test
    void copiesAndFillsKeepToTheirBuffer() {
        try (Words words = Words.of(1, 2, 3, 4);
                Words other = Words.empty(4)) {
            long at = words.address();
            assertEquals(0, Emulator.copy_on_device(other.address() + 4, at, 12));
            assertArrayEquals(new int[] {-1, 1, 2, 3}, other.get());
            assertEquals(0, Emulator.copy_on_device(at + 4, at, 8)); // overlapping
            assertArrayEquals(new int[] {1, 1, 2, 4}, words.get());
            assertEquals(0, Emulator.fill(at + 8, 0x11, 4));
            assertArrayEquals(new int[] {1, 1, 0x11111111, 4}, words.get());
            assertRefused(Emulator.fill(at, 0, 17), "bytes 0 to 16 of a buffer of 16");
            assertRefused(Emulator.fill(at - 1, 0, 1), "1 bytes before a buffer of 16");
            assertRefused(Emulator.copy_to_host(at, at + 13, 4), "bytes 13 to 16 of a buffer of 16");
            assertRefused(Emulator.copy_to_device(16, at, 4), "in no buffer");
            assertRefused(Emulator.copy_on_device(at, other.address() + 8, 12), "bytes 8 to 19 of a buffer of 16");
            assertRefused(Emulator.release(at + 4), "where no buffer starts");
        }
        assertEquals(0, Emulator.allocate(0));
        assertEquals(0, Emulator.allocate(1L << 60), "more than there is");
    }

    @Test
    void kernelsSayWhatTheyNeed() {
        Emulation.load();
        for (int architecture : Emulation.ARCHITECTURES) {
            List<String> names = new ArrayList<>();
            for (int i = 0; i < Emulator.kernels(architecture); i++) names.add(Emulator.kernel_name(architecture, i));
            assertTrue(names.containsAll(List.of("correct_barrier", "missing_barrier", "histogram")));
            assertEquals(names.stream().sorted().toList(), names);
            assertEquals(64, Emulator.kernel_threads("correct_barrier", architecture));
            assertEquals(256, Emulator.kernel_shared_bytes("correct_barrier", architecture));
            assertEquals(24, Emulator.kernel_parameter_bytes("correct_barrier", architecture));
            assertEquals(-1, Emulator.kernel_threads("no_such_kernel", architecture));
        }
        assertEquals(-1, Emulator.kernel_threads("correct_barrier", 70));
    }

    @Test
    void launchesThatCannotBeAreRefused() {
        Emulation.load();
        try (Words p = Words.of(new int[6])) {
            long at = p.address();
            assertRefused(
                    Emulator.launch("no_such_kernel", 80, 1, 1, 1, at, 24, 0, false),
                    "no kernel no_such_kernel for sm_80");
            assertRefused(Emulator.launch("copies", 86, 1, 1, 1, at, 24, 0, false), "no kernel copies for sm_86");
            assertRefused(Emulator.launch("copies", 80, 1, 1, 1, at, 20, 0, false), "24 bytes, not 20");
            assertRefused(Emulator.launch("copies", 80, 1, 0, 1, at, 24, 0, false), "a grid of 1 x 0 x 1");
            assertRefused(Emulator.launch("copies", 80, 1, 65536, 1, at, 24, 0, false), "a grid of 1 x 65536 x 1");
            assertEquals(0, Emulator.launch("copies", 80, 1, 1, 1, at, 24, 0, false));
            assertEquals("", Emulator.findings(), "those of the last launch");
        }
        assertRefused(Emulator.load("/no/such/library.so"), "/no/such/library.so");
    }
}
