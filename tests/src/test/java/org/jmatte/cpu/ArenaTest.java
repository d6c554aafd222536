package org.jmatte.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.jmatte.Isa;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ArenaTest {
    private static final int ALIGNMENT = 64;

    @BeforeAll
    static void load() {
        NativeLibraries.load(Isa.AUTO);
    }

    @Test
    void theSameCallsNeedWhatWasPlanned() {
        try (Arena planned = Arena.planning()) {
            long peak = use(planned, 7);
            try (Arena real = Arena.of(peak)) {
                assertEquals(peak, use(real, 7));
                assertEquals(planned.mark(), real.mark());
            }
            try (Arena tooSmall = Arena.of(peak - ALIGNMENT)) {
                String message = assertThrows(IllegalStateException.class, () -> use(tooSmall, 7))
                        .getMessage();
                assertTrue(message.contains("planned with " + (peak - ALIGNMENT)), message);
            }
        }
    }

    /** Takes and releases in random order; returns the peak. */
    private static long use(Arena arena, long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 100; i++) {
            long mark = arena.mark();
            for (int region = random.nextInt(5); region >= 0; region--) {
                arena.take(random.nextInt(3000));
            }
            if (random.nextInt(3) > 0) {
                arena.release(mark);
            }
        }
        return arena.peak();
    }

    @Test
    void regionsAreAlignedApartAndWritable() {
        try (Arena arena = Arena.of(4096)) {
            long[] sizes = {1, 64, 65, 0, 1000};
            long end = 0;
            for (long size : sizes) {
                long address = arena.take(size);
                assertEquals(0, address % ALIGNMENT);
                assertTrue(address >= end);
                NativeMemory.clear(address, size);
                end = address + size;
            }
            assertEquals(64 + 64 + 128 + 0 + 1024, arena.mark());
        }
    }

    @Test
    void whatIsReleasedIsTakenAgain() {
        try (Arena arena = Arena.of(256)) {
            arena.take(64);
            long mark = arena.mark();
            long first = arena.take(192);
            arena.release(mark);
            assertEquals(first, arena.take(10));
            assertEquals(256, arena.peak());
            assertEquals(128, arena.mark());
        }
    }

    @Test
    void moreThanTheSystemHasIsRefused() {
        String message =
                assertThrows(OutOfMemoryError.class, () -> Arena.of(1L << 60)).getMessage();
        assertTrue(message.contains(String.valueOf(1L << 60)), message);
    }
}
