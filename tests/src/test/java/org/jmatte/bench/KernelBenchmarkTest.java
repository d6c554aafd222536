package org.jmatte.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelBenchmarkTest {
    private record Run(int exit, String out, String err) {
        static Run of(String... arguments) {
            StringWriter out = new StringWriter();
            StringWriter err = new StringWriter();
            int exit = KernelBenchmark.run(arguments, new PrintWriter(out, true), new PrintWriter(err, true));
            return new Run(exit, out.toString(), err.toString());
        }
    }

    @Test
    void everyCallRunsOnTheEmulator(@TempDir Path folder) throws IOException {
        Run run = Run.of("--device", "emulated", "--size", "32x64", "--runs", "1", "--out", folder.toString());
        assertEquals("", run.err);
        assertEquals(0, run.exit);
        assertTrue(run.out.contains("EMULATED: no card, the times mean nothing"), run.out);
        assertTrue(run.out.contains("| glob: attention over M | sparse attention | 2 tokens, 6 heads |"), run.out);

        List<Path> files;
        try (var all = Files.list(folder)) {
            files = all.sorted().toList();
        }
        assertEquals(2, files.size(), files.toString());
        String name = files.get(0).getFileName().toString();
        assertTrue(name.matches("\\d{4}-\\d\\d-\\d\\d-kernels-emulated-sm-80-fp16\\.json"), name);
        assertTrue(Files.readString(files.get(1)).contains("## A photo of 32x64"));

        JsonNode report = new ObjectMapper().readTree(files.get(0).toFile());
        assertTrue(report.get("emulated").booleanValue());
        for (JsonNode result : report.get("results")) {
            String what = result.toString();
            assertTrue(result.get("microseconds").doubleValue() > 0, what);
            assertTrue(result.get("low").doubleValue() <= result.get("high").doubleValue(), what);
            assertTrue(result.get("bytes").longValue() > 0, what);
            assertTrue(result.get("copyMicroseconds").doubleValue() > 0, what);
            assertTrue(result.get("ceilingFlops").doubleValue() > 0, what);
        }
        assertTrue(report.get("results").size() > 40, report.get("results").size() + " calls");
    }

    @Test
    void otherTypes() {
        for (String type : List.of("fp32", "bf16")) {
            Run run = Run.of("--device", "emulated", "--size", "32x32", "--dtype", type, "--only", "norm");
            assertEquals("", run.err);
            assertEquals(0, run.exit);
            assertTrue(run.out.contains("layer_norm_" + type), run.out);
        }
    }

    @Test
    void wrongUsageIsRefused() {
        assertRefused("--device: expected gpu, gpu:N or emulated, got tpu", "--device", "tpu");
        assertRefused("--dtype: expected fp16, bf16 or fp32, got int8", "--dtype", "int8");
        assertRefused("--keep: expected 0 to 1, got 1.5", "--keep", "1.5");
        assertRefused("--keep: expected 0 to 1, got NaN", "--keep", "NaN");
        assertRefused("--runs: expected at least 1, got 0", "--runs", "0");
        assertRefused("--size: expected HEIGHTxWIDTH in pixels such as 1024x1024, got 4k", "--size", "4k");
        assertRefused("--size: expected sides of at least 32 pixels, got 8x64", "--size", "64x64,8x64");
        assertRefused("--only: expected text of a call's name, got sort", "--device", "emulated", "--only", "sort");
    }

    private static void assertRefused(String message, String... arguments) {
        Run run = Run.of(arguments);
        assertEquals(2, run.exit);
        assertTrue(run.err.startsWith(message + "\n"), run.err);
    }

    @Test
    void choicesAreConsistent() {
        TokenChoice choice = TokenChoice.random(989, 111);
        assertEquals(111, choice.selected().length);
        for (int rank = 0; rank < 111; rank++) {
            assertEquals(rank, choice.inverse()[choice.selected()[rank]]);
        }
        for (int rank = 0; rank < 989 - 111; rank++) {
            assertEquals(~rank, choice.inverse()[choice.rest()[rank]]);
        }
        assertArrayEquals(choice.selected(), TokenChoice.random(989, 111).selected());
    }

    @Test
    void quantiles() {
        double[] times = {1, 2, 3, 5};
        assertEquals(2.5, EventTimer.quantile(times, 0.5));
        assertEquals(1.3, EventTimer.quantile(times, 0.1), 1e-12);
        assertEquals(5, EventTimer.quantile(times, 1));
        assertEquals(7, EventTimer.quantile(new double[] {7}, 0.9));
    }
}
