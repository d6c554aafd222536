package org.jmatte.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jmatte.InvalidInputException;

/**
 * The results of scoring a data set. With a file, they are on disk after each image, and an evaluation that was stopped
 * goes on from there. Thread-safe.
 */
final class Evaluation {
    /**
     * One image.
     *
     * @param pixels how many were scored
     * @param seconds for the matte; null if it was there before
     * @param peakBytes most bytes that the network had in use; null likewise
     * @param finished when, in ISO 8601
     */
    record Row(
            String name,
            int height,
            int width,
            long pixels,
            Scores scores,
            Double seconds,
            Long peakBytes,
            String finished) {
        Row {
            Objects.requireNonNull(name, "no name");
            Objects.requireNonNull(scores, "no scores");
            Instant.parse(Objects.requireNonNull(finished, "no time"));
        }
    }

    /** All images; seconds and bytes are null where no image has them. */
    record Mean(int images, Scores scores, Double seconds, Long peakBytes) {}

    /**
     * What the file holds.
     *
     * @param settings what the scores depend on
     * @param images by name
     * @param mean null without images
     * @param published what authors say of their networks on this data set
     * @param failed a line for each picture that could not be scored
     */
    record Report(
            Map<String, String> settings,
            List<Row> images,
            Mean mean,
            List<Published> published,
            List<String> failed) {}

    private final Path file;
    private final Map<String, String> settings;
    private final List<Published> published;
    private final SortedMap<String, Row> rows = new TreeMap<>();
    private final List<String> failed = new ArrayList<>();

    /**
     * Begins an evaluation.
     *
     * @param file for the results, or null to keep none
     */
    Evaluation(Path file, Map<String, String> settings, List<Published> published) {
        this.file = file;
        this.settings = settings;
        this.published = published;
    }

    /**
     * Takes over what an earlier run finished, but for images of which a file was changed since, or an output is missing.
     *
     * @param samples those that are to be scored now
     * @param common files that every score depends on
     * @param complete whether the other outputs of a sample are there
     * @throws InvalidInputException if the file holds something else, results of other settings, or of images that are
     *     not to be scored now
     */
    void resume(Collection<DataSet.Sample> samples, Collection<Path> common, Predicate<DataSet.Sample> complete) {
        if (file == null || Files.notExists(file)) {
            return;
        }
        Report before = read();
        requireSettings(before.settings());
        Map<String, Row> finished = new TreeMap<>();
        before.images().forEach(row -> finished.put(row.name(), row));
        for (DataSet.Sample sample : samples) {
            Row row = finished.remove(sample.name());
            if (row != null
                    && complete.test(sample)
                    && isCurrent(row, common)
                    && isCurrent(row, sample.files().values())) {
                rows.put(row.name(), row);
            }
        }
        if (!finished.isEmpty()) {
            throw new InvalidInputException(file + ": holds results of " + finished.size()
                    + " images that are not to be scored now, such as "
                    + finished.keySet().iterator().next()
                    + "; raise --limit, give another file or folder, or --overwrite");
        }
    }

    private Report read() {
        try {
            Report report = Json.read(file, Report.class);
            if (report == null
                    || report.settings() == null
                    || report.images() == null
                    || report.images().contains(null)) {
                throw new IOException("no settings, no images");
            }
            return report;
        } catch (IOException e) {
            throw new InvalidInputException(
                    file + ": expected the report of an earlier run, to go on from there, got something else ("
                            + e.getMessage() + "); give another file or folder, or --overwrite",
                    e);
        }
    }

    private void requireSettings(Map<String, String> before) {
        TreeSet<String> names = new TreeSet<>(settings.keySet());
        names.addAll(before.keySet());
        for (String name : names) {
            String then = before.getOrDefault(name, "none");
            String now = settings.getOrDefault(name, "none");
            if (!now.equals(then)) {
                throw new InvalidInputException(file + ": holds results of other settings: " + name + " was " + then
                        + ", and is " + now + " now; give another file or folder, or --overwrite");
            }
        }
    }

    private static boolean isCurrent(Row row, Collection<Path> files) {
        Instant finished = Instant.parse(row.finished());
        return files.stream().noneMatch(file -> modified(file).isAfter(finished));
    }

    private static Instant modified(Path file) {
        try {
            return Files.getLastModifiedTime(file).toInstant();
        } catch (IOException e) { // whoever reads it will say why
            return Instant.MAX;
        }
    }

    synchronized boolean holds(DataSet.Sample sample) {
        return rows.containsKey(sample.name());
    }

    synchronized void add(Row row) {
        rows.put(row.name(), row);
        write();
    }

    synchronized void fail(String line) {
        failed.add(line);
    }

    synchronized Report report() {
        return new Report(settings, List.copyOf(rows.values()), mean(), published, List.copyOf(failed));
    }

    /** Writes the file, if results are kept. */
    synchronized void write() {
        if (file != null) {
            Outputs.write(Outputs.folder(file), () -> Json.write(report(), file));
        }
    }

    private Mean mean() {
        if (rows.isEmpty()) {
            return null;
        }
        Double bytes = mean(Row::peakBytes);
        return new Mean(
                rows.size(),
                Scores.mean(rows.values().stream().map(Row::scores).toList()),
                mean(Row::seconds),
                bytes == null ? null : Math.round(bytes));
    }

    private Double mean(Function<Row, Number> of) {
        OptionalDouble mean = rows.values().stream()
                .map(of)
                .filter(Objects::nonNull)
                .mapToDouble(Number::doubleValue)
                .average();
        return mean.isPresent() ? Double.valueOf(mean.getAsDouble()) : null;
    }
}
