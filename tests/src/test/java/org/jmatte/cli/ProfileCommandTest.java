package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class ProfileCommandTest {
    private static final Pattern MILLISECONDS = Pattern.compile("^\\S.*?  +(?:\\d+ +)?(\\d+\\.\\d{3}) +\\d+\\.\\d %");
    private static final double NANO = 1e-3; // microseconds

    @TempDir
    private Path folder;

    // ---------------------------------------------------------------- the table

    /** Milliseconds of the table's rows, in their order. */
    private static List<Double> milliseconds(String table) {
        List<Double> rows = new ArrayList<>();
        for (String line : table.lines().toList()) {
            Matcher row = MILLISECONDS.matcher(line);
            if (row.find()) {
                rows.add(Double.parseDouble(row.group(1)));
            }
        }
        return rows;
    }

    private static double outside(List<Double> rows) {
        return rows.get(rows.size() - 2);
    }

    private static double total(List<Double> rows) {
        return rows.get(rows.size() - 1);
    }

    @ParameterizedTest
    @CsvSource({"seeded:mematte_tiny,384x384,8", "seeded:vitmatte_tiny,384x384,5", "seeded:pam --gmacs=60,320x256,12"})
    void operatorsOfTheProcessorAddUpToTheWallTime(String model, String size, int operators) {
        List<Double> rows = List.of();
        for (int attempt = 0; attempt < 3 && (attempt == 0 || outside(rows) > 0.05 * total(rows)); attempt++) {
            List<Object> arguments = new ArrayList<>(List.of("profile", "--backend=cpu", "--size=" + size, "--model"));
            arguments.addAll(List.of(model.split(" ")));
            rows = milliseconds(CommandLineRun.of(arguments.toArray()).done().out());
        }
        assertTrue(rows.size() >= operators + 2, rows.toString());
        double sum = rows.subList(0, rows.size() - 2).stream()
                .mapToDouble(Double::doubleValue)
                .sum();
        assertEquals(total(rows), sum + outside(rows), 0.02);
        assertTrue(outside(rows) >= 0 && outside(rows) <= 0.05 * total(rows), rows.toString());
    }

    @Test
    void theEmulatorsTimesAreSaidToBeTheHosts() {
        String out = CommandLineRun.of("profile", "--model=seeded:vitmatte_tiny", "--size=32x48", "--backend=emulated")
                .done()
                .out();
        List<String> lines = out.lines().toList();
        assertTrue(lines.get(0).matches("vitmatte_tiny 32x48 fp32 emulated: .* s, peak .* MB .*"), lines.get(0));
        assertTrue(lines.get(1).startsWith("kernel "), lines.get(1));
        assertTrue(out.contains("\ngemm ") && out.contains("\nwindow_attention "), out);
        assertTrue(lines.get(lines.size() - 1).contains("the host's own"), out);
        List<Double> rows = milliseconds(out);
        assertTrue(outside(rows) >= 0 && outside(rows) < total(rows), rows.toString());
    }

    @Test
    void aBenchmarkEndsWithTheTable() {
        List<String> lines = CommandLineRun.of(
                        "bench",
                        "--model=seeded:vitmatte_tiny",
                        "--size=32x48",
                        "--backend=emulated",
                        "--profile",
                        "--runs=1")
                .done()
                .out()
                .lines()
                .toList();
        assertTrue(lines.get(0).startsWith("vitmatte_tiny 32x48 fp32 emulated: "), lines.get(0));
        assertTrue(lines.get(1).matches("kernel +calls +ms +share +GFLOP +MB +GFLOP/s +GB/s +roofline"), lines.get(1));
    }

    // ---------------------------------------------------------------- the trace

    @ParameterizedTest
    @CsvSource({"cpu,seeded:pam", "emulated,seeded:mematte_tiny"})
    void theTraceIsInTheTraceEventFormat(String backend, String model) throws Exception {
        Path trace = folder.resolve("trace.json");
        CommandLineRun.of(
                        "profile",
                        "--model=" + model,
                        "--size=64x96",
                        "--backend=" + backend,
                        "--threads=2",
                        "--trace",
                        trace)
                .done();
        JsonNode events = new ObjectMapper().readTree(trace.toFile()).get("traceEvents");
        Set<String> categories = new HashSet<>();
        Set<String> namedProcesses = new HashSet<>();
        Set<String> processes = new HashSet<>();
        List<JsonNode> spans = new ArrayList<>();
        for (JsonNode event : events) {
            String text = event.toString();
            assertTrue(event.get("name").isTextual() && event.get("cat").isTextual(), text);
            assertTrue(event.get("pid").isInt() && event.get("tid").isInt(), text);
            assertTrue(event.get("ts").isNumber() && event.get("args").isObject(), text);
            switch (event.get("ph").asText()) {
                case "X" -> {
                    assertTrue(
                            event.get("ts").asDouble() >= 0 && event.get("dur").asDouble() >= 0, text);
                    spans.add(event);
                    processes.add(event.get("pid").asText());
                }
                case "C" -> {
                    assertTrue(event.at("/args/weights").asLong() > 0, text);
                    assertTrue(event.at("/args/activations").isIntegralNumber(), text);
                }
                case "M" -> {
                    assertTrue(event.at("/args/name").isTextual(), text);
                    if (event.get("name").asText().equals("process_name")) {
                        namedProcesses.add(event.get("pid").asText());
                    }
                }
                default -> throw new AssertionError("no kind of event that is written: " + text);
            }
            categories.add(event.get("cat").asText());
        }
        assertEquals(
                backend.equals("cpu")
                        ? Set.of("__metadata", "run", "stage", "worker", "memory")
                        : Set.of("__metadata", "run", "stage", "launch", "kernel", "memory"),
                categories);
        assertEquals(processes, namedProcesses);
        requireNesting(spans);
    }

    /** On one thread, a span ends before the next begins or lies within it. */
    private static void requireNesting(List<JsonNode> spans) {
        Comparator<JsonNode> order = Comparator.<JsonNode, String>comparing(span -> thread(span))
                .thenComparing(span -> span.get("ts").asDouble())
                .thenComparing(span -> -span.get("dur").asDouble());
        Deque<JsonNode> open = new ArrayDeque<>();
        for (JsonNode span : spans.stream().sorted(order).toList()) {
            while (!open.isEmpty()
                    && (!thread(open.peek()).equals(thread(span))
                            || end(open.peek()) <= span.get("ts").asDouble() + NANO / 2)) {
                open.pop();
            }
            assertTrue(open.isEmpty() || end(span) <= end(open.peek()) + NANO / 2, () -> span + " within " + open);
            open.push(span);
        }
    }

    private static String thread(JsonNode span) {
        return span.get("pid") + "/" + span.get("tid");
    }

    private static double end(JsonNode span) {
        return span.get("ts").asDouble() + span.get("dur").asDouble();
    }

    // ---------------------------------------------------------------- the page

    private Document page(Path file) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
        return factory.newDocumentBuilder().parse(new InputSource(new StringReader(Files.readString(file))));
    }

    private JsonNode data(Document page) throws Exception {
        NodeList scripts = page.getElementsByTagName("script");
        for (int i = 0; i < scripts.getLength(); i++) {
            Element script = (Element) scripts.item(i);
            if (script.getAttribute("id").equals("data")) {
                return new ObjectMapper().readTree(script.getTextContent());
            }
        }
        throw new AssertionError("a page without data");
    }

    @Test
    void thePageNeedsNothingElse() throws Exception {
        Path photo = Pictures.photo(folder.resolve("it's a photo <&>.png"), 64, 96);
        Path trimap = Pictures.trimap(folder.resolve("trimap.png"), 64, 96);
        Path file = folder.resolve("page.html");
        CommandLineRun.of(
                        "profile",
                        "--model=seeded:mematte_tiny",
                        "--keep=0.5",
                        "--backend=cpu",
                        "--image",
                        photo,
                        "--trimap",
                        trimap,
                        "--html",
                        file)
                .done();
        String text = Files.readString(file);
        assertFalse(text.contains("{{"), "a place of the template was left");
        Matcher reference = Pattern.compile("(?:src|href)=\"(?!data:)[^\"]*\"|url\\(|@import|fetch\\(|XMLHttpRequest")
                .matcher(text);
        assertFalse(reference.find(), () -> reference.group());
        JsonNode data = data(page(file));
        assertEquals("mematte_tiny", data.at("/head/model").asText());
        assertEquals(
                data.at("/head/planned_bytes").asLong(),
                data.at("/head/peak_bytes").asLong());
        assertTrue(data.at("/roofline/bytes_per_second").asDouble() > 0);
        assertEquals(9, data.get("operators").size());
        assertEquals(4, data.at("/routing/routers").size());
        assertEquals(12, data.at("/routing/routers/3/kept").asInt());
        assertTrue(data.at("/pictures/photo").asText().startsWith("data:image/jpeg;base64,"));
        assertTrue(data.at("/routing/routers/0/mask").asText().startsWith("data:image/png;base64,"));
        JsonNode stage = data.at("/stages/1");
        assertEquals("block 0 window attention", stage.get("name").asText());
        assertEquals("window attention", stage.get("operator").asText());
        assertEquals(
                stage.at("/planned/arena_bytes").asLong(),
                stage.get("arena_bytes").asLong());
        String command = data.at("/commands/0/ncu").asText();
        assertTrue(
                command.startsWith("ncu --target-processes all --set full --kernel-name 'regex:^gemm(_|$)'"), command);
        assertTrue(command.contains("it'\\''s a photo <&>.png'"), command);
        assertTrue(command.endsWith(" --backend cuda --warm-up 1"), command);
        assertFalse(command.contains("--html") || command.contains("--backend=cpu"), command);
    }

    @Test
    void everyKernelHasItsCommands() throws Exception {
        Path file = folder.resolve("page.html");
        CommandLineRun.of(
                        "profile",
                        "--model=seeded:pam",
                        "--gmacs=60",
                        "--size=32x32",
                        "--backend=emulated",
                        "--html",
                        file)
                .done();
        JsonNode data = data(page(file));
        assertEquals(data.get("operators").size(), data.get("commands").size());
        assertTrue(data.get("roofline").isNull());
        assertTrue(data.get("routing").isNull());
        assertTrue(data.get("path").asText().matches("[01]{14}"));
        for (JsonNode command : data.get("commands")) {
            String kernel = command.get("kernel").asText();
            assertTrue(command.get("ncu").asText().contains("^" + kernel + "(_|$)"), command.toString());
            assertTrue(command.get("nsys").asText().startsWith("nsys profile --trace cuda --output " + kernel));
        }
    }

    // ---------------------------------------------------------------- refusals

    @Test
    void placesThatCannotBeWrittenAreRefusedBeforeAnyWork() {
        Path trimap = Pictures.trimap(folder.resolve("trimap.png"), 64, 96);
        Path there = Pictures.text(folder.resolve("there.json"), "{}");
        for (String option : List.of("--trace", "--html")) {
            profile(option, folder.resolve("missing").resolve("file")).refused("missing", "does not exist");
            profile(option, folder).refused(folder.toString(), "folder");
            profile(option, there).refused("there.json", "--overwrite");
        }
        profile("--trace", folder.resolve("same"), "--html", folder.resolve("same"))
                .refused("same", "two outputs");
        CommandLineRun.of(
                        "profile",
                        "--model=nowhere.pth",
                        "--image",
                        trimap,
                        "--trimap",
                        trimap,
                        "--overwrite",
                        "--html",
                        trimap)
                .refused("trimap.png", "input");
    }

    /** Of a model that is not there: what is refused is refused before it is opened. */
    private static CommandLineRun profile(Object... files) {
        List<Object> arguments = new ArrayList<>(List.of("profile", "--model=nowhere.pth", "--size=64x64"));
        arguments.addAll(List.of(files));
        return CommandLineRun.of(arguments.toArray());
    }

    @Test
    void eitherFilesOrASize() {
        Path photo = Pictures.photo(folder.resolve("photo.png"), 64, 96);
        CommandLineRun.of("profile", "--model=seeded:pam").refused("--image and --trimap, or --size");
        CommandLineRun.of("profile", "--model=seeded:pam", "--image", photo).refused("--trimap");
        CommandLineRun.of("profile", "--model=seeded:pam", "--image", photo, "--trimap", photo, "--size=64x64")
                .refused("files and a size");
        CommandLineRun.of("profile", "--model=seeded:pam", "--size=64x64", "--warm-up=-1")
                .refused("--warm-up");
    }
}
