package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class ByteCountTest {
    @ParameterizedTest
    @CsvSource({
        "2GiB, 2147483648",
        "2gib, 2147483648",
        "512MiB, 536870912",
        "3KiB, 3072",
        "2GB, 2000000000",
        "1.5GB, 1500000000",
        "7MB, 7000000",
        "5KB, 5000",
        "5kB, 5000",
        "12345, 12345",
        "1, 1"
    })
    void units(String text, long bytes) {
        assertEquals(bytes, new ByteCount().convert(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "GiB", "-1", "0", "0.1", "2XB", "2 G B", "1e9", "99999999999GiB"})
    void othersAreRefused(String text) {
        TypeConversionException e = assertThrows(TypeConversionException.class, () -> new ByteCount().convert(text));
        assertTrue(e.getMessage().contains("'" + text + "'"), e.getMessage());
    }
}
