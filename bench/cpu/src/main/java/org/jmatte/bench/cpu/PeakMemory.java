package org.jmatte.bench.cpu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.ScalarResult;

/** Tells the most memory that the forked process has had resident. */
public final class PeakMemory implements InternalProfiler {
    static final String LABEL = "peak";

    @Override
    public String getDescription() {
        return "largest resident memory of the process";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {}

    @Override
    public Collection<ScalarResult> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        try (Stream<String> status = Files.lines(Path.of("/proc/self/status"))) {
            long kibibytes = status.filter(line -> line.startsWith("VmHWM:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow();
            return List.of(new ScalarResult(LABEL, kibibytes / 1024.0, "MiB", AggregationPolicy.MAX));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
