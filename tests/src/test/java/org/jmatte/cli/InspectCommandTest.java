package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class InspectCommandTest {
    @Test
    void text() {
        String out = CommandLineRun.of("inspect", "--model", "seeded:mematte_tiny:7")
                .done()
                .out();
        assertTrue(out.contains("mematte_tiny"), out);
        assertTrue(out.contains("authors"), out);
        assertTrue(out.contains("seeded:mematte_tiny:7"), out);
        assertTrue(out.contains("4,658,173 in 310 tensors"), out);
        assertTrue(out.lines().anyMatch(line -> line.matches("backbone\\.pos_embed +f32 +\\[1, 197, 128]")), out);
    }

    @Test
    void json() throws IOException {
        JsonNode json = new ObjectMapper()
                .readTree(CommandLineRun.of("inspect", "--json", "--model", "seeded:vitmatte_s")
                        .done()
                        .out());
        assertEquals("vitmatte_s", json.get("architecture").asText());
        assertEquals("authors", json.get("origin").asText());
        assertEquals("seeded:vitmatte_s:1", json.get("file").asText());
        long sum = 0;
        for (JsonNode tensor : json.get("tensors")) {
            long elements = 1;
            for (JsonNode side : tensor.get("shape")) {
                elements *= side.asLong();
            }
            sum += elements;
        }
        assertEquals(sum, json.get("parameters").asLong());
        assertEquals(
                "backbone.pos_embed", json.get("tensors").get(0).get("name").asText());
        assertEquals("f32", json.get("tensors").get(0).get("type").asText());
    }

    @Test
    void aMissingModelIsNamed() {
        CommandLineRun.of("inspect", "--model", "/no/such/model.pth").refused("/no/such/model.pth");
    }
}
