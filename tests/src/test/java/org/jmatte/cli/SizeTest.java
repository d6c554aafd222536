package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class SizeTest {
    @Test
    void heightComesFirst() {
        assertEquals(new Size(1080, 1920), Size.parse("1080x1920"));
        assertEquals(new Size(1, 1), Size.parse("1X1"));
        assertEquals("1080x1920", new Size(1080, 1920).toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "1080", "x", "1080x", "x1920", "-1x5", "0x5", "5x0", "1.5x2", "100000x100000", "99999999x1"})
    void othersAreRefused(String text) {
        TypeConversionException e = assertThrows(TypeConversionException.class, () -> Size.parse(text));
        assertTrue(e.getMessage().contains("'" + text + "'"), e.getMessage());
    }
}
