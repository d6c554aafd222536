package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
    @Test
    void version() {
        String out = CommandLineRun.of("--version").done().out();
        assertTrue(out.matches("jmatte \\d+\\.\\d+\\.\\S+\\R"), out);
    }

    @ParameterizedTest
    @ValueSource(strings = {"matte", "inspect", "plan", "bench"})
    void everyVerbHasHelp(String verb) {
        String out = CommandLineRun.of(verb, "--help").done().out();
        assertTrue(out.startsWith("Usage: jmatte " + verb), out);
        assertTrue(out.contains("--model"), out);
        assertTrue(CommandLineRun.of("--help").done().out().contains(verb));
    }

    @Test
    void aVerbIsNeeded() {
        CommandLineRun.of().refused("verb", "jmatte --help");
        CommandLineRun.of("mate").refused("mate");
    }

    @Test
    void flagsThatAreNotKnownAreRefused() {
        CommandLineRun.of("inspect", "--model", "seeded:mematte_tiny", "--jsn")
                .refused("'--jsn'", "jmatte inspect --help");
        CommandLineRun.of("inspect").refused("--model");
        CommandLineRun.of("inspect", "--model").refused("--model");
    }

    @ParameterizedTest
    @CsvSource({
        "--backend, gpu, auto or cpu",
        "--dtype, fp16, fp32 or bf16",
        "--isa, sse2, avx2 or avx512 or amx",
        "--threads, two, two",
        "--threads, -1, threads",
        "--max-tokens, 0, max tokens",
        "--memory-budget, 2XB, 2GiB",
        "--padding, none, auto or authors or huggingface",
        "--keep, 1.5, keep",
        "--size, 100, HEIGHTxWIDTH"
    })
    void valuesThatDoNotFitAreRefused(String flag, String value, String hint) {
        CommandLineRun.of("plan", "--model", "seeded:mematte_tiny", "--size=64x64", flag + "=" + value)
                .refused(hint);
    }

    @Test
    void errorsAreOneLineUnlessMoreIsAskedFor() {
        String[] args = {"inspect", "--model", "seeded:nothing"};
        CommandLineRun.of((Object[]) args).refused("nothing", "mematte_s");
        String[] verbose = Arrays.copyOf(args, 4);
        verbose[3] = "-v";
        CommandLineRun run = CommandLineRun.of((Object[]) verbose);
        assertEquals(2, run.exitCode());
        assertTrue(run.err().contains("\tat org.jmatte."), run.err());
        assertFalse(run.err().startsWith("\t"), run.err());
    }
}
