package org.jmatte.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.LaunchProfile;
import org.jmatte.kernels.PlanningDevice;
import org.junit.jupiter.api.Test;

/**
 * FLOPs and bytes that the wrappers count for MEMatte S, against the least that its stages need. Where they differ by more
 * than a tenth, the table in {@code kernels/README.md} says why; its numbers are checked here.
 */
class CountedWorkTest {
    private static final double MOST_DIFFERENCE = 0.1;
    private static final String BEGIN = "<!-- table of CountedWorkTest -->";
    private static final String END = "<!-- end of the table -->";

    private record Work(double flops, double bytes) {}

    /** Counted work by stage, of calls that a card with this many multiprocessors would get. */
    private static Map<String, Work> counted(int height, int width) {
        Map<String, Work> stages = new LinkedHashMap<>();
        try (Device device = new PlanningDevice(86, 68)) {
            for (KernelCall call : MematteCalls.of(height, width, 0.25, ElementType.FP16)) {
                try (Inputs inputs = new Inputs(device);
                        LaunchProfile profile = LaunchProfile.counting(device)) {
                    call.preparation().prepare(inputs).accept(device.defaultStream());
                    Work work = new Work(profile.flops(), profile.bytes());
                    stages.merge(call.stage(), work, (a, b) -> new Work(a.flops + b.flops, a.bytes + b.bytes));
                }
            }
        }
        return stages;
    }

    private record Least(double flops, double ideal, double plain) {}

    private static Map<String, Least> least(String photo) throws IOException {
        Map<String, Least> stages = new LinkedHashMap<>();
        try (InputStream in = CountedWorkTest.class.getResourceAsStream("/roofline/mematte_s.csv")) {
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList()) {
                String[] values = line.split(",");
                if (values[0].equals(photo)) {
                    double flops = 2 * Double.parseDouble(values[2]) + Double.parseDouble(values[3]);
                    stages.put(
                            values[1], new Least(flops, Double.parseDouble(values[4]), Double.parseDouble(values[5])));
                }
            }
        }
        return stages;
    }

    /** The README's rows by stage: what is counted over the least FLOPs, ideal bytes and plain bytes; and why. */
    private static Map<String, String[]> explained() throws IOException {
        String readme = Files.readString(Path.of("../kernels/README.md"));
        Map<String, String[]> rows = new LinkedHashMap<>();
        int from = readme.indexOf(BEGIN);
        for (String line : readme.substring(from, readme.indexOf(END, from))
                .lines()
                .skip(3)
                .toList()) {
            String[] cells = line.split("\\|", -1);
            rows.put(
                    cells[1].strip(),
                    new String[] {cells[2].strip(), cells[3].strip(), cells[4].strip(), cells[5].strip()});
        }
        return rows;
    }

    private static String ratio(double counted, double least) {
        return least == 0 ? "-" : String.format(Locale.ROOT, "%.2f", counted / least);
    }

    private static boolean near(double counted, double least) {
        return Math.abs(counted - least) <= MOST_DIFFERENCE * least;
    }

    @Test
    void flopsAreTheNetworks() throws IOException {
        forEachStage(
                1024,
                1024,
                (stage, counted, least) -> assertTrue(
                        near(counted.flops, least.flops),
                        stage + ": " + counted.flops + " FLOPs, least " + least.flops));
        forEachStage(
                2160,
                3840,
                (stage, counted, least) -> assertTrue(
                        near(counted.flops, least.flops),
                        stage + ": " + counted.flops + " FLOPs, least " + least.flops));
    }

    @Test
    void bytesAreTheLeastOrExplained() throws IOException {
        Map<String, String[]> explained = explained();
        forEachStage(
                1024,
                1024,
                (stage, counted, least) ->
                        assertTrue(near(counted.bytes, least.ideal) || !explained.get(stage)[3].isEmpty(), stage));
        List<String> expected = new ArrayList<>();
        List<String> got = new ArrayList<>();
        forEachStage(2160, 3840, (stage, counted, least) -> {
            String[] row = explained.get(stage);
            expected.add(String.join(
                    " | ",
                    stage,
                    ratio(counted.flops, least.flops),
                    ratio(counted.bytes, least.ideal),
                    ratio(counted.bytes, least.plain)));
            got.add(stage + " | " + row[0] + " | " + row[1] + " | " + row[2]);
            assertTrue(near(counted.bytes, least.ideal) || !row[3].isEmpty(), stage + " needs its reason");
        });
        assertEquals(String.join("\n", expected), String.join("\n", got), "the table in kernels/README.md");
    }

    private interface Stage {
        void accept(String stage, Work counted, Least least);
    }

    private static void forEachStage(int height, int width, Stage stage) throws IOException {
        Map<String, Work> counted = counted(height, width);
        Map<String, Least> least = least(height + "x" + width);
        assertEquals(List.copyOf(least.keySet()), List.copyOf(counted.keySet()));
        least.forEach((name, l) -> stage.accept(name, counted.get(name), l));
    }
}
