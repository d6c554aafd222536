package org.jmatte.train;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import org.jmatte.image.AtomicFile;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * A table of numbers that grows while a training runs: a CSV file, and a curve of its columns over the first one. Rows are
 * in the order of their first column; continuing an interrupted training drops the rows behind the point it starts from.
 */
public final class TrainingLog {
    private final Path file;
    private final List<String> columns;
    private final List<double[]> rows = new ArrayList<>();

    /** Opens a log; an existing file's rows are kept as far as their first column is at most {@code last}. */
    public TrainingLog(Path file, List<String> columns, double last) {
        this.file = file;
        this.columns = List.copyOf(columns);
        if (Files.exists(file)) {
            read(last);
        }
        write();
    }

    private void read(double last) {
        try {
            for (String line : Files.readAllLines(file).stream().skip(1).toList()) {
                String[] cells = line.split(",", -1);
                if (cells.length != columns.size()) {
                    continue; // cut short by a kill
                }
                double[] row = new double[cells.length];
                for (int i = 0; i < row.length; i++) {
                    row[i] = cells[i].isEmpty() ? Double.NaN : Double.parseDouble(cells[i]);
                }
                if (row[0] <= last) {
                    rows.add(row);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": the log cannot be read", e);
        }
    }

    private void write() {
        AtomicFile.write(file, temporary -> {
            try (BufferedWriter out = Files.newBufferedWriter(temporary)) {
                out.write(String.join(",", columns) + "\n");
                for (double[] row : rows) {
                    out.write(line(row));
                }
            }
        });
    }

    /** Adds a row, at once in the file; NaN is an empty cell. */
    public void add(double... row) {
        if (row.length != columns.size()) {
            throw new IllegalArgumentException("expected " + columns.size() + " columns, got " + row.length);
        }
        rows.add(row);
        try {
            Files.writeString(file, line(row), StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": the log cannot be written", e);
        }
    }

    private static String line(double[] row) {
        return DoubleStream.of(row)
                        .mapToObj(value -> Double.isNaN(value)
                                ? ""
                                : value == Math.rint(value) && Math.abs(value) < 1e15
                                        ? Long.toString((long) value)
                                        : String.format(Locale.ROOT, "%.6g", value))
                        .collect(Collectors.joining(","))
                + "\n";
    }

    /** Draws some columns over the first one as a PNG with a logarithmic axis. */
    public void draw(Path png, String title, List<String> curves) {
        XYChart chart = new XYChartBuilder()
                .width(900)
                .height(500)
                .title(title)
                .xAxisTitle(columns.get(0))
                .build();
        chart.getStyler().setYAxisLogarithmic(true);
        Map<String, double[][]> series = new LinkedHashMap<>();
        for (String curve : curves) {
            int column = columns.indexOf(curve);
            List<double[]> points = rows.stream()
                    .filter(row -> row[column] > 0)
                    .map(row -> new double[] {row[0], row[column]})
                    .toList();
            if (!points.isEmpty()) {
                series.put(curve, points.toArray(double[][]::new));
            }
        }
        if (series.isEmpty()) {
            return;
        }
        series.forEach((curve, points) ->
                chart.addSeries(curve, column(points, 0), column(points, 1)).setMarker(SeriesMarkers.NONE));
        AtomicFile.write(
                png,
                temporary ->
                        Files.write(temporary, BitmapEncoder.getBitmapBytes(chart, BitmapEncoder.BitmapFormat.PNG)));
    }

    private static double[] column(double[][] points, int column) {
        return Arrays.stream(points).mapToDouble(point -> point[column]).toArray();
    }
}
