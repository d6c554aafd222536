package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Progress, cancellation and closing. */
class RunControlTest {
    private static final Photo PHOTO = Scenes.photo(150, 270, 1);
    private static final Trimap TRIMAP = Scenes.disc(150, 270, 1);
    private static final MatteRequest REQUEST = MatteRequest.defaults();

    private Matting matting;
    private ExecutorService executor;

    @BeforeEach
    void open() {
        matting = Matting.open("seeded:mematte_tiny");
        executor = Executors.newSingleThreadExecutor();
    }

    @AfterEach
    void close() {
        matting.close();
        executor.shutdown();
    }

    @Test
    void progressNamesEveryStageInOrder() {
        List<String> names = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        AtomicInteger totals = new AtomicInteger();
        matting.matte(PHOTO, TRIMAP, REQUEST.withProgress((name, done, total) -> {
            assertEquals(names.size(), done);
            assertTrue(done < total);
            names.add(name);
            threads.add(Thread.currentThread());
            totals.set(total);
        }));
        assertEquals(totals.get(), names.size());
        assertEquals(
                matting.plan(150, 270).stages().stream().map(Plan.Stage::name).toList(), names);
        assertEquals("embed patches", names.get(0));
        assertTrue(names.contains("block 3 window attention") && names.contains("block 11 routed attention"));
        assertEquals("decode", names.get(names.size() - 1));
        assertTrue(threads.stream().allMatch(thread -> thread == Thread.currentThread()));
    }

    @Test
    void anExceptionFromProgressEndsTheMatte() {
        RuntimeException mine = new RuntimeException("mine");
        MatteRequest failing = REQUEST.withProgress((name, done, total) -> {
            if (done == 9) {
                throw mine;
            }
        });
        assertEquals(mine, assertThrows(RuntimeException.class, () -> matting.matte(PHOTO, TRIMAP, failing)));
        Alphas.assertAlpha(matting.matte(PHOTO, TRIMAP, REQUEST).alpha());
    }

    @Test
    void cancellationWorksAtEveryStageAndLeavesTheMattingUsable() {
        Alpha expected = matting.matte(PHOTO, TRIMAP, REQUEST).alpha();
        int stages = matting.plan(150, 270).stages().size();
        for (int at = 0; at < stages; at += 3) {
            Cancellation cancellation = new Cancellation();
            int stage = at;
            MatteRequest cancelled = REQUEST.withCancellation(cancellation).withProgress((name, done, total) -> {
                assertTrue(done <= stage, "it goes on after the cancellation");
                if (done == stage) {
                    cancellation.cancel();
                }
            });
            assertThrows(CancellationException.class, () -> matting.matte(PHOTO, TRIMAP, cancelled));
        }
        Alphas.assertSame(expected, matting.matte(PHOTO, TRIMAP, REQUEST).alpha(), "after cancellations");
    }

    @Test
    void cancellationFromAnotherThreadStopsALongStageSoon() throws Exception {
        Photo photo = Scenes.photo(1500, 1500, 1);
        Trimap trimap = Scenes.unknown(1500, 1500);
        Cancellation cancellation = new Cancellation();
        CountDownLatch attending = new CountDownLatch(1);
        try (Matting unrouted = Matting.open("seeded:vitmatte_tiny")) {
            Future<Matte> future = executor.submit(() -> unrouted.matte(
                    photo, trimap, REQUEST.withCancellation(cancellation).withProgress((name, done, total) -> {
                        if (name.endsWith("global attention")) {
                            attending.countDown(); // takes seconds at this size
                        }
                    })));
            attending.await();
            Thread.sleep(30);
            long start = System.nanoTime();
            cancellation.cancel();
            ExecutionException failure = assertThrows(ExecutionException.class, future::get);
            assertEquals(CancellationException.class, failure.getCause().getClass());
            assertTrue(System.nanoTime() - start < 1e9, "soon");
            Alphas.assertAlpha(unrouted.matte(PHOTO, TRIMAP, REQUEST).alpha());
        }
    }

    @Test
    void aRequestCancelledBeforehandIsNotBegun() {
        Cancellation cancellation = new Cancellation();
        cancellation.cancel();
        MatteRequest request = REQUEST.withCancellation(cancellation);
        assertThrows(CancellationException.class, () -> matting.matte(PHOTO, TRIMAP, request));
        assertThrows(CancellationException.class, () -> matting.matte(PHOTO, Scenes.known(150, 270), request));
    }

    @Test
    void cancelledRunsKeepNoMemory() {
        Photo photo = Scenes.photo(700, 700, 1); // some 30 MB of activations
        Trimap trimap = Scenes.unknown(700, 700);
        long before = 0;
        for (int run = 0; run < 24; run++) {
            Cancellation cancellation = new Cancellation();
            int stage = run % 12;
            MatteRequest request = REQUEST.withCancellation(cancellation).withProgress((name, done, total) -> {
                if (done == stage) {
                    cancellation.cancel();
                }
            });
            assertThrows(CancellationException.class, () -> matting.matte(photo, trimap, request));
            if (run == 12) {
                before = Machine.residentBytes();
            }
        }
        long grown = Machine.residentBytes() - before;
        assertTrue(grown < 100 << 20, "12 cancelled runs kept " + grown + " bytes");
    }

    @Test
    void aClosedMattingRefuses() {
        matting.close();
        matting.close();
        for (Runnable use :
                List.<Runnable>of(() -> matting.matte(PHOTO, TRIMAP, REQUEST), () -> matting.plan(150, 270))) {
            String message = assertThrows(IllegalStateException.class, use::run).getMessage();
            assertTrue(message.contains("closed"), message);
        }
    }

    @Test
    void closingWaitsForARunningMatte() throws Exception {
        Alpha expected = matting.matte(PHOTO, TRIMAP, REQUEST).alpha();
        CountDownLatch running = new CountDownLatch(1);
        AtomicInteger lastStage = new AtomicInteger();
        MatteRequest slow = REQUEST.withProgress((name, done, total) -> {
            running.countDown();
            pause();
            lastStage.set(total - done);
        });
        Future<Matte> future = executor.submit(() -> matting.matte(PHOTO, TRIMAP, slow));
        running.await();
        matting.close();
        assertEquals(1, lastStage.get(), "closed before the last stage began");
        Alphas.assertSame(expected, future.get().alpha(), "closed meanwhile");
        assertThrows(IllegalStateException.class, () -> matting.matte(PHOTO, TRIMAP, REQUEST));
    }

    private static void pause() {
        try {
            Thread.sleep(10);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void closingFromWithinARunIsRefusedInsteadOfWaitingForever() {
        MatteRequest closing = REQUEST.withProgress((name, done, total) -> matting.close());
        assertTimeoutPreemptively(Duration.ofSeconds(30), () -> {
            String message = assertThrows(IllegalStateException.class, () -> matting.matte(PHOTO, TRIMAP, closing))
                    .getMessage();
            assertTrue(message.contains("close"), message);
        });
        Alphas.assertAlpha(matting.matte(PHOTO, TRIMAP, REQUEST).alpha());
    }

    @Test
    void aListenerMayAskForAnotherMatte() {
        Alpha expected = matting.matte(PHOTO, TRIMAP, REQUEST).alpha();
        List<Alpha> inner = new ArrayList<>();
        MatteRequest asking = REQUEST.withProgress((name, done, total) -> {
            if (done == 5) {
                inner.add(matting.matte(PHOTO, TRIMAP, REQUEST).alpha());
            }
        });
        Alphas.assertSame(expected, matting.matte(PHOTO, TRIMAP, asking).alpha(), "outer");
        Alphas.assertSame(expected, inner.get(0), "inner");
    }
}
