package org.jmatte.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.jmatte.InvalidInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ArchitectureTest {
    /** The checksum covers every name and shape in order; all numbers come from the PyTorch reference. */
    @ParameterizedTest
    @CsvSource({
        "mematte_s, 384, true, 310, 29192957, e6a5d983",
        "mematte_b, 768, true, 310, 110109053, 81cfa662",
        "vitmatte_s, 384, false, 250, 25816417, 75688279",
        "vitmatte_b, 768, false, 250, 96688225, b35af304",
        "mematte_tiny, 128, true, 310, 4658173, 7d046a21",
        "vitmatte_tiny, 128, false, 250, 4291425, 42129b50"
    })
    void knownNetworksHaveTheReferencesParameters(
            String name, int width, boolean routed, int tensors, long parameters, String checksum) {
        VitArchitecture architecture = (VitArchitecture) Architecture.named(name);
        assertEquals(new VitArchitecture(name, width, routed), architecture);
        assertEquals(architecture, VitArchitecture.of(width, routed));
        assertEquals(width / 64, architecture.heads());
        Map<String, long[]> shapes = architecture.parameterShapes();
        assertEquals(tensors, shapes.size());
        assertEquals(
                parameters,
                shapes.values().stream()
                        .mapToLong(shape -> Arrays.stream(shape).reduce(1, (a, b) -> a * b))
                        .sum());
        String lines = shapes.entrySet().stream()
                .map(entry -> entry.getKey() + Arrays.toString(entry.getValue()))
                .collect(Collectors.joining("\n"));
        CRC32 crc = new CRC32();
        crc.update(lines.getBytes(StandardCharsets.UTF_8));
        assertEquals(checksum, String.format("%08x", crc.getValue()));
    }

    @Test
    void otherWidthsAreNamedByTheirWidth() {
        assertEquals("mematte_192", VitArchitecture.of(192, true).name());
        assertEquals("vitmatte_1024", VitArchitecture.of(1024, false).name());
    }

    @ParameterizedTest
    @CsvSource({"0", "-64", "100", "8192"})
    void impossibleWidthsAreRefused(int width) {
        String message = assertThrows(InvalidInputException.class, () -> VitArchitecture.of(width, true))
                .getMessage();
        assertTrue(message.contains("found " + width), message);
    }

    @Test
    void unknownNamesListTheKnown() {
        String message = assertThrows(InvalidInputException.class, () -> Architecture.named("mematte_xl"))
                .getMessage();
        assertTrue(
                message.contains("mematte_s, mematte_b, mematte_tiny, vitmatte_s, vitmatte_b, vitmatte_tiny, pam"),
                message);
        assertTrue(message.contains("mematte_xl"), message);
    }

    @Test
    void globalBlocksAreEveryThird() {
        int[] global = IntStream.range(0, VitArchitecture.DEPTH)
                .filter(VitArchitecture::isGlobal)
                .toArray();
        assertArrayEquals(new int[] {2, 5, 8, 11}, global);
        assertArrayEquals(global, VitArchitecture.globalBlocks());
    }

    @ParameterizedTest
    @CsvSource({"64, 3", "128, 5", "192, 5", "256, 5", "384, 5", "512, 5", "768, 5", "1024, 5", "2048, 7", "4096, 7"})
    void channelAttentionHasTheReferencesTaps(int channels, int taps) {
        assertEquals(taps, VitArchitecture.ecaKernel(channels));
    }
}
