package org.jmatte.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jmatte.InvalidInputException;

/**
 * Pictures that belong together: one folder per role, matched by base name.
 *
 * @param samples those that are there in every role, by name
 * @param incomplete a line for each of the others
 * @param files all pictures
 */
record DataSet(List<Sample> samples, List<String> incomplete, Collection<Path> files) {
    /** What pictures of a folder are. */
    enum Role {
        IMAGE,
        TRIMAP,
        TRUTH,
        PREDICTION;

        String plural() {
            return Main.word(this) + "s";
        }

        /** The option that names the folder. */
        String flag() {
            return this == PREDICTION ? "--predictions" : "--" + Main.word(this) + "-dir";
        }
    }

    /** Pictures of one name. */
    record Sample(String name, Map<Role, Path> files) {
        /** The picture of a role, or null if the data set has not that role. */
        Path file(Role role) {
            return files.get(role);
        }
    }

    DataSet {
        samples = List.copyOf(samples);
        incomplete = List.copyOf(incomplete);
        files = List.copyOf(files);
    }

    /**
     * Matches the pictures of some folders.
     *
     * @throws InvalidInputException if there are no pictures, or two of one name in a folder
     */
    static DataSet of(Map<Role, Path> folders) {
        Map<Role, SortedMap<String, Path>> pictures = new EnumMap<>(Role.class);
        SortedSet<String> names = new TreeSet<>();
        List<Path> all = new ArrayList<>();
        folders.forEach((role, folder) -> {
            SortedMap<String, Path> found = PictureFiles.of(folder, file -> true);
            pictures.put(role, found);
            names.addAll(found.keySet());
            all.addAll(found.values());
        });
        if (names.isEmpty()) {
            throw new InvalidInputException("expected pictures (" + PictureFiles.extensions() + "), found none in "
                    + folders.values().stream().map(Path::toString).collect(Collectors.joining(", ")));
        }
        List<Sample> samples = new ArrayList<>();
        List<String> incomplete = new ArrayList<>();
        for (String name : names) {
            Map<Role, Path> files = new EnumMap<>(Role.class);
            pictures.forEach((role, found) -> files.computeIfAbsent(role, any -> found.get(name)));
            if (files.size() == folders.size()) {
                samples.add(new Sample(name, files));
            } else {
                incomplete.add(lack(name, files, folders));
            }
        }
        return new DataSet(samples, incomplete, all);
    }

    private static String lack(String name, Map<Role, Path> files, Map<Role, Path> folders) {
        return folders.keySet().stream()
                .filter(role -> !files.containsKey(role))
                .map(role -> "no " + Main.word(role) + " " + name + ".* in " + folders.get(role))
                .collect(Collectors.joining(" and ", files.values().iterator().next() + ": there is ", ""));
    }
}
