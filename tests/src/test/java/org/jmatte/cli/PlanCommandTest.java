package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PlanCommandTest {
    private static final Object[] PLAN = {"plan", "--model", "seeded:mematte_tiny", "--size", "64x96", "--keep", "0.5"};

    @Test
    void table() {
        String out = CommandLineRun.of(PLAN).done().out();
        assertTrue(out.startsWith("stage "), out);
        assertTrue(out.lines().anyMatch(line -> line.matches("total( +\\d+\\.\\d{3}){3}")), out);
        assertTrue(out.contains("peak "), out);
    }

    @Test
    void json() throws IOException {
        Object[] args = Arrays.copyOf(PLAN, PLAN.length + 1);
        args[PLAN.length] = "--json";
        JsonNode json =
                new ObjectMapper().readTree(CommandLineRun.of(args).done().out());
        for (String key : new String[] {
            "peak_bytes", "weights_bytes", "arena_bytes", "image_bytes", "flops", "moved_bytes", "max_tokens"
        }) {
            assertTrue(json.get(key).asLong() > 0, key);
        }
        assertTrue(json.get("tiling").isTextual());
        assertEquals(
                json.get("peak_bytes").asLong(),
                json.get("weights_bytes").asLong() + json.get("arena_bytes").asLong());
        long flops = 0;
        for (JsonNode stage : json.get("stages")) {
            flops += stage.get("flops").asLong();
            assertTrue(stage.get("name").isTextual());
            assertTrue(stage.has("moved_bytes"));
            assertTrue(stage.has("arena_bytes"));
        }
        assertEquals(json.get("flops").asLong(), flops);
    }

    @Test
    void withoutRoutersThereIsNoTokenCap() throws IOException {
        String[] args = {"plan", "--model", "seeded:vitmatte_tiny", "--size", "64x96"};
        String out = CommandLineRun.of((Object[]) args).done().out();
        assertFalse(out.contains("tokens  at most"), out);
        assertTrue(CommandLineRun.of(PLAN).done().out().contains("tokens  at most 18500"));
        Object[] json = Arrays.copyOf(args, 6, Object[].class);
        json[5] = "--json";
        JsonNode plan =
                new ObjectMapper().readTree(CommandLineRun.of(json).done().out());
        assertTrue(plan.get("max_tokens").isNull(), plan.toString());
        assertTrue(plan.get("peak_bytes").asLong() > 0);
    }

    @Test
    void theComputeBudgetIsStatedPerMegapixelAndAsTotal() throws IOException {
        Object[] args = {"plan", "--model", "seeded:pam", "--size", "1000x2048", "--gmacs", "60", "--json"};
        JsonNode plan =
                new ObjectMapper().readTree(CommandLineRun.of(args).done().out());
        assertEquals(60, plan.get("gmacs").asInt());
        assertEquals(120, plan.get("total_gmacs").asDouble());
        assertTrue(plan.get("max_tokens").isNull(), plan.toString());
        String out = CommandLineRun.of(Arrays.copyOf(args, 7)).done().out();
        assertTrue(out.contains("compute at most 60 GMACs per 1024x1024 pixels, 120.000 in all"), out);
        String vit = CommandLineRun.of(PLAN).done().out();
        assertFalse(vit.contains("compute"), vit);
        CommandLineRun.of("plan", "--model", "seeded:pam", "--size", "64x64", "--gmacs", "51")
                .refused("gmacs", "at least 52", "got 51");
    }

    @Test
    void withoutRoutersKeepIsWarnedOf() {
        Object[] args = {"plan", "--model", "seeded:vitmatte_tiny", "--size", "64x96", "--keep", "0.5"};
        CommandLineRun run = CommandLineRun.logged(args);
        assertEquals(0, run.exitCode(), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains("--keep") && run.err().contains("vitmatte_tiny"), run.err());
        CommandLineRun.logged(PLAN).done();
    }

    @Test
    void theSizeIsNeeded() {
        CommandLineRun.of("plan", "--model", "seeded:mematte_tiny").refused("--size");
    }
}
