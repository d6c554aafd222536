package org.jmatte.cpu;

import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;
import org.jmatte.Roofline;
import org.jmatte.cpu.Linear.Epilogue;

/** Measures what the processor reaches: a copy between blocks larger than its caches, and oneDNN's matrix product. */
final class CpuRoofline {
    /** Many short ones: on a machine with other work, few are undisturbed. */
    private static final int PASSES = 25;
    /** More than the last-level cache. */
    private static final long COPIED_BYTES = 128L << 20;

    private static final int PARTS = 64;
    /** Rows, inputs and outputs of a product, whose operands stay in a core's cache. */
    private static final int ROWS = 128;

    private static final int CHANNELS = 512;
    /** Products of a pass, per thread. */
    private static final int PRODUCTS = 16;

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
            double seconds = best(
                    PARTS, threads, (index, slot) -> NativeMemory.copy(to + index * part, from + index * part, part));
            return 2 * COPIED_BYTES / seconds;
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
                long products = (long) PRODUCTS * threads;
                double seconds = best(products, threads, (index, slot) -> {
                    long source = base + slot * threadBytes;
                    long target = source + sourceBytes;
                    product.run(source, target, target + targetBytes);
                });
                return products * linear.flops(ROWS) / seconds;
            }
        }
    }

    /** Seconds of the fastest pass: what the machine reaches is what it does undisturbed. */
    private static double best(long tasks, int threads, WorkerPool.Task task) {
        double best = Double.POSITIVE_INFINITY;
        for (int pass = 0; pass < PASSES; pass++) {
            long start = System.nanoTime();
            WorkerPool.SHARED.forEach(tasks, threads, task);
            best = Math.min(best, (System.nanoTime() - start) * 1e-9);
        }
        return best;
    }
}
