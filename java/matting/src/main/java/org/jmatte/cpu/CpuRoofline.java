package org.jmatte.cpu;

import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;
import org.jmatte.Roofline;
import org.jmatte.cpu.Linear.Epilogue;

/** Measures what the processor reaches: a copy between blocks larger than its caches, and oneDNN's matrix product. */
final class CpuRoofline {
    /** More than the last-level cache. */
    private static final long COPIED_BYTES = 128L << 20;

    private static final int PARTS = 64;
    private static final int COPIES = 20;
    /** Rows, inputs and outputs of a product, whose operands stay in a core's cache. */
    private static final int ROWS = 128;

    private static final int CHANNELS = 512;
    /** For each thread. */
    private static final int PRODUCTS = 400;

    private CpuRoofline() {}

    static Roofline measure(ElementType operands, int threads) {
        return new Roofline(copy(threads), product(operands, threads));
    }

    /** Bytes read and written per second. */
    private static double copy(int threads) {
        long part = COPIED_BYTES / PARTS;
        try (Arena arena = Arena.of(2 * COPIED_BYTES)) {
            long from = arena.take(COPIED_BYTES);
            long to = arena.take(COPIED_BYTES);
            NativeMemory.clear(from, COPIED_BYTES); // untouched memory is one page of zeros
            double seconds = undisturbed(COPIES * PARTS, threads, (index, slot) -> {
                long at = index % PARTS * part;
                NativeMemory.copy(to + at, from + at, part);
            });
            return threads * 2 * part / seconds;
        }
    }

    /** FLOPs per second. */
    private static double product(ElementType operands, int threads) {
        float[] ones = new float[CHANNELS * CHANNELS];
        Arrays.fill(ones, 1);
        try (Linear linear = new Linear(CHANNELS, CHANNELS, false, operands);
                FloatPointer matrix = new FloatPointer(ones)) {
            linear.load(matrix, null);
            Product product = linear.product(ROWS, ElementType.FP32, Epilogue.NONE);
            long sourceBytes = Arena.align(operands.bytes((long) ROWS * CHANNELS));
            long targetBytes = Arena.align((long) ROWS * CHANNELS * Float.BYTES);
            long threadBytes = sourceBytes + targetBytes + Arena.align(product.scratchBytes());
            try (Arena arena = Arena.of(threads * threadBytes)) {
                long base = arena.take(threads * threadBytes);
                NativeMemory.clear(base, threads * threadBytes);
                double seconds = undisturbed(PRODUCTS * threads, threads, (index, slot) -> {
                    long source = base + slot * threadBytes;
                    long target = source + sourceBytes;
                    product.run(source, target, target + targetBytes);
                });
                return threads * linear.flops(ROWS) / seconds;
            }
        }
    }

    /**
     * Seconds that a task takes undisturbed, all threads being busy: a quarter of them took less. So other work on the
     * machine, which stops some tasks in their midst, changes little.
     */
    private static double undisturbed(int tasks, int threads, WorkerPool.Task task) {
        long[] nanoseconds = new long[tasks];
        WorkerPool.SHARED.forEach(tasks, threads, (index, slot) -> {
            long start = System.nanoTime();
            task.run(index, slot);
            nanoseconds[(int) index] = System.nanoTime() - start;
        });
        Arrays.sort(nanoseconds);
        return nanoseconds[tasks / 4] * 1e-9;
    }
}
