package org.jmatte.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jmatte.Cancellation;
import org.jmatte.kernels.Devices;
import org.jmatte.kernels.EmulatedDevice;
import org.jmatte.kernels.EmulatorOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LanesTest {
    private static final long BYTES = 1 << 20;

    private final EmulatedDevice device = Devices.emulated(EmulatorOptions.sm(80));
    private final Lanes lanes = new Lanes(device);
    private final Cancellation never = new Cancellation();

    @AfterEach
    void close() {
        lanes.freeIdle();
        device.close();
    }

    private Lane enter(Cancellation cancellation) {
        return lanes.enter(this, BYTES, 10 * BYTES, cancellation);
    }

    @Test
    void whoWaitsForALaneHearsOfItsCancellation() throws Exception {
        Lane first = enter(never);
        Lane second = enter(never);
        assertNotSame(first, second);
        Cancellation cancellation = new Cancellation();
        CompletableFuture<Lane> third = CompletableFuture.supplyAsync(() -> enter(cancellation));
        CompletableFuture<Lane> fourth = CompletableFuture.supplyAsync(() -> enter(never));
        assertThrows(TimeoutException.class, () -> third.get(50, TimeUnit.MILLISECONDS));
        cancellation.cancel();
        assertSame(
                CancellationException.class,
                assertThrows(CompletionException.class, third::join).getCause().getClass());
        assertFalse(fourth.isDone());
        lanes.leave(first);
        assertSame(first, fourth.get(), "the lane goes to the next in the queue");
        lanes.leave(second);
        lanes.leave(first);
    }

    @Test
    void lanesAreGivenInTheOrderOfTheQueue() throws Exception {
        Lane first = enter(never);
        Lane second = enter(never);
        List<Integer> order = new ArrayList<>();
        List<Thread> runs = new ArrayList<>();
        for (int run = 0; run < 4; run++) {
            int number = run;
            runs.add(waiting(() -> order.add(number))); // one at a time
        }
        lanes.leave(first); // the others pass through this one, one after the other
        for (Thread thread : runs) {
            thread.join();
        }
        assertEquals(List.of(0, 1, 2, 3), order);
        lanes.leave(second);
    }

    @Test
    void anInterruptIsKeptForLater() throws Exception {
        Lane first = enter(never);
        Lane second = enter(never);
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        Thread thread = waiting(() -> interrupted.complete(Thread.interrupted()));
        thread.interrupt();
        lanes.leave(first);
        assertTrue(interrupted.get());
        thread.join();
        lanes.leave(second);
    }

    /** A thread that waits for a lane, and runs something once it has one. */
    private Thread waiting(Runnable inside) {
        Thread thread = new Thread(() -> {
            Lane lane = enter(never);
            inside.run();
            lanes.leave(lane);
        });
        thread.start();
        while (thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
        return thread;
    }
}
