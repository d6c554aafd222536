package org.jmatte.train.pam;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.jmatte.InvalidInputException;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamPath;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PathPriorTest {
    private static final int IMAGES = 16;

    @TempDir
    private Path folder;

    /** What a bypassed segment adds to the error; segment 3 helps four images of eight and hurts the rest. */
    private static double error(PamPath path, int image) {
        double error = 0;
        for (int k = 0; k < PamArchitecture.SEGMENTS; k++) {
            double worth = k == 3 ? (image % 8 < 4 ? 0.5 : -0.4) : 0.01 * (1 + k * k % 11);
            error += path.keeps(k) ? 0 : worth;
        }
        return error;
    }

    private static double[] errors(PamPath path) {
        return IntStream.range(0, IMAGES).mapToDouble(i -> error(path, i)).toArray();
    }

    /** A network that knows nothing of good paths. */
    private static PathPrior.Simulation simulation(BiFunction<PamPath, Integer, double[]> errors) {
        return new PathPrior.Simulation() {
            @Override
            public double[] errors(PamPath path, int gmacs) {
                return errors.apply(path, gmacs);
            }

            @Override
            public Set<PamPath> chosen(int gmacs) {
                return Set.of(PamPath.BYPASS_ALL);
            }
        };
    }

    private static final PathPrior.Simulation EXACT = simulation((path, constraint) -> errors(path));

    private static PathPrior estimate(int paths) {
        return PathPrior.estimate(paths, 1, EXACT, EXACT);
    }

    private static List<PamPath> justAllowed(int constraint) {
        return IntStream.rangeClosed(0, PamPath.KEEP_ALL.bits())
                .mapToObj(PamPath::new)
                .filter(path -> path.leastGmacs() == constraint || path.leastGmacs() == constraint - 1)
                .toList();
    }

    @Test
    void triesAsManyPathsOfEveryConstraintAsAllowed() {
        Map<Integer, Set<PamPath>> tried = new TreeMap<>();
        PathPrior.estimate(
                7,
                1,
                simulation((path, constraint) -> {
                    assertEquals(constraint, path.leastGmacs());
                    assertTrue(
                            tried.computeIfAbsent(constraint, c -> new HashSet<>())
                                    .add(path),
                            "once");
                    return errors(path);
                }),
                EXACT);
        for (int c = PamArchitecture.leastGmacs() + 1; c <= PamArchitecture.largestGmacs(); c++) {
            int constraint = c;
            long there = justAllowed(c).stream()
                    .filter(path -> path.leastGmacs() == constraint)
                    .count();
            assertEquals(Math.min(7, there), tried.get(c).size(), "of " + there + " under " + c);
        }
    }

    private static double mean(PamPath path) {
        return (error(path, 0) + error(path, 4)) / 2;
    }

    @Test
    void findsPathsAmongTheBestAlthoughItTriesFew() {
        PathPrior prior = estimate(16);
        for (int constraint = 60; constraint <= 70; constraint++) {
            List<PamPath> all = justAllowed(constraint);
            double best = mean(prior.candidates(constraint).get(0));
            long better = all.stream().filter(path -> mean(path) < best).count();
            assertTrue(better <= all.size() / 200, better + " of " + all.size() + " are better under " + constraint);
        }
    }

    @Test
    void triesWhatTheNetworkChooses() {
        PamPath odd = PamPath.of("01010101010101");
        PathPrior.Simulation choosing = new PathPrior.Simulation() {
            @Override
            public double[] errors(PamPath path, int gmacs) {
                return new double[] {path.equals(odd) ? 0.1 : 1};
            }

            @Override
            public Set<PamPath> chosen(int gmacs) {
                return gmacs == 66 ? Set.of(odd) : Set.of();
            }
        };
        PathPrior prior = PathPrior.estimate(4, 1, choosing, choosing);
        for (int constraint : new int[] {66, 70, 76}) {
            assertEquals(odd, prior.candidates(constraint).get(0));
        }
    }

    @Test
    void theCandidatesAreTheBestPathAndThoseThatHelpMostWhereItErrs() {
        List<PamPath> tried = new ArrayList<>();
        PathPrior prior = PathPrior.estimate(40, 1, EXACT, recording(tried, PathPriorTest::errors));
        for (int c = 60; c <= 70; c++) {
            int constraint = c;
            List<PamPath> allowed =
                    tried.stream().filter(path -> path.gmacs() <= constraint).toList();
            List<PamPath> candidates = prior.candidates(constraint);
            PamPath first = candidates.get(0);
            assertTrue(allowed.containsAll(candidates));
            assertEquals(least(allowed, PathPriorTest::mean), mean(first), 1e-12, "under " + constraint);
            List<PamPath> others = allowed.stream()
                    .filter(path -> !path.equals(first))
                    .filter(path -> Integer.bitCount(path.bits() ^ first.bits()) <= 2)
                    .filter(path -> mean(path) <= 1.02 * mean(first))
                    .toList();
            assertEquals(Math.min(2, others.size()), candidates.size() - 1, "under " + constraint);
            if (!others.isEmpty()) {
                double most = least(others, path -> meanOfLeast(first, path));
                assertEquals(most, meanOfLeast(first, candidates.get(1)), 1e-12, "under " + constraint);
            }
        }
    }

    @Test
    void theBestAreTriedOnceMoreAndThatAloneCounts() {
        List<PamPath> coarse = new ArrayList<>();
        List<PamPath> fine = new ArrayList<>();
        PathPrior prior = PathPrior.estimate(20, 1, recording(coarse, PathPriorTest::errors), recording(fine, path ->
                new double[] {1 + path.bits() % 7, 1}));
        assertEquals(Set.copyOf(fine).size(), fine.size(), "once");
        for (int c = 60; c <= 70; c++) {
            int constraint = c;
            List<PamPath> best = coarse.stream()
                    .filter(path -> path.gmacs() <= constraint)
                    .sorted(Comparator.comparingDouble((PamPath path) ->
                                    Arrays.stream(errors(path)).sum())
                            .thenComparing(PamPath::bits))
                    .limit(8)
                    .toList();
            assertTrue(fine.containsAll(best), "under " + constraint);
            double least = fine.stream()
                    .filter(path -> path.gmacs() <= constraint)
                    .mapToInt(path -> path.bits() % 7)
                    .min()
                    .orElseThrow();
            assertEquals(least, prior.candidates(constraint).get(0).bits() % 7, "under " + constraint);
        }
        assertTrue(fine.size() < coarse.size() / 2, fine.size() + " of " + coarse.size());
    }

    private static PathPrior.Simulation recording(List<PamPath> tried, Function<PamPath, double[]> errors) {
        return simulation((path, constraint) -> {
            tried.add(path);
            return errors.apply(path);
        });
    }

    private static double least(List<PamPath> paths, ToDoubleFunction<PamPath> error) {
        return paths.stream().mapToDouble(error).min().orElseThrow();
    }

    private static double meanOfLeast(PamPath one, PamPath other) {
        return IntStream.of(0, 4)
                .mapToDouble(image -> Math.min(error(one, image), error(other, image)))
                .average()
                .orElseThrow();
    }

    @Test
    void theProbabilityIsTheShareOfImagesForWhichACandidateIsTheBest() throws Exception {
        Path file = folder.resolve("prior.json");
        estimate(40).write(file);
        for (JsonNode constraint : new ObjectMapper().readTree(file.toFile())) {
            double sum = 0;
            for (JsonNode candidate : constraint) {
                double probability = candidate.get("probability").asDouble();
                assertTrue(Set.of(0.0, 0.5, 1.0).contains(probability), "four images of eight agree: " + probability);
                sum += probability;
            }
            assertEquals(1, sum);
        }
    }

    @Test
    void isTheSameAfterWritingAndReading() {
        PathPrior prior = estimate(3);
        Path file = folder.resolve("prior.json");
        prior.write(file);
        PathPrior again = PathPrior.read(file);
        for (int constraint = PamArchitecture.leastGmacs();
                constraint <= PamArchitecture.largestGmacs();
                constraint++) {
            assertEquals(prior.candidates(constraint), again.candidates(constraint));
        }
    }

    @Test
    void aDamagedFileIsNamed() throws Exception {
        Path file = Files.writeString(folder.resolve("prior.json"), "{\"60\": [");
        String message = assertThrows(InvalidInputException.class, () -> PathPrior.read(file))
                .getMessage();
        assertTrue(message.contains("prior.json") && message.contains("delete it"), message);
    }

    @Test
    void nearPathsCostAlmostTheConstraint() {
        SplittableRandom random = new SplittableRandom(4);
        for (int i = 0; i < 100; i++) {
            int constraint = 53 + new Random(i).nextInt(23);
            double gmacs = PathPrior.near(constraint, random).gmacs();
            assertTrue(gmacs <= constraint && gmacs > constraint - 2, gmacs + " for " + constraint);
        }
    }
}
