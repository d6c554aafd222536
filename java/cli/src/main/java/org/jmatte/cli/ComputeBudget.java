package org.jmatte.cli;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads compute budgets: whole GMACs per 1024x1024 pixels, or a word for some. A fraction is rounded down. */
final class ComputeBudget implements ITypeConverter<Integer> {
    private static final Map<String, Integer> WORDS = Map.of("mild", 75, "moderate", 70, "aggressive", 60);

    @Override
    public Integer convert(String text) {
        if (WORDS.containsKey(text)) {
            return WORDS.get(text);
        }
        try {
            return new BigDecimal(text).setScale(0, RoundingMode.FLOOR).intValueExact();
        } catch (ArithmeticException | NumberFormatException e) {
            throw new TypeConversionException(
                    "expected GMACs per 1024x1024 pixels such as 70, or mild, moderate, aggressive, got '" + text
                            + "'");
        }
    }
}
