package org.jmatte.train.pam;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jmatte.InvalidInputException;
import org.jmatte.image.AtomicFile;
import org.jmatte.network.PamPath;

/**
 * An estimate of Q(P|C), how probable it is that a path P is optimal under a constraint of C GMACs, by Monte Carlo: the
 * share of simulated images for which it is the best of a few candidates.
 *
 * <p>Were it the best of all paths that were tried, hardly one would be best for two images, for many paths differ in
 * segments that hardly matter. So the first candidate is the path of the least mean error, and every further one, of those
 * that are not much worse, is chosen for the images where those before it err: it makes the mean of the least error of all
 * candidates smallest.
 */
public final class PathPrior {
    /**
     * A path and how probable it is.
     *
     * @param path its {@link PamPath#bits}
     */
    public record Candidate(int path, double probability) {}

    private static final int FINALISTS = 8; // per constraint
    private static final int CANDIDATES = 3; // per constraint
    private static final double NOT_MUCH_WORSE = 1.02; // times the first candidate's mean error

    private final SortedMap<Integer, List<Candidate>> byConstraint;

    private PathPrior(SortedMap<Integer, List<Candidate>> byConstraint) {
        this.byConstraint = byConstraint;
    }

    /** A network on a fixed set of images. */
    public interface Simulation {
        /** The error of every image along a path under a constraint. */
        double[] errors(PamPath path, int gmacs);

        /** The paths that the network itself chooses under a constraint. */
        Set<PamPath> chosen(int gmacs);
    }

    /**
     * Estimates the distribution. Tried are the paths that the network itself chooses, random ones, and, as good ones are
     * rare among 2^14, those that an {@link ErrorModel} of all others expects to be best. It is one model for all
     * constraints, so neighbouring ones get like paths, which is what a path estimator can learn. The best of each
     * constraint and those of the network are tried once more on other and more images, which alone count: of many means
     * the least is of the path that the images happened to suit. Errors are those under the least constraint that
     * allows a path.
     *
     * @param paths so many random and expected ones, half of each, are tried of those that cost more than C - 1 GMACs and
     *     at most C, if there are so many
     * @param coarse what all of them are tried on
     * @param fine what the best are tried on
     */
    public static PathPrior estimate(int paths, long seed, Simulation coarse, Simulation fine) {
        SortedMap<Integer, List<PamPath>> strata = strata();
        Map<PamPath, double[]> errors = new HashMap<>();
        Set<PamPath> chosen = strata.keySet().stream()
                .flatMap(constraint -> coarse.chosen(constraint).stream())
                .collect(Collectors.toSet());
        chosen.forEach(path -> errors.put(path, coarse.errors(path, path.leastGmacs())));
        strata.forEach((constraint, all) -> Collections.shuffle(all, new Random(seed + constraint)));
        tryFirst((paths + 1) / 2, strata, coarse, errors);
        ErrorModel model = new ErrorModel(errors);
        strata.values().forEach(all -> all.sort(Comparator.comparingDouble(model::expect)));
        tryFirst(paths / 2, strata, coarse, errors);
        Set<PamPath> finalists = new HashSet<>(chosen);
        strata.keySet().forEach(constraint -> allowed(constraint, errors)
                .sorted(byMean(errors))
                .limit(FINALISTS)
                .forEach(finalists::add));
        Map<PamPath, double[]> finals = new HashMap<>();
        finalists.forEach(path -> finals.put(path, fine.errors(path, path.leastGmacs())));
        SortedMap<Integer, List<Candidate>> prior = new TreeMap<>();
        for (int constraint : strata.keySet()) {
            prior.put(constraint, candidates(allowed(constraint, finals).toList(), finals));
        }
        return new PathPrior(prior);
    }

    private static Stream<PamPath> allowed(int constraint, Map<PamPath, double[]> errors) {
        return errors.keySet().stream().filter(path -> path.leastGmacs() <= constraint);
    }

    /** The least wrong first; of equal ones always the same. */
    private static Comparator<PamPath> byMean(Map<PamPath, double[]> errors) {
        return Comparator.<PamPath>comparingDouble(path -> sum(errors.get(path)))
                .thenComparing(PamPath::bits);
    }

    /** Per constraint C, all paths that cost more than C - 1 GMACs and at most C. */
    private static SortedMap<Integer, List<PamPath>> strata() {
        SortedMap<Integer, List<PamPath>> strata = new TreeMap<>();
        for (int bits = 0; bits <= PamPath.KEEP_ALL.bits(); bits++) {
            PamPath path = new PamPath(bits);
            strata.computeIfAbsent(path.leastGmacs(), constraint -> new ArrayList<>())
                    .add(path);
        }
        return strata;
    }

    private static void tryFirst(
            int paths, Map<Integer, List<PamPath>> strata, Simulation simulation, Map<PamPath, double[]> errors) {
        strata.forEach((constraint, all) -> {
            all.removeAll(errors.keySet());
            all.stream().limit(paths).forEach(path -> errors.put(path, simulation.errors(path, constraint)));
        });
    }

    /** The most helpful first. */
    private static List<Candidate> candidates(List<PamPath> allowed, Map<PamPath, double[]> errors) {
        PamPath first = Collections.min(allowed, byMean(errors));
        List<PamPath> others = allowed.stream()
                .filter(path -> areKin(path, first))
                .filter(path -> sum(errors.get(path)) <= NOT_MUCH_WORSE * sum(errors.get(first)))
                .collect(Collectors.toList());
        others.remove(first);
        List<PamPath> candidates = new ArrayList<>(List.of(first));
        double[] least = errors.get(first);
        while (candidates.size() < CANDIDATES && !others.isEmpty()) {
            double[] before = least;
            Comparator<PamPath> byLeast = Comparator.comparingDouble(path -> sum(least(before, errors.get(path))));
            PamPath next = Collections.min(others, byLeast.thenComparing(PamPath::bits));
            others.remove(next);
            candidates.add(next);
            least = least(before, errors.get(next));
        }
        return candidates.stream()
                .map(path -> new Candidate(path.bits(), shareOfBest(path, candidates, errors)))
                .toList();
    }

    /**
     * Whether paths are no further apart than a swap of two segments. Segments are decided about one by one, and where
     * labels are quite different paths, each decision may come out right for one of them and all together as another, or
     * above the budget.
     */
    private static boolean areKin(PamPath one, PamPath other) {
        return Integer.bitCount(one.bits() ^ other.bits()) <= 2;
    }

    private static double sum(double[] errors) {
        return Arrays.stream(errors).sum();
    }

    private static double[] least(double[] some, double[] others) {
        return IntStream.range(0, some.length)
                .mapToDouble(i -> Math.min(some[i], others[i]))
                .toArray();
    }

    private static double shareOfBest(PamPath path, List<PamPath> candidates, Map<PamPath, double[]> errors) {
        int images = errors.get(path).length;
        long best = IntStream.range(0, images)
                .filter(i -> path.equals(
                        Collections.min(candidates, Comparator.comparingDouble(other -> errors.get(other)[i]))))
                .count();
        return (double) best / images;
    }

    /** The candidates for a constraint, the most helpful first. */
    public List<PamPath> candidates(int constraint) {
        return byConstraint.get(constraint).stream()
                .map(candidate -> new PamPath(candidate.path))
                .toList();
    }

    /** A random path that costs at most C GMACs and more than C - 2. */
    public static PamPath near(int constraint, SplittableRandom random) {
        while (true) {
            PamPath path = random(random);
            if (justAllows(constraint, path)) {
                return path;
            }
        }
    }

    /** Whether a path costs at most C GMACs and more than C - 2. */
    static boolean justAllows(int constraint, PamPath path) {
        int needed = path.leastGmacs();
        return needed == constraint || needed == constraint - 1;
    }

    /** Any path, all equally probable. */
    public static PamPath random(RandomGenerator random) {
        return new PamPath(random.nextInt(PamPath.KEEP_ALL.bits() + 1));
    }

    /** Writes it as JSON: per constraint a list of {@code {"path": bits, "probability": p}}. */
    public void write(Path file) {
        AtomicFile.write(file, temporary -> new ObjectMapper()
                .writerWithDefaultPrettyPrinter()
                .writeValue(temporary.toFile(), byConstraint));
    }

    /** @throws InvalidInputException if the file cannot be read */
    public static PathPrior read(Path file) {
        try {
            return new PathPrior(new ObjectMapper().readValue(file.toFile(), new TypeReference<>() {}));
        } catch (IOException e) {
            throw new InvalidInputException(file + ": expected the prior of a PAM training, got what cannot be read ("
                    + e.getMessage() + "); delete it, and it is estimated anew");
        }
    }
}
