package org.jmatte.cli;

import java.util.Locale;
import java.util.stream.Stream;

/** Prints an evaluation: a line per image, the mean, and published figures. */
final class ScoreTable {
    private static final String NONE = "-";

    private final StringBuilder text = new StringBuilder();
    private final String form;

    private ScoreTable(Evaluation.Report report) {
        int longest = Stream.concat(
                        report.images().stream().map(Evaluation.Row::name),
                        report.published().stream().map(Published::network))
                .mapToInt(String::length)
                .max()
                .orElse(0);
        form = "%-" + Math.max(longest, "mean of 10000".length()) + "s %9s %10s %9s %9s %8s %9s%n";
    }

    /** The table, or nothing if nothing was scored. */
    static String of(Evaluation.Report report) {
        if (report.images().isEmpty()) {
            return "";
        }
        ScoreTable table = new ScoreTable(report);
        table.line("", "SAD", "MSE x 1000", "Grad", "Conn", "seconds", "peak MiB");
        for (Evaluation.Row row : report.images()) {
            table.line(row.name(), row.scores(), row.seconds(), row.peakBytes());
        }
        Evaluation.Mean mean = report.mean();
        table.line("mean of " + mean.images(), mean.scores(), mean.seconds(), mean.peakBytes());
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
