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
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.jmatte.InvalidInputException;
import org.jmatte.image.AtomicFile;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamPath;

/**
 * The distribution Q(P|C) of the path that is optimal under a constraint of C GMACs, estimated by Monte Carlo: a few
 * images at a time vote for the path of least error among those that the constraint just allows. An image alone would
 * often vote for an odd path that suits no other one, and that no estimator could have foreseen.
 */
public final class PathPrior {
    /**
     * A path and how probable it is.
     *
     * @param path its {@link PamPath#bits}
     */
    public record Candidate(int path, double probability) {}

    private static final int VOTERS = 4; // images that vote together

    private final SortedMap<Integer, List<Candidate>> byConstraint;

    private PathPrior(SortedMap<Integer, List<Candidate>> byConstraint) {
        this.byConstraint = byConstraint;
    }

    /** The error of every image of a fixed set along a path under a constraint. */
    @FunctionalInterface
    public interface Errors {
        double[] of(PamPath path, int gmacs);
    }

    /**
     * Estimates the distribution. Half of the paths are random. Good ones are rare among 2^14, so the other half are
     * those that an {@link ErrorModel} of the first half expects to be best; as it is one model for all constraints,
     * neighbouring constraints get like paths, which is what a path estimator can learn.
     *
     * @param paths at most so many are tried per constraint, of those that cost more than C - 1 GMACs
     */
    public static PathPrior estimate(int paths, long seed, Errors errors) {
        Map<Integer, List<PamPath>> strata = strata();
        strata.forEach((constraint, all) -> Collections.shuffle(all, new Random(seed + constraint)));
        Map<PamPath, double[]> error = new HashMap<>();
        tryFirst((paths + 1) / 2, strata, errors, error);
        ErrorModel model = new ErrorModel(error);
        strata.values().forEach(all -> {
            all.removeAll(error.keySet());
            all.sort(Comparator.comparingDouble(model::expect));
        });
        tryFirst(paths / 2, strata, errors, error);
        SortedMap<Integer, List<Candidate>> prior = new TreeMap<>();
        for (int constraint = PamArchitecture.leastGmacs();
                constraint <= PamArchitecture.largestGmacs();
                constraint++) {
            int most = constraint;
            List<PamPath> allowed = error.keySet().stream()
                    .filter(path -> justAllows(most, path))
                    .toList();
            prior.put(constraint, vote(allowed, error));
        }
        return new PathPrior(prior);
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
            int paths, Map<Integer, List<PamPath>> strata, Errors errors, Map<PamPath, double[]> error) {
        strata.forEach((constraint, all) ->
                all.stream().limit(paths).forEach(path -> error.put(path, errors.of(path, constraint))));
    }

    /** The most probable path first; of equally probable ones, that of the least error. */
    private static List<Candidate> vote(List<PamPath> allowed, Map<PamPath, double[]> error) {
        int images = error.get(allowed.get(0)).length;
        int votes = (images + VOTERS - 1) / VOTERS;
        Map<PamPath, Integer> count = new HashMap<>();
        for (int vote = 0; vote < votes; vote++) {
            int from = vote * VOTERS;
            int to = Math.min(from + VOTERS, images);
            count.merge(Collections.min(allowed, byError(error, from, to)), 1, Integer::sum);
        }
        Comparator<PamPath> byVotes = Comparator.comparing(count::get);
        return count.keySet().stream()
                .sorted(byVotes.reversed().thenComparing(byError(error, 0, images)))
                .map(path -> new Candidate(path.bits(), (double) count.get(path) / votes))
                .toList();
    }

    private static Comparator<PamPath> byError(Map<PamPath, double[]> error, int from, int to) {
        return Comparator.comparingDouble(
                path -> Arrays.stream(error.get(path), from, to).sum());
    }

    /**
     * The most probable paths for a constraint, the most probable first. They are kin: none is further than a swap of two
     * segments from the first. Segments are decided about one by one, and where labels are two quite different paths,
     * each decision may come out right for one of them and all together as a third, or above the budget.
     *
     * @param count fewer if there are not so many
     */
    public List<PamPath> likely(int constraint, int count) {
        List<Candidate> candidates = byConstraint.get(constraint);
        int first = candidates.get(0).path;
        return candidates.stream()
                .filter(candidate -> Integer.bitCount(candidate.path ^ first) <= 2)
                .limit(count)
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
