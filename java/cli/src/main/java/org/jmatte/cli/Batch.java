package org.jmatte.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
 */
record Batch(List<Job> jobs, int finished, List<String> unmatched) {
    private static final Set<String> EXTENSIONS = Set.of("png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp", "gif");

    Batch {
        jobs = List.copyOf(jobs);
        unmatched = List.copyOf(unmatched);
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
        if (real(out).equals(real(images)) || real(out).equals(real(trimaps))) {
            throw new InvalidInputException(
                    "--out: " + out + " is also a folder of inputs, which would be overwritten; choose another one");
        }
        SortedMap<String, Path> photos = pictures(images, out);
        SortedMap<String, Path> maps = pictures(trimaps, out);
        if (photos.isEmpty()) {
            throw new InvalidInputException("--image: expected a folder with pictures ("
                    + String.join(", ", new TreeSet<>(EXTENSIONS)) + "), found none in " + images);
        }
        List<Job> jobs = new ArrayList<>();
        List<String> unmatched = new ArrayList<>();
        int finished = 0;
        for (String name : photos.keySet()) {
            Path target = out.resolve(name + "." + Main.word(kind));
            if (!maps.containsKey(name)) {
                unmatched.add(photos.get(name) + ": there is no trimap " + name + ".* in " + trimaps);
            } else if (!overwrite && Files.isRegularFile(target)) {
                finished++;
            } else {
                jobs.add(new Job(name, photos.get(name), maps.get(name), target));
            }
        }
        maps.keySet().removeAll(photos.keySet());
        maps.forEach((name, file) -> unmatched.add(file + ": there is no photo " + name + ".* in " + images));
        return new Batch(jobs, finished, unmatched);
    }

    private static SortedMap<String, Path> pictures(Path folder, Path except) {
        SortedMap<String, Path> found = new TreeMap<>();
        Path outputs = real(except);
        try (Stream<Path> files = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            files.filter(file -> isPicture(file) && !real(file).startsWith(outputs))
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

    private static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException e) { // does not exist yet
            return path.toAbsolutePath().normalize();
        }
    }
}
