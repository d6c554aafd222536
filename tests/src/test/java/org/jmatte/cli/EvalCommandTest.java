package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jmatte.image.ImageFiles;
import org.jmatte.image.Trimap;
import org.jmatte.metrics.MattingErrors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EvalCommandTest {
    private static final String MODEL = "seeded:mematte_tiny";

    @TempDir
    Path folder;

    private Path data;
    private Path out;

    @BeforeEach
    void dataSet() {
        data = folder.resolve("data");
        out = folder.resolve("out");
        sample("a", 33, 20, 8);
        sample("b", 20, 47, 16);
    }

    @ParameterizedTest
    @CsvSource({
        "composition-1k, merged, trimaps, alpha_copy, MEMatte-ViTS",
        "aim-500, original, trimap, mask, MEMatte-ViTS",
        "distinctions-646, Test/merged, Test/trimaps, Test/GT, ViTMatte-S",
        "transparent-460, merged, trimap, alpha, AEMatter",
        "simd, image, trimap, alpha, none",
        "uhr-395, images, trimaps, alphas, none"
    })
    void everyLayoutIsFound(String layout, String images, String trimaps, String truths, String published)
            throws IOException {
        move("merged", images);
        move("trimaps", trimaps);
        move("alpha_copy", truths);
        CommandLineRun run = network("--layout", layout).done();
        List<String> lines = run.out().lines().toList();
        assertTrue(lines.get(1).startsWith("a ") && lines.get(2).startsWith("b "), run.out());
        assertTrue(lines.get(3).startsWith("mean of 2 "), run.out());
        assertEquals(!published.equals("none"), run.out().contains(published), run.out());
        assertEquals(!published.equals("none"), run.out().contains("published: github.com/"), run.out());
        assertEquals("2 scored, 0 finished before, 0 failed", lines.get(lines.size() - 1));
    }

    @Test
    void scoresAreThoseOfTheMattesThatAreKept() throws IOException {
        network("--out", out).done();
        JsonNode report = report();
        double sad = 0;
        for (JsonNode row : report.get("images")) {
            String name = row.get("name").asText();
            MattingErrors errors = MattingErrors.between(
                    ImageFiles.alpha(out.resolve(name + ".png")),
                    ImageFiles.alpha(data.resolve("alpha_copy/" + name + ".png")),
                    ImageFiles.trimap(data.resolve("trimaps/" + name + ".png"), Trimap.Values.SNAP));
            JsonNode scores = row.get("scores");
            assertEquals(errors.sad(), scores.get("sad").asDouble());
            assertEquals(1000 * errors.mse(), scores.get("mse_x1000").asDouble());
            assertEquals(errors.grad(), scores.get("grad").asDouble());
            assertEquals(errors.conn(), scores.get("conn").asDouble());
            assertEquals(errors.pixels(), row.get("pixels").asLong());
            assertEquals(name.equals("a") ? 33 * 7 : 20 * 16, errors.pixels());
            assertTrue(
                    row.get("seconds").asDouble() > 0 && row.get("peak_bytes").asLong() > 0, row.toString());
            sad += errors.sad() / 2;
        }
        assertEquals(sad, report.get("mean").get("scores").get("sad").asDouble(), 1e-12);
        Path again = folder.resolve("again.json");
        CommandLineRun run = predictions("--json", again).done();
        assertTrue(run.out().endsWith("2 scored, 0 finished before, 0 failed" + System.lineSeparator()), run.out());
        JsonNode scored = new ObjectMapper().readTree(again.toFile()).get("images");
        for (int i = 0; i < 2; i++) {
            assertEquals(
                    report.get("images").get(i).get("scores"), scored.get(i).get("scores"));
            assertTrue(scored.get(i).get("seconds").isNull(), scored.toString());
        }
    }

    @Test
    void foldersOfAnyName() throws IOException {
        move("merged", "x");
        move("trimaps", "y/y");
        move("alpha_copy", "z");
        network().refused("--image-dir", "merged or original", "x, y, z, y/y");
        network("--layout", "aim-500", "--image-dir", "x").refused("--trimap-dir", "called trimap,");
        network("--image-dir", "x", "--trimap-dir", "y/y", "--truth-dir", "nowhere")
                .refused("--truth-dir", "nowhere");
        network("--image-dir", "x", "--trimap-dir", "y/y", "--truth-dir", "z").done();
        Files.createDirectories(data.resolve("Train/merged"));
        Files.createDirectories(data.resolve("Test/merged"));
        network().refused("Train/merged", "Test/merged", "--data");
    }

    @Test
    void withoutTrimapsAllPixelsAreScored() throws IOException {
        network("--out", out).done();
        move("trimaps", "elsewhere");
        predictions().refused("trimaps", "--whole");
        Path report = folder.resolve("r.json");
        predictions("--whole", "--json", report).done();
        JsonNode row =
                new ObjectMapper().readTree(report.toFile()).get("images").get(0);
        assertEquals(33 * 20, row.get("pixels").asInt());
    }

    @Test
    void aStoppedRunGoesOn() throws IOException {
        assertTrue(network("--out", out, "--limit", 1).done().out().endsWith(summary(1, 0, 0)));
        JsonNode first = report().get("images").get(0);
        assertTrue(network("--out", out).done().out().endsWith(summary(1, 1, 0)));
        assertEquals(2, report().get("images").size());
        assertEquals(first, report().get("images").get(0));
        assertTrue(network("--out", out).done().out().endsWith(summary(0, 2, 0)));
        Files.delete(out.resolve("b.png"));
        assertTrue(network("--out", out).done().out().endsWith(summary(1, 1, 0)));
        assertTrue(Files.exists(out.resolve("b.png")));
        Files.setLastModifiedTime(
                data.resolve("alpha_copy/a.png"), FileTime.from(Instant.now().plusSeconds(5)));
        assertTrue(network("--out", out).done().out().endsWith(summary(1, 1, 0)));
        assertNotEquals(first.get("finished"), report().get("images").get(0).get("finished"));
        assertTrue(network("--out", out, "--overwrite").done().out().endsWith(summary(2, 0, 0)));
    }

    @Test
    void aRunOfOtherSettingsIsNotContinued() throws IOException {
        network("--out", out).done();
        String before = Files.readString(out.resolve("eval.json"));
        network("--out", out, "--whole").refused("eval.json", "whole was false, and is true now");
        network("--out", out, "--max-tokens", 7).refused("maxTokens=18500", "maxTokens=7");
        network("--out", out, "--limit", 1).refused("1 images", "such as b", "--limit");
        eval("--model", MODEL + ":2", "--out", out).refused("model was " + MODEL + ",", MODEL + ":2");
        predictions("--out", out).refused("images was", "none");
        Pictures.text(folder.resolve("other.json"), "{\"a\": 1}");
        network("--json", folder.resolve("other.json")).refused("other.json", "report", "--overwrite");
        assertEquals(before, Files.readString(out.resolve("eval.json")));
        network("--out", out, "--threads", 1).done();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "null", "{", "[]", "\"images\": [null]", "no scores", "no time", "yesterday"})
    void aDamagedReportIsNamed(String damage) throws IOException {
        network("--out", out).done();
        Path report = out.resolve("eval.json");
        String whole = Files.readString(report);
        Files.writeString(
                report,
                switch (damage) {
                    case "\"images\": [null]" -> "{\"settings\": {}, " + damage + "}";
                    case "no scores" -> whole.replace("\"scores\"", "\"pixels\"");
                    case "no time" -> whole.replaceAll("\"finished\" : \"[^\"]*\"", "\"finished\" : null");
                    case "yesterday" -> whole.replaceAll("\"finished\" : \"", "\"finished\" : \"yesterday ");
                    default -> damage;
                });
        String before = Files.readString(report);
        network("--out", out).refused("eval.json", "report of an earlier run", "--overwrite");
        assertEquals(before, Files.readString(report));
        assertTrue(network("--out", out, "--overwrite").done().out().endsWith(summary(2, 0, 0)));
    }

    /** A killed run leaves a whole report, and the next one does the rest. */
    @Test
    @Timeout(120)
    void aKilledRunGoesOn() throws Exception {
        for (int i = 0; i < 80; i++) {
            sample("many" + i, 150, 150, 8);
        }
        Path log = folder.resolve("log.txt");
        Process process = CommandLineRun.start(log, "eval", "--model", MODEL, "--data", data, "--out", out);
        while (process.isAlive() && Pictures.files(out).size() < 4) {
            Thread.sleep(20);
        }
        assertTrue(process.isAlive(), Files.readString(log));
        process.destroy();
        assertEquals(143, process.waitFor(), Files.readString(log));
        assertTrue(Files.readString(log).endsWith("jmatte: interrupted; finished files stay\n"), Files.readString(log));
        int finished = report().get("images").size();
        assertTrue(finished >= 2 && finished < 82, "finished " + finished);
        CommandLineRun run = network("--out", out, "--limit", finished + 1).done();
        assertTrue(run.out().endsWith(summary(1, finished, 0)), run.out());
    }

    @Test
    void whatCannotBeScoredIsNamedAndTheRestDone() throws IOException {
        sample("c", 8, 8, 8);
        Files.delete(data.resolve("trimaps/c.png"));
        sample("d", 8, 8, 8);
        Files.move(data.resolve("alpha_copy/d.png"), data.resolve("alpha_copy/D.png"));
        sample("e", 8, 8, 8);
        Pictures.trimap(data.resolve("trimaps/e.png"), 8, 9);
        sample("f", 8, 8, 8);
        Pictures.photo(data.resolve("alpha_copy/f.png"), 8, 8);
        sample("g", 8, 8, 8);
        Pictures.text(data.resolve("merged/g.jpg"), "no picture");
        CommandLineRun run = network("--out", out);
        assertEquals(1, run.exitCode());
        assertTrue(run.out().endsWith(summary(2, 0, 6)), run.out());
        List<String> lines = run.err().lines().toList();
        assertEquals(6, lines.size(), run.err());
        assertTrue(
                lines.get(0)
                        .endsWith("D.png: there is no image D.* in " + data.resolve("merged") + " and no trimap D.*"
                                + " in " + data.resolve("trimaps")),
                run.err());
        assertTrue(lines.get(1).endsWith("no trimap c.* in " + data.resolve("trimaps")), run.err());
        assertTrue(lines.get(2).contains("no truth d.*"), run.err());
        assertTrue(lines.get(3).contains("trimaps/e.png: expected the size of"), run.err());
        assertTrue(lines.get(3).endsWith("8x8 pixels, got 9x8"), run.err());
        assertTrue(lines.get(4).contains("alpha_copy/f.png: an alpha matte is grey"), run.err());
        assertTrue(lines.get(5).contains("merged/g.jpg"), run.err());
        assertEquals(6, report().get("failed").size());
        assertEquals(2, report().get("images").size());
    }

    @Test
    void placesThatCannotBeWrittenToAreRefusedBeforeTheWork() throws IOException {
        List<String> before = Pictures.files(folder);
        network("--json", folder.resolve("none/r.json")).refused("none", "does not exist");
        network("--json", folder).refused("this is a folder");
        network("--json", data.resolve("merged/a.jpg")).refused("input");
        network("--out", data.resolve("alpha_copy")).refused("input");
        network("--out", data.resolve("merged/a.jpg")).refused("expected a folder");
        assertEquals(before, Pictures.files(folder));
    }

    @Test
    void wrongUsage() {
        eval().refused("--predictions", "--model");
        eval("--model", MODEL, "--predictions", out).refused("mutually exclusive");
        predictions().refused("--predictions", out.toString());
        network("--limit", 0).refused("--limit", "at least 1, got 0");
        predictions("--dtype", "fp16").refused("--dtype", "--predictions", "leave it out");
        predictions("--image-dir", "merged").refused("--image-dir", "--predictions");
        network("--layout", "composition").refused("composition-1k or aim-500", "'composition'");
        data = folder.resolve("nowhere");
        network().refused("--data", "nowhere");
    }

    @Test
    void withinAMemoryBudget() {
        network("--memory-budget", "1GiB").done();
    }

    @Test
    void quietPrintsTheTableAlone() {
        assertFalse(network("--quiet").done().out().contains("finished before"));
    }

    private static String summary(int scored, int before, int failed) {
        return scored + " scored, " + before + " finished before, " + failed + " failed" + System.lineSeparator();
    }

    private CommandLineRun network(Object... more) {
        List<Object> args = new ArrayList<>(List.of("--model", MODEL));
        args.addAll(Arrays.asList(more));
        return eval(args.toArray());
    }

    private CommandLineRun predictions(Object... more) {
        List<Object> args = new ArrayList<>(List.of("--predictions", out));
        args.addAll(Arrays.asList(more));
        return eval(args.toArray());
    }

    private CommandLineRun eval(Object... more) {
        List<Object> args = new ArrayList<>(List.of("eval", "--data", data));
        args.addAll(Arrays.asList(more));
        return CommandLineRun.of(args.toArray());
    }

    private JsonNode report() throws IOException {
        return new ObjectMapper().readTree(out.resolve("eval.json").toFile());
    }

    private void move(String from, String to) throws IOException {
        Path target = data.resolve(to);
        Files.createDirectories(target.getParent());
        if (!from.equals(to)) {
            Files.move(data.resolve(from), target);
        }
    }

    /** A sample as in Composition-1k; the truth rises from left to right, its middle is unknown. */
    private void sample(String name, int height, int width, int bits) {
        Pictures.photo(data.resolve("merged/" + name + ".jpg"), height, width);
        int type = bits == 8 ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_USHORT_GRAY;
        BufferedImage truth = new BufferedImage(width, height, type);
        BufferedImage trimap = new BufferedImage(width, height, type);
        int top = (1 << bits) - 1;
        for (int i = 0; i < height * width; i++) {
            int x = i % width;
            truth.getRaster().setSample(x, i / width, 0, top * x / width);
            trimap.getRaster().setSample(x, i / width, 0, 3 * x < width ? 0 : 3 * x < 2 * width ? top / 2 : top);
        }
        Pictures.write(trimap, data.resolve("trimaps/" + name + ".png"));
        Pictures.write(truth, data.resolve("alpha_copy/" + name + ".png"));
    }
}
