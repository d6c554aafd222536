package org.jmatte.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jmatte.InvalidInputException;

/** What the folders of a matting data set are called, in any case; of several that are there, the first counts. */
enum Layout {
    /** Composed with the authors' script. */
    COMPOSITION_1K(List.of("merged"), List.of("trimaps"), List.of("alpha_copy")),
    AIM_500(List.of("original"), List.of("trimap"), List.of("mask")),
    DISTINCTIONS_646,
    TRANSPARENT_460,
    SIMD,
    /** Also known as UHRIM. */
    UHR_395,
    /** Any other data set. */
    BY_NAME;

    private static final int DEPTH = 2; // such as Test/merged

    private final List<String> images;
    private final List<String> trimaps;
    private final List<String> truths;

    Layout() {
        this(
                List.of("merged", "original", "image", "images", "img", "input"),
                List.of("trimap", "trimaps"),
                List.of("alpha_copy", "alpha", "alphas", "mask", "masks", "gt", "truth"));
    }

    Layout(List<String> images, List<String> trimaps, List<String> truths) {
        this.images = images;
        this.trimaps = trimaps;
        this.truths = truths;
    }

    /**
     * Finds the folder of a role, in the data set's own folder or one below.
     *
     * @throws InvalidInputException if there is none, or it is not clear which
     */
    Path folder(DataSet.Role role, Path data) {
        List<Path> folders = folders(data);
        for (String name : names(role)) {
            List<Path> found = folders.stream()
                    .filter(folder -> folder.getFileName().toString().equalsIgnoreCase(name))
                    .toList();
            if (found.size() > 1 && found.get(0).getNameCount() == found.get(1).getNameCount()) {
                throw new InvalidInputException(data + ": expected one folder of " + role.plural() + ", got "
                        + found.get(0) + " and " + found.get(1) + "; give the folder around one of them as --data, or "
                        + role.flag());
            }
            if (!found.isEmpty()) {
                return found.get(0);
            }
        }
        String present = folders.stream()
                .map(folder -> data.relativize(folder).toString())
                .collect(Collectors.joining(", "));
        throw new InvalidInputException(data + ": expected a folder of " + role.plural() + " called "
                + String.join(" or ", names(role)) + ", got " + (present.isEmpty() ? "no folders" : present)
                + "; name it with " + role.flag()
                + (role == DataSet.Role.TRIMAP ? ", or score --predictions over the --whole" : ""));
    }

    private List<String> names(DataSet.Role role) {
        return switch (role) {
            case IMAGE -> images;
            case TRIMAP -> trimaps;
            case TRUTH -> truths;
            case PREDICTION -> List.of();
        };
    }

    /** Folders below another, those less deep first. */
    private static List<Path> folders(Path data) {
        try (Stream<Path> found = Files.walk(data, DEPTH)) {
            return found.filter(path -> !path.equals(data) && Files.isDirectory(path))
                    .sorted(Comparator.comparingInt(Path::getNameCount).thenComparing(Comparator.naturalOrder()))
                    .toList();
        } catch (IOException e) {
            throw new InvalidInputException(
                    "--data: expected the folder of a data set, got " + data + " (" + e + ")", e);
        }
    }
}
