package org.jmatte.bench.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jmatte.image.AtomicFile;

/**
 * The README's figures: what stands between its two marks is the networks' table of one file of results, which the text
 * links to.
 */
public final class ReadmeFigures {
    private static final Pattern BETWEEN_MARKS =
            Pattern.compile("(?s)(?<=<!-- figures, written by bench/run -->\n).*?(?=<!-- end of figures -->)");
    private static final Pattern TABLE = Pattern.compile("(?s)" + Report.NETWORKS + "\n\n(.*?\n)\n");
    private static final Pattern LINK = Pattern.compile("\\[[^]]*]\\((bench/results/[^)]*)\\)");

    private ReadmeFigures() {}

    /** The README with the figures of some results. @param link where they lie, as seen from the README */
    static String inserted(String readme, String results, String link) {
        Matcher marks = BETWEEN_MARKS.matcher(readme);
        require(marks.find(), "README: expected the marks between which the figures stand");
        return marks.replaceFirst(Matcher.quoteReplacement(
                table(results) + "\nFrom [" + link.replaceAll(".*/", "") + "](" + link + "), with every operator.\n"));
    }

    private static String table(String results) {
        Matcher table = TABLE.matcher(results);
        require(table.find(), "results: expected a table below " + Report.NETWORKS);
        return table.group(1);
    }

    static void write(Path readme, Path results) throws IOException {
        String link = readme.toAbsolutePath()
                .getParent()
                .relativize(results.toAbsolutePath())
                .toString();
        String text = inserted(Files.readString(readme), Files.readString(results), link);
        AtomicFile.write(readme, file -> Files.writeString(file, text));
    }

    /** Whether the README's figures are those of the file that it links to. */
    public static boolean agree(Path readme) throws IOException {
        String text = Files.readString(readme);
        Matcher figures = BETWEEN_MARKS.matcher(text);
        require(figures.find(), "README: expected the marks between which the figures stand");
        Matcher link = LINK.matcher(figures.group());
        require(link.find(), "README: expected a link to the results between the marks");
        Path results = readme.resolveSibling(link.group(1));
        return text.equals(inserted(text, Files.readString(results), link.group(1)));
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
