package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class BenchCommandTest {
    @Test
    void oneLinePerRun() {
        List<String> lines = CommandLineRun.of(
                        "bench",
                        "--model",
                        "seeded:mematte_tiny:3",
                        "--size=64x96",
                        "--keep=0.25",
                        "--dtype=fp32",
                        "--backend=cpu",
                        "--runs=2")
                .done()
                .out()
                .lines()
                .toList();
        assertEquals(2, lines.size());
        for (String line : lines) {
            assertTrue(line.matches("mematte_tiny 64x96 fp32 cpu: \\d+\\.\\d{3} s, peak \\d+ MiB"), line);
        }
    }

    @Test
    void aPathIsFollowedAndTold() {
        for (String path : List.of("keep", "bypass", "01001110011110")) {
            String taken = path.equals("keep") ? "1".repeat(14) : path.equals("bypass") ? "0".repeat(14) : path;
            String line = CommandLineRun.of("bench", "--model=seeded:pam", "--size=64x96", "--path=" + path, "--runs=1")
                    .done()
                    .out()
                    .strip();
            assertTrue(line.matches("pam 64x96 fp32 cpu path " + taken + ": \\d+\\.\\d{3} s, peak \\d+ MiB"), line);
        }
        CommandLineRun.of("bench", "--model=seeded:pam", "--size=64x96", "--path=0101")
                .refused("path", "'0101'");
        CommandLineRun.of("bench", "--model=seeded:pam", "--size=64x96", "--keep=0.5")
                .refused("keep", "pam");
    }

    @Test
    void withoutRoutersKeepIsWarnedOf() {
        CommandLineRun run = CommandLineRun.logged(
                "bench", "--model", "seeded:vitmatte_tiny", "--size=32x32", "--keep=0.25", "--runs=1");
        assertEquals(0, run.exitCode(), run.err());
        assertTrue(run.err().contains("--keep") && run.err().contains("no routers"), run.err());
    }

    @Test
    void atLeastOneRun() {
        CommandLineRun.of("bench", "--model", "seeded:mematte_tiny", "--size=64x64", "--runs=0")
                .refused("--runs");
    }
}
