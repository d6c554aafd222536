package org.jmatte.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.TypeConversionException;

/** Height and width in pixels, written {@code 1080x1920}. */
record Size(int height, int width) {
    private static final Pattern SYNTAX = Pattern.compile("(\\d{1,7})[xX](\\d{1,7})");
    private static final long MOST_PIXELS = Integer.MAX_VALUE / 3;

    static Size parse(String text) {
        Matcher matcher = SYNTAX.matcher(text);
        if (!matcher.matches()) {
            throw new TypeConversionException("expected HEIGHTxWIDTH in pixels such as 1080x1920, got '" + text + "'");
        }
        Size size = new Size(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
        long pixels = (long) size.height * size.width;
        if (pixels < 1 || pixels > MOST_PIXELS) {
            throw new TypeConversionException(
                    "expected 1 to " + MOST_PIXELS + " pixels, got '" + text + "', which are " + pixels);
        }
        return size;
    }

    @Override
    public String toString() {
        return height + "x" + width;
    }
}
