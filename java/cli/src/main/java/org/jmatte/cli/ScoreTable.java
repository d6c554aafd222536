package org.jmatte.cli;

import java.util.Locale;
import java.util.stream.Stream;

/** Prints an evaluation: a line per image, the mean, and published figures. */
final class ScoreTable {
    private static final String NONE = "-";

    private final StringBuilder text = new StringBuilder();
    private final String form;

    /** @param names of all lines */
    private ScoreTable(Stream<String> names) {
        form = "%-" + names.mapToInt(String::length).max().orElseThrow() + "s %9s %10s %9s %9s %8s %9s%n";
    }

    /** The table, or nothing if nothing was scored. */
    static String of(Evaluation.Report report) {
        if (report.images().isEmpty()) {
            return "";
        }
        Evaluation.Mean mean = report.mean();
        String meanName = "mean of " + mean.images();
        Stream<String> measured =
                Stream.concat(Stream.of(meanName), report.images().stream().map(Evaluation.Row::name));
        ScoreTable table = new ScoreTable(
                Stream.concat(measured, report.published().stream().map(Published::network)));
        table.line("", "SAD", "MSE x 1000", "Grad", "Conn", "seconds", "peak MiB");
        for (Evaluation.Row row : report.images()) {
            table.line(row.name(), row.scores(), row.seconds(), row.peakBytes());
        }
        table.line(meanName, mean.scores(), mean.seconds(), mean.peakBytes());
        for (Published published : report.published()) {
            table.line(published.network(), published.scores(), null, null);
        }
        report.published().stream().map(Published::source).distinct().forEach(table::source);
        return table.text.toString();
    }

    private void line(String name, Scores scores, Double seconds, Long peakBytes) {
        line(
                name,
                fixed(scores.sad()),
                fixed(scores.mseX1000()),
                fixed(scores.grad()),
                fixed(scores.conn()),
                seconds == null ? NONE : fixed(seconds),
                peakBytes == null ? NONE : Long.toString(peakBytes >> 20));
    }

    private void line(Object... cells) {
        text.append(String.format(Locale.ROOT, form, cells));
    }

    private void source(String source) {
        text.append("published: ").append(source).append(System.lineSeparator());
    }

    private static String fixed(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}
