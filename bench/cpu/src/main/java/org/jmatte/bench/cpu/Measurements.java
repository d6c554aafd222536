package org.jmatte.bench.cpu;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;

/** What JMH measured in all rounds, a number for every round; the order is that of the first round. */
final class Measurements {
    /**
     * What was measured.
     *
     * @param benchmark the benchmark's class
     * @param name the operator, or the network
     * @param size of the photo; empty where there is none
     * @param dtype empty where there is none
     */
    record Subject(String benchmark, String name, String size, String dtype) {}

    private final Map<Subject, Map<String, List<Double>>> scores = new LinkedHashMap<>();
    private final Map<Subject, Map<String, List<Double>>> peaks = new LinkedHashMap<>();

    /** Takes the results of one round. */
    void add(Collection<RunResult> round) {
        for (RunResult result : round) {
            Subject subject = subject(result.getParams());
            String peer = parameter(result.getParams(), "peer");
            result.getBenchmarkResults().stream()
                    .flatMap(fork -> fork.getIterationResults().stream())
                    .map(IterationResult::getPrimaryResult)
                    .forEach(score -> values(scores, subject, peer).add(score.getScore()));
            Result<?> peak = result.getSecondaryResults().get(PeakMemory.LABEL);
            if (peak != null) {
                values(peaks, subject, peer).add(peak.getScore());
            }
        }
    }

    private static Subject subject(BenchmarkParams parameters) {
        String[] path = parameters.getBenchmark().split("\\.");
        String benchmark = path[path.length - 2];
        String[] network = parameter(parameters, "network").split(" ");
        return benchmark.equals(NetworkBenchmark.class.getSimpleName())
                ? new Subject(benchmark, network[0], network[1], parameter(parameters, "dtype"))
                : new Subject(
                        benchmark,
                        path[path.length - 1],
                        parameter(parameters, "size"),
                        parameter(parameters, "dtype"));
    }

    private static String parameter(BenchmarkParams parameters, String name) {
        return parameters.getParamsKeys().contains(name) ? parameters.getParam(name) : "";
    }

    private static List<Double> values(Map<Subject, Map<String, List<Double>>> map, Subject subject, String peer) {
        return map.computeIfAbsent(subject, first -> new LinkedHashMap<>())
                .computeIfAbsent(peer, first -> new ArrayList<>());
    }

    /** All that was measured by some benchmarks. */
    List<Subject> subjects(Class<?>... benchmarks) {
        List<String> names =
                List.of(benchmarks).stream().map(Class::getSimpleName).toList();
        return scores.keySet().stream()
                .filter(subject -> names.contains(subject.benchmark()))
                .toList();
    }

    /** Who was measured at it; one empty name where nobody competes. */
    List<String> peers(Subject subject) {
        return List.copyOf(scores.get(subject).keySet());
    }

    Spread score(Subject subject, String peer) {
        return Spread.of(scores.get(subject).get(peer));
    }

    /** A peer's score by another's in the same round. */
    Spread ratio(Subject subject, String peer, String other) {
        List<Double> above = scores.get(subject).get(peer);
        List<Double> below = scores.get(subject).get(other);
        List<Double> ratios = new ArrayList<>();
        for (int round = 0; round < above.size(); round++) {
            ratios.add(above.get(round) / below.get(round));
        }
        return Spread.of(ratios);
    }

    /** MiB. */
    Spread peak(Subject subject, String peer) {
        return Spread.of(peaks.get(subject).get(peer));
    }
}
