package org.jmatte.bench.cpu;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The one operator that ViTMatte has and MEMatte has not; annotated for the reasons of {@link OperatorBenchmark}. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 1, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 1, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(0)
public class GlobalAttentionBenchmark {
    static final String NETWORK = "vitmatte_s";

    private static final int GLOBAL_BLOCK = 2;

    /** Those of ViTMatte. */
    @State(Scope.Benchmark)
    public static class ViTMatteOperators extends Operators {
        @Override
        String network() {
            return NETWORK;
        }
    }

    /** All tokens among each other, with relative positions; its scores, 25 GB at 4K, are why ViTMatte stops early. */
    @Benchmark
    public void globalAttention(ViTMatteOperators operators) {
        operators.get().globalAttention(GLOBAL_BLOCK);
    }
}
