package org.jmatte.train.pam;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
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

    private static double[] errors(PamPath path, int constraint) {
        return IntStream.range(0, IMAGES).mapToDouble(i -> error(path, i)).toArray();
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
        PathPrior.estimate(7, 1, (path, constraint) -> {
            assertEquals(constraint, path.leastGmacs());
            assertTrue(tried.computeIfAbsent(constraint, c -> new HashSet<>()).add(path), "once");
            return errors(path, constraint);
        });
        for (int c = PamArchitecture.leastGmacs(); c <= PamArchitecture.largestGmacs(); c++) {
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
        PathPrior prior = PathPrior.estimate(16, 1, PathPriorTest::errors);
        for (int constraint = 60; constraint <= 70; constraint++) {
            List<PamPath> all = justAllowed(constraint);
            double best = prior.likely(constraint, 16).stream()
                    .mapToDouble(PathPriorTest::mean)
                    .min()
                    .orElseThrow();
            long better = all.stream().filter(path -> mean(path) < best).count();
            assertTrue(better <= all.size() / 200, better + " of " + all.size() + " are better under " + constraint);
        }
    }

    @Test
    void fourImagesVoteForTheirBestTriedPathThatTheConstraintJustAllows() throws Exception {
        List<PamPath> tried = new ArrayList<>();
        Path file = folder.resolve("prior.json");
        PathPrior.estimate(40, 1, (path, constraint) -> {
                    tried.add(path);
                    return errors(path, constraint);
                })
                .write(file);
        JsonNode prior = new ObjectMapper().readTree(file.toFile());
        for (int constraint = 60; constraint <= 70; constraint++) {
            Set<PamPath> allowed = new HashSet<>(justAllowed(constraint));
            allowed.retainAll(tried);
            Set<Double> best = new HashSet<>();
            for (int image : new int[] {0, 4}) {
                best.add(allowed.stream()
                        .mapToDouble(path -> error(path, image))
                        .min()
                        .orElseThrow());
            }
            Set<Double> voted = new HashSet<>();
            for (JsonNode candidate : prior.get("" + constraint)) {
                PamPath path = new PamPath(candidate.get("path").asInt());
                assertTrue(allowed.contains(path), path + " under " + constraint);
                voted.add(error(path, path.keeps(3) ? 0 : 4));
            }
            assertEquals(best, voted, "under " + constraint);
        }
    }

    @Test
    void imagesThatDisagreeVoteForDifferentPaths() throws Exception {
        Path file = folder.resolve("prior.json");
        PathPrior.estimate(40, 1, PathPriorTest::errors).write(file);
        JsonNode voted = new ObjectMapper().readTree(file.toFile()).get("65");
        assertEquals(2, voted.size(), "one with and one without segment 3: " + voted);
        assertEquals(
                1,
                IntStream.range(0, 2)
                        .filter(i -> new PamPath(voted.get(i).get("path").asInt()).keeps(3))
                        .count());
        assertEquals(0.5, voted.get(0).get("probability").asDouble());
    }

    @Test
    void likelyPathsAreKinOfTheMostProbableOne() throws Exception {
        Path file = folder.resolve("prior.json");
        Files.writeString(
                file,
                "{\"60\": [{\"path\": 3, \"probability\": 0.4}, {\"path\": 12, \"probability\": 0.3},"
                        + " {\"path\": 5, \"probability\": 0.2}, {\"path\": 6, \"probability\": 0.1}]}");
        PathPrior prior = PathPrior.read(file);
        assertEquals(List.of(new PamPath(3), new PamPath(5)), prior.likely(60, 2));
        assertEquals(List.of(new PamPath(3), new PamPath(5), new PamPath(6)), prior.likely(60, 16));
    }

    @Test
    void isTheSameAfterWritingAndReading() {
        PathPrior prior = PathPrior.estimate(3, 2, PathPriorTest::errors);
        Path file = folder.resolve("prior.json");
        prior.write(file);
        PathPrior again = PathPrior.read(file);
        for (int constraint = PamArchitecture.leastGmacs();
                constraint <= PamArchitecture.largestGmacs();
                constraint++) {
            assertEquals(prior.likely(constraint, 4), again.likely(constraint, 4));
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
