package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonTest {
    @TempDir
    Path folder;

    private static final Report REPORT = new Report(
            "a.jpg",
            "a.png",
            "cpu",
            "mematte_s",
            "fp32",
            7,
            9,
            new Report.Seconds(1, 2, 3, 4, 5, 6, 21),
            new Report.Tokens(4, List.of(1, 2, 3, 4), 0.5),
            null,
            null,
            100,
            101);

    @Test
    void keysOfTheReport() throws IOException {
        Path file = folder.resolve("r.json");
        Json.write(REPORT, file);
        JsonNode json = new ObjectMapper().readTree(file.toFile());
        List<String> keys = new ArrayList<>();
        json.fieldNames().forEachRemaining(keys::add);
        assertEquals(
                List.of(
                        "image",
                        "out",
                        "backend",
                        "model",
                        "dtype",
                        "height",
                        "width",
                        "seconds",
                        "tokens",
                        "path",
                        "gmacs",
                        "peak_bytes",
                        "planned_bytes"),
                keys);
        assertEquals(
                "{\"load\":1.0,\"read\":2.0,\"encode\":3.0,\"decode\":4.0,\"foreground\":5.0,\"write\":6.0,\"total\":21.0}",
                json.get("seconds").toString());
        assertEquals(
                "{\"total\":4,\"kept\":[1,2,3,4],\"closest_margin\":0.5}",
                json.get("tokens").toString());
        assertEquals(List.of("r.json"), Pictures.files(folder));
    }

    @Test
    void anArrayReplacesWhatWasThere() throws IOException {
        Path file = Pictures.text(folder.resolve("r.json"), "old");
        Json.write(List.of(REPORT, REPORT), file);
        assertEquals(2, new ObjectMapper().readTree(file.toFile()).size());
    }

    @Test
    void aFailureSaysWhereAndLeavesNothing() throws IOException {
        Path full = Files.createDirectories(folder.resolve("r.json/inside")).getParent();
        OutputException e = assertThrows(OutputException.class, () -> Json.write(REPORT, full));
        assertTrue(e.getMessage().startsWith(full + ": could not be written"), e.getMessage());
        assertEquals(List.of(), Pictures.files(folder));
    }
}
