package org.jmatte.train.pam;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
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
 * The distribution Q(P|C) of the path that is optimal for an image under a constraint of C GMACs, estimated by Monte
 * Carlo: each image votes for the path of least error among those that the constraint just allows.
 */
public final class PathPrior {
    /**
     * A path and how probable it is.
     *
     * @param path its {@link PamPath#bits}
     */
    public record Candidate(int path, double probability) {}

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
     * Estimates the distribution.
     *
     * @param paths at most so many are tried per constraint, drawn among those that cost more than C - 1 GMACs
     */
    public static PathPrior estimate(int paths, long seed, Errors errors) {
        Map<Integer, List<PamPath>> pool = pool(paths, seed);
        Map<PamPath, double[]> error = new HashMap<>();
        pool.forEach((constraint, drawn) -> drawn.forEach(path -> error.put(path, errors.of(path, constraint))));
        SortedMap<Integer, List<Candidate>> prior = new TreeMap<>();
        for (int constraint = PamArchitecture.leastGmacs();
                constraint <= PamArchitecture.largestGmacs();
                constraint++) {
            List<PamPath> allowed = new ArrayList<>(pool.getOrDefault(constraint - 1, List.of()));
            allowed.addAll(pool.getOrDefault(constraint, List.of()));
            prior.put(constraint, vote(allowed, error));
        }
        return new PathPrior(prior);
    }

    /** Per constraint C, paths that cost more than C - 1 GMACs and at most C, without repetition. */
    static Map<Integer, List<PamPath>> pool(int paths, long seed) {
        Map<Integer, List<PamPath>> strata = new TreeMap<>();
        for (int bits = 0; bits <= PamPath.KEEP_ALL.bits(); bits++) {
            PamPath path = new PamPath(bits);
            strata.computeIfAbsent(path.leastGmacs(), constraint -> new ArrayList<>())
                    .add(path);
        }
        strata.replaceAll((constraint, all) -> {
            Collections.shuffle(all, new Random(seed + constraint));
            return List.copyOf(all.subList(0, Math.min(paths, all.size())));
        });
        return strata;
    }

    private static List<Candidate> vote(List<PamPath> allowed, Map<PamPath, double[]> error) {
        int images = error.get(allowed.get(0)).length;
        Map<Integer, Integer> count = new TreeMap<>();
        for (int image = 0; image < images; image++) {
            int i = image;
            PamPath best = Collections.min(allowed, Comparator.comparingDouble(path -> error.get(path)[i]));
            count.merge(best.bits(), 1, Integer::sum);
        }
        return count.entrySet().stream()
                .map(entry -> new Candidate(entry.getKey(), (double) entry.getValue() / images))
                .sorted(Comparator.comparingDouble(Candidate::probability)
                        .reversed()
                        .thenComparing(Candidate::path))
                .toList();
    }

    /**
     * Draws paths for a constraint without repetition, by their probability.
     *
     * @param among only the most probable ones are drawn from
     * @param count fewer if there are not so many
     */
    public List<PamPath> draw(int constraint, int among, int count, RandomGenerator random) {
        List<Candidate> left = new ArrayList<>(byConstraint.get(constraint));
        left.subList(Math.min(among, left.size()), left.size()).clear();
        List<PamPath> drawn = new ArrayList<>();
        while (drawn.size() < count && !left.isEmpty()) {
            double at = random.nextDouble()
                    * left.stream().mapToDouble(Candidate::probability).sum();
            int i = 0;
            while (i < left.size() - 1 && (at -= left.get(i).probability) >= 0) {
                i++;
            }
            drawn.add(new PamPath(left.remove(i).path));
        }
        return drawn;
    }

    /** A random path that costs at most C GMACs and more than C - 2. */
    public static PamPath near(int constraint, SplittableRandom random) {
        while (true) {
            PamPath path = random(random);
            int needed = path.leastGmacs();
            if (needed == constraint || needed == constraint - 1) {
                return path;
            }
        }
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
