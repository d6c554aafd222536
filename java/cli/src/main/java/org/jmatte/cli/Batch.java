package org.jmatte.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jmatte.InvalidInputException;

/**
 * The pairs of two folders, matched by base name: the path inside the folder, without extension.
 *
 * @param jobs pairs to be matted, by name
 * @param finished pairs whose output exists already
 * @param unmatched a line for each file that lacks its partner
 * @param kept files that must stay: all pictures of both folders, and finished outputs
 */
record Batch(List<Job> jobs, int finished, List<String> unmatched, Collection<Path> kept) {
    private static final Set<String> EXTENSIONS = Set.of("png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp", "gif");

    Batch {
        jobs = List.copyOf(jobs);
        unmatched = List.copyOf(unmatched);
        kept = List.copyOf(kept);
    }

    /**
     * Pairs photos with trimaps.
     *
     * @param images folder of photos; nested folders are searched too, hidden files and other types are ignored
     * @param trimaps folder of trimaps
     * @param out folder of the results, which need not exist
     * @param kind of file to be written
     * @param overwrite whether outputs that exist are made again
     * @throws InvalidInputException if there are no photos, two of one name, or the results would go among the inputs
     */
    static Batch of(Path images, Path trimaps, Path out, AlphaFile kind, boolean overwrite) {
        Path results = Outputs.real(out);
        if (results.equals(Outputs.real(images)) || results.equals(Outputs.real(trimaps))) {
            throw new InvalidInputException(
                    "--out: " + out + " is also a folder of inputs, which would be overwritten; choose another one");
        }
        SortedMap<String, Path> photos = pictures(images, results);
        SortedMap<String, Path> maps = pictures(trimaps, results);
        if (photos.isEmpty()) {
            throw new InvalidInputException("--image: expected a folder with pictures ("
                    + String.join(", ", new TreeSet<>(EXTENSIONS)) + "), found none in " + images);
        }
        List<Path> kept = new ArrayList<>(photos.values());
        kept.addAll(maps.values());
        List<Job> jobs = new ArrayList<>();
        List<String> unmatched = new ArrayList<>();
        int finished = 0;
        for (String name : photos.keySet()) {
            Path target = out.resolve(name + "." + Main.word(kind));
            if (!maps.containsKey(name)) {
                unmatched.add(photos.get(name) + ": there is no trimap " + name + ".* in " + trimaps);
            } else if (!overwrite && Files.isRegularFile(target)) {
                finished++;
                kept.add(target);
            } else {
                jobs.add(new Job(name, photos.get(name), maps.get(name), target));
            }
        }
        maps.keySet().removeAll(photos.keySet());
        maps.forEach((name, file) -> unmatched.add(file + ": there is no photo " + name + ".* in " + images));
        return new Batch(jobs, finished, unmatched, kept);
    }

    /** The pictures of a folder by name, but for results inside it. */
    private static SortedMap<String, Path> pictures(Path folder, Path results) {
        SortedMap<String, Path> found = new TreeMap<>();
        boolean around = Outputs.real(folder).startsWith(results);
        try (Stream<Path> files = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            files.filter(file ->
                            isPicture(file) && (around || !Outputs.real(file).startsWith(results)))
                    .sorted()
                    .forEach(file -> {
                        Path other = found.putIfAbsent(Job.name(folder, file), file);
                        if (other != null) {
                            throw new InvalidInputException(other + " and " + file
                                    + " have the same base name, which must be unique; rename or move one of them");
                        }
                    });
        } catch (IOException | UncheckedIOException e) {
            throw new InvalidInputException(
                    folder + ": the folder cannot be listed (" + e.getMessage() + "); check its permissions", e);
        }
        return found;
    }

    private static boolean isPicture(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        int dot = name.lastIndexOf('.');
        return dot > 0
                && !name.startsWith(".")
                && EXTENSIONS.contains(name.substring(dot + 1))
                && Files.isRegularFile(file);
    }
}
