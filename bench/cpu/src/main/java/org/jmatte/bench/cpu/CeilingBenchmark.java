package org.jmatte.bench.cpu;

import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.jmatte.cpu.MatrixProduct;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/** What the machine reaches: all threads at once copy, or multiply, each by itself. */
// Threads' rates add up.
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
// The pages' first touch, and the processor's way to its clock under load.
@Warmup(iterations = 1, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 1, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Threads(2)
@Fork(0)
public class CeilingBenchmark {
    /** Bytes that a thread copies: more than any cache holds. */
    static final long COPIED = 128L << 20;

    /** Two blocks of memory. */
    @State(Scope.Thread)
    public static class Memory {
        private BytePointer from;
        private BytePointer to;

        @Setup(Level.Trial)
        public void allocate() {
            from = new BytePointer(COPIED).fill(1);
            to = new BytePointer(COPIED).fill(0);
        }

        @TearDown(Level.Trial)
        public void free() {
            from.deallocate();
            to.deallocate();
        }
    }

    /** A product that stays in the cache. */
    @State(Scope.Thread)
    public static class Matrices {
        @Param({"fp32", "bf16"})
        public String dtype;

        private MatrixProduct product;

        @Setup(Level.Trial)
        public void allocate() {
            product = new MatrixProduct(dtype);
        }

        @TearDown(Level.Trial)
        public void free() {
            product.close();
        }
    }

    /** What no operator bound by memory can pass. */
    @Benchmark
    public void copy(Memory memory) {
        Pointer.memcpy(memory.to, memory.from, COPIED);
    }

    /** What no operator bound by arithmetic can pass: oneDNN's own product, operands in the cache. */
    @Benchmark
    public void product(Matrices matrices) {
        matrices.product.run();
    }
}
