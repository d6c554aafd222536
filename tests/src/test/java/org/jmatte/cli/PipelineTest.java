package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jmatte.cli.Pipeline.Overlap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PipelineTest {
    private final List<Integer> written = Collections.synchronizedList(new ArrayList<>());
    private final List<String> failed = Collections.synchronizedList(new ArrayList<>());

    @Test
    void jobsAreDoneInOrder() {
        run(100, Function.identity(), Function.identity());
        assertEquals(IntStream.range(0, 100).boxed().toList(), written);
        assertEquals(List.of(), failed);
    }

    @Test
    void noJobs() {
        run(0, Function.identity(), Function.identity());
        assertEquals(List.of(), written);
    }

    @Test
    void failuresDoNotStopTheOthers() {
        run(
                8,
                job -> {
                    if (job == 0) {
                        throw new IllegalStateException("read");
                    }
                    return job;
                },
                job -> {
                    if (job == 7) {
                        throw new OutOfMemoryError("compute");
                    }
                    return job == 3 ? -3 : job; // refused by the writer
                });
        assertEquals(List.of(1, 2, 4, 5, 6), written);
        Collections.sort(failed);
        assertEquals(List.of("0 read", "3 write", "7 compute"), failed);
    }

    @Test
    void stepsOverlap() {
        AtomicInteger reads = new AtomicInteger();
        CountDownLatch secondRead = new CountDownLatch(2);
        run(
                6,
                job -> {
                    reads.incrementAndGet();
                    secondRead.countDown();
                    return job;
                },
                job -> {
                    await(secondRead); // the next one is read although this one is still computed
                    assertTrue(reads.get() <= written.size() + 3, "read " + reads.get() + ", written " + written);
                    return job;
                });
        assertEquals(List.of(), failed);
        assertEquals(6, written.size());
    }

    /** Three wait for each other. */
    @Test
    void severalAreComputedForACard() {
        CountDownLatch three = new CountDownLatch(3);
        pipeline(Function.identity(), job -> {
                    three.countDown();
                    await(three);
                    return job == 5 ? -5 : job;
                })
                .run(IntStream.range(0, 50).boxed().toList(), Overlap.CARD);
        Collections.sort(written);
        assertEquals(IntStream.range(0, 50).filter(job -> job != 5).boxed().toList(), written);
        assertEquals(List.of("5 write"), failed);
    }

    @Test
    void cancellationStopsAllThatAreComputed() {
        AtomicInteger computed = new AtomicInteger();
        assertThrows(CancellationException.class, () -> pipeline(Function.identity(), job -> {
                    if (computed.incrementAndGet() > 10) {
                        throw new CancellationException();
                    }
                    return job;
                })
                .run(IntStream.range(0, 500).boxed().toList(), Overlap.CARD));
        assertEquals(10, written.size());
        assertTrue(computed.get() <= 13, computed + " computed");
        assertEquals(List.of(), failed);
    }

    @Test
    void cancellationStopsAfterWhatIsBeingWritten() {
        assertThrows(
                CancellationException.class,
                () -> run(9, Function.identity(), job -> {
                    if (job == 4) {
                        throw new CancellationException();
                    }
                    return job;
                }));
        assertEquals(List.of(0, 1, 2, 3), written);
        assertEquals(List.of(), failed);
    }

    @Test
    void oneAfterTheOther() {
        List<String> steps = new ArrayList<>();
        Thread caller = Thread.currentThread();
        pipeline(
                        job -> {
                            assertEquals(caller, Thread.currentThread());
                            steps.add("read " + job + " after " + written.size());
                            return job;
                        },
                        job -> {
                            steps.add("compute " + job);
                            if (job == 1) {
                                throw new OutOfMemoryError("compute");
                            }
                            return job == 2 ? -2 : job;
                        })
                .run(List.of(0, 1, 2, 3), Overlap.NONE);
        assertEquals(
                List.of(
                        "read 0 after 0",
                        "compute 0",
                        "read 1 after 1",
                        "compute 1",
                        "read 2 after 1",
                        "compute 2",
                        "read 3 after 1",
                        "compute 3"),
                steps);
        assertEquals(List.of(0, 3), written);
        assertEquals(List.of("1 compute", "2 write"), failed);
    }

    @Test
    void cancellationStopsTheSequence() {
        assertThrows(CancellationException.class, () -> pipeline(Function.identity(), job -> {
                    if (job == 2) {
                        throw new CancellationException();
                    }
                    return job;
                })
                .run(List.of(0, 1, 2, 3), Overlap.NONE));
        assertEquals(List.of(0, 1), written);
        assertEquals(List.of(), failed);
    }

    private void run(int jobs, Function<Integer, Integer> read, Function<Integer, Integer> compute) {
        pipeline(read, compute).run(IntStream.range(0, jobs).boxed().toList(), Overlap.STEPS);
    }

    private Pipeline<Integer, Integer, Integer> pipeline(
            Function<Integer, Integer> read, Function<Integer, Integer> compute) {
        return new Pipeline<>(
                read, compute, this::write, (Integer job, Throwable e) -> failed.add(job + " " + e.getMessage()));
    }

    private void write(int result) {
        if (result < 0) {
            throw new IllegalStateException("write");
        }
        written.add(result);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
