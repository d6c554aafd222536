package org.jmatte.train.pam;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import org.jmatte.InvalidInputException;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamPath;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PathPriorTest {
    private static final int IMAGES = 12;

    @TempDir
    private Path folder;

    /** Errors that depend on the path alone, except that half of the images dislike segment 0. */
    private static double[] errors(PamPath path, int constraint) {
        double[] errors = new double[IMAGES];
        for (int image = 0; image < IMAGES; image++) {
            errors[image] = -path.macs() * 1e-9 + (image % 2 == 0 && path.keeps(0) ? 100 : 0);
        }
        return errors;
    }

    @Test
    void thePoolHasPathsOfEveryConstraintOnce() {
        Map<Integer, List<PamPath>> pool = PathPrior.pool(7, 1);
        pool.forEach((constraint, paths) -> {
            assertTrue(!paths.isEmpty() && paths.size() <= 7);
            assertEquals(paths.size(), new HashSet<>(paths).size());
            paths.forEach(path -> assertEquals(constraint, path.leastGmacs()));
        });
        assertEquals(
                PamArchitecture.leastGmacs(),
                pool.keySet().stream().mapToInt(c -> c).min().orElseThrow());
        assertEquals(
                PamArchitecture.largestGmacs(),
                pool.keySet().stream().mapToInt(c -> c).max().orElseThrow());
    }

    @Test
    void eachImageVotesForItsBestPathThatTheConstraintJustAllows() {
        PathPrior prior = PathPrior.estimate(40, 1, PathPriorTest::errors);
        Map<Integer, List<PamPath>> pool = PathPrior.pool(40, 1);
        int most = 0;
        for (int constraint = 60; constraint <= 70; constraint++) {
            List<PamPath> allowed = new ArrayList<>(pool.get(constraint - 1));
            allowed.addAll(pool.get(constraint));
            Set<PamPath> best = new HashSet<>();
            for (int image = 0; image < 2; image++) {
                int i = image;
                best.add(Collections.min(allowed, Comparator.comparingDouble(path -> errors(path, 0)[i])));
            }
            assertEquals(best, new HashSet<>(prior.draw(constraint, 16, 4, new SplittableRandom(3))));
            most = Math.max(most, best.size());
        }
        assertEquals(2, most, "the images disagree under some constraint");
    }

    @Test
    void drawsByProbabilityWithoutRepetition() throws Exception {
        Path file = folder.resolve("prior.json");
        Files.writeString(
                file,
                "{\"60\": [{\"path\": 3, \"probability\": 0.7}, {\"path\": 5, \"probability\": 0.2},"
                        + " {\"path\": 6, \"probability\": 0.1}]}");
        PathPrior prior = PathPrior.read(file);
        SplittableRandom random = new SplittableRandom(1);
        int first = 0;
        for (int i = 0; i < 1000; i++) {
            List<PamPath> drawn = prior.draw(60, 3, 2, random);
            assertEquals(2, new HashSet<>(drawn).size());
            first += drawn.get(0).equals(new PamPath(3)) ? 1 : 0;
            assertTrue(!prior.draw(60, 2, 2, random).contains(new PamPath(6)), "not among the two most probable");
        }
        assertEquals(700, first, 60);
        assertEquals(3, prior.draw(60, 16, 4, random).size());
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
            assertEquals(
                    prior.draw(constraint, 16, 4, new SplittableRandom(1)),
                    again.draw(constraint, 16, 4, new SplittableRandom(1)));
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
