package org.jmatte.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.MattingOptions;
import org.jmatte.Precision;
import org.jmatte.Scenes;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.kernels.CountingDevice;
import org.jmatte.kernels.Devices;
import org.jmatte.kernels.EmulatedDevice;
import org.jmatte.kernels.EmulatorOptions;
import org.jmatte.kernels.PlanningDevice;
import org.jmatte.weights.ModelSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several models and threads on one device. */
@Timeout(300)
class SharedDeviceTest {
    private static final MattingOptions HALF = MattingOptions.defaults().withPrecision(Precision.FP16);
    private static final MatteRequest EXACT = MatteRequest.defaults().withFormat(Alpha.Format.F32);
    private static final String MODEL = "mematte_tiny";

    private final EmulatedDevice device = Devices.emulated(EmulatorOptions.sm(80));
    private final SharedDevice shared = SharedDevice.of(device);
    private final Photo photo = Scenes.photo(31, 45, 1);
    private final Trimap trimap = Scenes.disc(31, 45, 1);

    private GpuExecution open(String model, MattingOptions options) {
        try (ModelSource source = ModelSource.open("seeded:" + model)) {
            return GpuExecution.open(source, options, shared.joined());
        }
    }

    private Matte matte(GpuExecution execution) {
        return execution.matte(photo, trimap, EXACT);
    }

    private long used() {
        return device.totalBytes() - device.freeBytes();
    }

    @Test
    void modelsOfTheSameWeightsShareThem() {
        GpuExecution first = open(MODEL, HALF);
        long weights = first.plan(31, 45).weightsBytes();
        assertEquals(weights, used());
        try (GpuExecution second = open(MODEL, HALF.withMaxTokens(3))) {
            assertEquals(weights, used());
            Matte few = matte(second);
            Matte many = matte(first);
            assertTrue(few.routing().kept().stream().allMatch(kept -> kept.cardinality() <= 3));
            assertNotEquals(few.routing(), many.routing());
            first.close();
            assertEquals(few.alpha().values(), matte(second).alpha().values());
        }
        assertEquals(0, used());
        shared.close();
        assertThrows(IllegalStateException.class, device::freeBytes);
    }

    @Test
    void otherWeightsAndTypesAreOthers() {
        try (GpuExecution half = open(MODEL, HALF);
                GpuExecution other = open(MODEL + ":2", HALF);
                GpuExecution full = open(MODEL, MattingOptions.defaults())) {
            long sum = 0;
            for (GpuExecution one : List.of(half, other, full)) {
                sum += one.plan(31, 45).weightsBytes();
            }
            assertEquals(sum, used());
            assertNotEquals(matte(half).alpha().values(), matte(other).alpha().values());
        }
        shared.close();
    }

    /** Seeds give other bytes, so a mixture of runs would show. */
    @Test
    void threadsAndModelsGetTheSameBytesAsOne() throws Exception {
        int threads = 8;
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try (GpuExecution first = open(MODEL, HALF);
                GpuExecution second = open(MODEL, HALF)) {
            long weights = used();
            List<Photo> photos = new ArrayList<>();
            List<Matte> expected = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                photos.add(Scenes.photo(31, 45, i));
                expected.add(first.matte(photos.get(i), trimap, EXACT));
            }
            List<Future<Matte>> mattes = new ArrayList<>();
            for (int i = 0; i < 2 * threads; i++) {
                Photo one = photos.get(i % 4);
                GpuExecution execution = i % 3 == 0 ? second : first;
                mattes.add(executor.submit(() -> execution.matte(one, trimap, EXACT)));
            }
            for (int i = 0; i < mattes.size(); i++) {
                Matte matte = mattes.get(i).get();
                assertEquals(expected.get(i % 4).alpha().values(), matte.alpha().values());
                assertEquals(expected.get(i % 4).routing(), matte.routing());
            }
            long arena = first.plan(31, 45).arenaBytes();
            assertTrue(used() <= weights + Lanes.MOST * (arena + 4096), used() + " bytes in use");
        } finally {
            executor.shutdownNow();
            shared.close();
        }
    }

    /** Where there is room for one run, the others wait for it instead of making do with less. */
    @Test
    void runsWaitForMemoryThatOthersGiveBack() throws Exception {
        shared.close();
        long peak;
        try (ModelSource source = ModelSource.open("seeded:" + MODEL);
                GpuExecution plans = GpuExecution.withoutWeights(
                        source, HALF, SharedDevice.of(new PlanningDevice(80, device.multiprocessors())))) {
            peak = plans.plan(31, 45).peakBytes() + 8192; // plans are for 8 bits
        }
        EmulatedDevice small = Devices.emulated(EmulatorOptions.sm(80).withMemory(peak));
        ExecutorService executor = Executors.newFixedThreadPool(3);
        try (ModelSource source = ModelSource.open("seeded:" + MODEL);
                GpuExecution execution = GpuExecution.open(source, HALF, SharedDevice.of(small))) {
            Matte expected = matte(execution);
            List<Future<Matte>> mattes = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                mattes.add(executor.submit(() -> matte(execution)));
            }
            for (Future<Matte> matte : mattes) {
                assertEquals(expected.plannedBytes(), matte.get().plannedBytes());
                assertEquals(expected.alpha().values(), matte.get().alpha().values());
            }
        } finally {
            executor.shutdownNow();
        }
    }

    @Test
    void runsGoOnBesideEachOther() throws Exception {
        assertTrue(meet(HALF), "both run at the same time");
        shared.close();
    }

    @Test
    void aBudgetForOneRunLetsOneRunAtATime() throws Exception {
        long peak;
        try (GpuExecution execution = open(MODEL, HALF)) {
            peak = execution.plan(31, 45).peakBytes();
        }
        assertFalse(meet(HALF.withMemoryBudget(peak)), "the second waits");
        shared.close();
    }

    /** Whether a second run gets under way while the first one waits for it. */
    private boolean meet(MattingOptions options) throws InterruptedException {
        AtomicBoolean first = new AtomicBoolean(true);
        AtomicBoolean met = new AtomicBoolean();
        CountDownLatch second = new CountDownLatch(1);
        MatteRequest request = EXACT.withProgress((name, done, total) -> {
            if (done == 0 && first.getAndSet(false)) {
                met.set(awaited(second));
            } else if (done == 0) {
                second.countDown();
            }
        });
        try (GpuExecution execution = open(MODEL, options)) {
            Thread other = new Thread(() -> execution.matte(photo, trimap, request));
            other.start();
            execution.matte(photo, trimap, request);
            other.join();
            long budget = options.memoryBudget();
            assertTrue(budget == 0 || used() <= budget, used() + " bytes in use");
        }
        return met.get();
    }

    private static boolean awaited(CountDownLatch latch) {
        try {
            return latch.await(3, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aThousandImagesTakeNoMoreMemoryThanTheFirst() {
        CountingDevice counting = new CountingDevice();
        try (ModelSource source = ModelSource.open("seeded:" + MODEL);
                GpuExecution execution = GpuExecution.open(source, HALF, SharedDevice.of(counting))) {
            matte(execution);
            long made = counting.made();
            long free = counting.freeBytes();
            long before = Long.MIN_VALUE;
            long least = Long.MAX_VALUE; // what one part of the run grows by, the others must too if it is a leak
            for (int part = 0; part < 5; part++) {
                for (int i = 0; i < 200; i++) {
                    matte(execution);
                }
                long host = hostBytes();
                least = part == 0 ? least : Math.min(least, host - before);
                before = host;
            }
            System.out.printf("200 images: host memory grows by %d bytes%n", least);
            assertEquals(made, counting.made());
            assertEquals(free, counting.freeBytes());
            assertTrue(least < 200 * 256, "host memory grew by " + least);
        }
        shared.close();
    }

    /** The same with the kernels' own work. */
    @Test
    void imagesOfASizeAllocateOnce() {
        try (GpuExecution execution = open(MODEL, HALF)) {
            Matte expected = matte(execution);
            long allocations = device.allocations();
            for (int i = 0; i < 3; i++) {
                assertEquals(expected.alpha().values(), matte(execution).alpha().values());
            }
            assertEquals(allocations, device.allocations());
        }
        shared.close();
    }

    /** What is in use on Java's heap and beside it. */
    private static long hostBytes() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        long direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
        return direct + ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
