package org.jmatte.bench.cpu;

import java.util.concurrent.TimeUnit;
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
import org.openjdk.jmh.annotations.Warmup;

/** Whole networks, from a photo in memory to alpha. */
// A matte takes a second to a quarter of a minute: every one counts by itself.
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
// The first lays out memory and compiles primitives, of which a service does not notice much.
@Warmup(iterations = 1)
// Once; the runner's rounds, in which the peers take turns, give the rest.
@Measurement(iterations = 1)
// A process of its own, so that its largest resident memory is that of this network in this peer's hands.
@Fork(1)
@State(Scope.Benchmark)
public class NetworkBenchmark {
    /**
     * Name and size: MEMatte at the sizes of its paper's comparisons and of a photo; ViTMatte where its attention still
     * fits; PAM for a network of convolutions.
     */
    @Param({"mematte_s 1024x1024", "mematte_s 2048x2048", "vitmatte_s 1024x1024", "pam 1024x1024"})
    public String network;

    @Param({"fp32", "bf16"})
    public String dtype;

    @Param("2")
    public int threads;

    /** Last, so that the peers take turns. */
    @Param({Operators.OURS, Operators.LIBTORCH})
    public String peer;

    private NetworkPeer.Network opened;

    @Setup(Level.Trial)
    public void open() {
        String[] words = network.split(" ");
        opened = NetworkPeer.named(peer).open(words[0], Scene.of(words[1]), dtype, threads);
    }

    @Benchmark
    public void matte() {
        opened.matte();
    }

    @TearDown(Level.Trial)
    public void close() {
        opened.close();
    }
}
