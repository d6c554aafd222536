package org.jmatte.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;

/**
 * A benchmark's results, and what they were measured on.
 *
 * @param date the day, {@code 2026-11-22}
 * @param driver the driver's own line about itself
 * @param command what was run
 * @param vendor the library that was measured beside, or none
 * @param emulated whether there was no card: then times mean nothing
 */
record Report(
        String date,
        String device,
        String driver,
        String command,
        String dtype,
        int runs,
        String vendor,
        boolean emulated,
        List<Result> results) {
    private static final String HEADER =
            """
            | part | call | sizes | kernels | us | 10 % to 90 % | GB/s | of a copy | TFLOP/s | of the units | vendor's us | of it |
            |---|---|---|---|---|---|---|---|---|---|---|---|
            """;

    private String table(String photo) {
        StringBuilder table = new StringBuilder(HEADER);
        for (Result r : results) {
            if (r.photo().equals(photo)) {
                table.append(row(r)).append('\n');
            }
        }
        return table.toString();
    }

    private static String row(Result r) {
        String memory = String.format(Locale.ROOT, "%.0f | %.0f %%", r.bytesPerSecond() * 1e-9, 100 * r.shareOfCopy());
        String arithmetic = r.flops() == 0
                ? "- | -"
                : String.format(Locale.ROOT, "%.2f | %.0f %%", r.flopsPerSecond() * 1e-12, 100 * r.shareOfCeiling());
        String vendor = r.vendorMicroseconds() == null
                ? "- | -"
                : String.format(
                        Locale.ROOT, "%.1f | %.2f", r.vendorMicroseconds(), r.microseconds() / r.vendorMicroseconds());
        return String.format(
                Locale.ROOT,
                "| %s | %s | %s | %s | %.1f | %.1f to %.1f | %s | %s | %s |",
                r.stage(),
                r.name(),
                r.shape(),
                r.kernels(),
                r.microseconds(),
                r.low(),
                r.high(),
                memory,
                arithmetic,
                vendor);
    }

    /** What was measured, where and how. */
    private String head() {
        return """
                # GPU kernels%s

                %s, %s, %s. Medians of %d runs by events, each with a cold second-level cache. Bytes and FLOPs are those
                that the call needs at least. A copy within the device moves as many bytes; the units, with all operands in
                registers, are the matrix units for products of fp16 and bf16, else the FMA units. Both were measured in the
                same run, as was the vendor's library: %s, which has the product or convolution alone, without our epilogue.

                    %s
                """
                .formatted(
                        emulated ? ", EMULATED: no card, the times mean nothing" : "",
                        date,
                        driver.isEmpty() ? device : device + ", " + driver,
                        dtype,
                        runs,
                        vendor,
                        command);
    }

    /** The whole report in Markdown. */
    String markdown() {
        StringBuilder text = new StringBuilder(head());
        results.stream().map(Result::photo).distinct().forEach(photo -> text.append("\n## A photo of ")
                .append(photo)
                .append("\n\n")
                .append(table(photo)));
        return text.toString();
    }

    /**
     * Writes {@code <name>.md} and, with all numbers, {@code <name>.json}; neither is ever half-written.
     *
     * @throws IOException if that cannot be done
     */
    void write(Path folder, String name) throws IOException {
        Files.createDirectories(folder);
        replace(folder.resolve(name + ".md"), markdown());
        ObjectMapper json = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
        replace(folder.resolve(name + ".json"), json.writeValueAsString(this) + "\n");
    }

    private static void replace(Path file, String text) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".part");
        Files.writeString(temporary, text);
        Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }
}
