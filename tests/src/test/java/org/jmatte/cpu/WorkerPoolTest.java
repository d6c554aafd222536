package org.jmatte.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jmatte.Isa;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WorkerPoolTest {
    private static final WorkerPool POOL = WorkerPool.SHARED;

    @BeforeAll
    static void load() {
        NativeLibraries.load(Isa.AUTO);
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 1", "1, 8", "7, 3", "1000, 1", "1000, 2", "1000, 9"})
    void everyTaskRunsOnce(int tasks, int threads) {
        AtomicIntegerArray runs = new AtomicIntegerArray(tasks);
        POOL.forEach(tasks, threads, (index, slot) -> runs.incrementAndGet((int) index));
        assertTrue(IntStream.range(0, tasks).allMatch(i -> runs.get(i) == 1), runs.toString());
    }

    @Test
    void aSlotIsOneThreadAtATime() {
        AtomicIntegerArray inside = new AtomicIntegerArray(3);
        AtomicInteger clashes = new AtomicInteger();
        POOL.forEach(3000, 3, (index, slot) -> {
            if (inside.incrementAndGet(slot) != 1) {
                clashes.incrementAndGet();
            }
            inside.decrementAndGet(slot);
        });
        assertEquals(0, clashes.get());
    }

    @Test
    void asManyThreadsAsAskedForWorkAtOnce() {
        // Every task waits for the others: fewer threads would wait forever.
        int threads = 2 * Runtime.getRuntime().availableProcessors() + 1;
        CountDownLatch all = new CountDownLatch(threads);
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(30),
                () -> POOL.forEach(threads, threads, (index, slot) -> {
                    all.countDown();
                    await(all);
                }));
    }

    @Test
    void theFirstFailureReachesTheCaller() {
        IllegalStateException mine = new IllegalStateException("mine");
        AtomicLong ran = new AtomicLong();
        assertSame(
                mine,
                assertThrows(
                        IllegalStateException.class,
                        () -> POOL.forEach(100_000, 2, (index, slot) -> {
                            if (index == 5) {
                                throw mine;
                            }
                            ran.incrementAndGet();
                        })));
        assertTrue(ran.get() < 100_000, "the rest is left");
        AssertionError error = new AssertionError("an error");
        assertSame(
                error,
                assertThrows(
                        AssertionError.class,
                        () -> POOL.forEach(1, 1, (index, slot) -> {
                            throw error;
                        })));
        everyTaskRunsOnce(10, 2);
    }

    @Test
    void aFailureWaitsForTasksThatStillRun() {
        CountDownLatch slowBegan = new CountDownLatch(1);
        AtomicInteger slowEnded = new AtomicInteger();
        assertThrows(
                IllegalStateException.class,
                () -> POOL.forEach(2, 2, (index, slot) -> {
                    if (index == 0) {
                        slowBegan.countDown();
                        sleep(50);
                        slowEnded.incrementAndGet();
                    } else {
                        await(slowBegan);
                        throw new IllegalStateException("meanwhile");
                    }
                }));
        assertEquals(1, slowEnded.get());
    }

    @Test
    void severalCallersShareTheThreads() throws Exception {
        int callers = 6;
        ExecutorService executor = Executors.newFixedThreadPool(callers);
        try {
            List<Future<Long>> sums = new ArrayList<>();
            for (int caller = 0; caller < callers; caller++) {
                int threads = 1 + caller % 3;
                sums.add(executor.submit(() -> {
                    AtomicLong sum = new AtomicLong();
                    for (int job = 0; job < 50; job++) {
                        POOL.forEach(100, threads, (index, slot) -> sum.addAndGet(index));
                    }
                    return sum.get();
                }));
            }
            for (Future<Long> sum : sums) {
                assertEquals(50 * 99 * 100 / 2, sum.get());
            }
        } finally {
            executor.shutdown();
        }
    }

    @Test
    void anInterruptedCallerWaitsAndStaysInterrupted() {
        AtomicInteger ran = new AtomicInteger();
        Thread.currentThread().interrupt();
        POOL.forEach(8, 2, (index, slot) -> {
            sleep(5);
            ran.incrementAndGet();
        });
        assertTrue(Thread.interrupted(), "the interrupt is kept");
        assertEquals(8, ran.get());
    }

    @Test
    void aCallReturnsItsValueFromAWorker() {
        assertEquals("jmatte-worker", POOL.call(() -> Thread.currentThread().getName()));
        assertThrows(
                ArithmeticException.class,
                () -> POOL.call(() -> {
                    throw new ArithmeticException();
                }));
    }

    @Test
    void noThreadsMeansOnePerProcessor() {
        assertEquals(Runtime.getRuntime().availableProcessors(), WorkerPool.threads(0));
        assertEquals(3, WorkerPool.threads(3));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void sleep(int milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
