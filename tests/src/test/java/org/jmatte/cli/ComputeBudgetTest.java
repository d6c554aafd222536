package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class ComputeBudgetTest {
    @ParameterizedTest
    @CsvSource({"mild, 75", "moderate, 70", "aggressive, 60", "52, 52", "70.9, 70", "0, 0", "-3, -3", "1e2, 100"})
    void numbersAndWords(String text, int gmacs) {
        assertEquals(gmacs, new ComputeBudget().convert(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "low", "60G", "99999999999", "NaN"})
    void otherTextsAreExplained(String text) {
        String message = assertThrows(TypeConversionException.class, () -> new ComputeBudget().convert(text))
                .getMessage();
        assertTrue(message.contains("moderate") && message.contains("'" + text + "'"), message);
    }
}
