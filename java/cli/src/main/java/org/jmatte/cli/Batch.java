package org.jmatte.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.function.Function;
import org.jmatte.InvalidInputException;

/**
 * The pairs of two folders, matched by base name: the path inside the folder, without extension.
 *
 * @param jobs pairs to be matted, by name
 * @param finished pairs all of whose outputs exist already
 * @param unmatched a line for each file that lacks its partner
 * @param kept files that must stay: all pictures of both folders, and finished outputs
 */
record Batch(List<Job> jobs, int finished, List<String> unmatched, Collection<Path> kept) {
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
     * @param outputs the files that make a job finished if all of them exist; none if it is to be done anyway
     * @throws InvalidInputException if there are no photos, two of one name, or the results would go among the inputs
     */
    static Batch of(Path images, Path trimaps, Path out, AlphaFile kind, Function<Job, List<Path>> outputs) {
        Path results = Outputs.real(out);
        if (results.equals(Outputs.real(images)) || results.equals(Outputs.real(trimaps))) {
            throw new InvalidInputException(
                    "--out: " + out + " is also a folder of inputs, which would be overwritten; choose another one");
        }
        SortedMap<String, Path> photos = pictures(images, results);
        SortedMap<String, Path> maps = pictures(trimaps, results);
        if (photos.isEmpty()) {
            throw new InvalidInputException("--image: expected a folder with pictures (" + PictureFiles.extensions()
                    + "), found none in " + images);
        }
        List<Path> kept = new ArrayList<>(photos.values());
        kept.addAll(maps.values());
        List<Job> jobs = new ArrayList<>();
        List<String> unmatched = new ArrayList<>();
        int finished = 0;
        for (String name : photos.keySet()) {
            if (!maps.containsKey(name)) {
                unmatched.add(photos.get(name) + ": there is no trimap " + name + ".* in " + trimaps);
                continue;
            }
            Job job = new Job(name, photos.get(name), maps.get(name), out.resolve(name + "." + Main.word(kind)));
            List<Path> files = outputs.apply(job);
            if (!files.isEmpty() && files.stream().allMatch(Files::isRegularFile)) {
                finished++;
                kept.addAll(files);
            } else {
                jobs.add(job);
            }
        }
        maps.keySet().removeAll(photos.keySet());
        maps.forEach((name, file) -> unmatched.add(file + ": there is no photo " + name + ".* in " + images));
        return new Batch(jobs, finished, unmatched, kept);
    }

    /** The pictures of a folder by name, but for results inside it. */
    private static SortedMap<String, Path> pictures(Path folder, Path results) {
        boolean around = Outputs.real(folder).startsWith(results);
        return PictureFiles.of(folder, file -> around || !Outputs.real(file).startsWith(results));
    }
}
