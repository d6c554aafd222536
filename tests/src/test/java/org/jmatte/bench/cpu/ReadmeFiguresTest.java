package org.jmatte.bench.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadmeFiguresTest {
    private static final String README =
            """
            # Name

            <!-- figures, written by bench/run -->
            old
            <!-- end of figures -->

            more
            """;
    private static final String RESULTS =
            """
            # Results

            ## Networks

            | a | b |
            |---|---|
            | 1 | 2 |

            ## Operators

            | c |
            """;

    @TempDir
    private Path folder;

    /** What the repository says of itself. */
    @Test
    void theReadmeAgreesWithItsResults() throws IOException {
        Path root = Path.of("").toAbsolutePath();
        while (!Files.exists(root.resolve("mvnw"))) {
            root = root.getParent();
        }
        assertTrue(ReadmeFigures.agree(root.resolve("README.md")), "run bench/run, or put back its figures");
    }

    @Test
    void takeTheNetworksTable() throws IOException {
        Path readme = Files.writeString(folder.resolve("README.md"), README);
        Path results = Files.createDirectories(folder.resolve("bench/results")).resolve("day.md");
        Files.writeString(results, RESULTS);
        ReadmeFigures.write(readme, results);
        String expected =
                """
                # Name

                <!-- figures, written by bench/run -->
                | a | b |
                |---|---|
                | 1 | 2 |

                From [day.md](bench/results/day.md), with every operator.
                <!-- end of figures -->

                more
                """;
        assertEquals(expected, Files.readString(readme));
        assertTrue(ReadmeFigures.agree(readme));

        Files.writeString(readme, expected.replace("| 1 |", "| 9 |"));
        assertFalse(ReadmeFigures.agree(readme));
        Files.writeString(readme, expected);
        Files.writeString(results, RESULTS.replace("| 2 |", "| 3 |"));
        assertFalse(ReadmeFigures.agree(readme));
    }

    @Test
    void sayWhatIsMissing() {
        assertEquals(
                "README: expected the marks between which the figures stand",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> ReadmeFigures.inserted("# Name", RESULTS, "bench/results/day.md"))
                        .getMessage());
        assertEquals(
                "results: expected a table below ## Networks",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> ReadmeFigures.inserted(README, "# Results", "bench/results/day.md"))
                        .getMessage());
    }
}
