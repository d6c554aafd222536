package org.jmatte.bench.cpu;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/** The operators of MEMatte, in the network's order. */
// An operator takes a millisecond to a second: the mean of those that fit into an iteration.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
// Native code, which the first call loads and compiles; nothing here waits for Java's compilers.
@Warmup(iterations = 1, time = 100, timeUnit = TimeUnit.MILLISECONDS)
// One and short: the runner's rounds, in which the peers take turns, say more about the spread than many in a row.
@Measurement(iterations = 1, time = 300, timeUnit = TimeUnit.MILLISECONDS)
// In the runner's own process: weights are laid out once, and Java's profile does not decide the speed of native code.
@Fork(0)
public class OperatorBenchmark {
    static final String NETWORK = "mematte_s";

    private static final int WINDOW_BLOCK = 0;
    private static final int ROUTED_BLOCK = 2;

    /** Convolution by 16x16 patches: a matrix product of long rows, unfolded from 8-bit pixels. */
    @Benchmark
    public void embedPatches(Operators operators) {
        operators.get().embedPatches();
    }

    /** Eight of twelve blocks: small attention, much of its time in two matrix products. */
    @Benchmark
    public void windowAttention(Operators operators) {
        operators.get().windowAttention(WINDOW_BLOCK);
    }

    /** Three thin products and a choice: much memory for little work. */
    @Benchmark
    public void route(Operators operators) {
        operators.get().route(ROUTED_BLOCK);
    }

    /** LTRM: a depthwise convolution between two products, whose hidden map should not leave the cache. */
    @Benchmark
    public void refine(Operators operators) {
        operators.get().refine(ROUTED_BLOCK);
    }

    /** Attention of a quarter of the tokens among each other: quadratic, so it decides at 4K. */
    @Benchmark
    public void routedAttention(Operators operators) {
        operators.get().routedAttention(ROUTED_BLOCK);
    }

    /** A sum, nothing but memory. */
    @Benchmark
    public void merge(Operators operators) {
        operators.get().merge(ROUTED_BLOCK);
    }

    /** Two matrix products, in every block: what oneDNN reaches, and what is lost around it. */
    @Benchmark
    public void mlp(Operators operators) {
        operators.get().mlp(WINDOW_BLOCK);
    }

    /** A 3x3 convolution of many channels between two 1x1. */
    @Benchmark
    public void bottleneck(Operators operators) {
        operators.get().bottleneck(ROUTED_BLOCK);
    }

    /** Convolutions at full resolution, a third of the time and most of the memory that a framework takes. */
    @Benchmark
    public void decode(Operators operators) {
        operators.get().decode();
    }
}
