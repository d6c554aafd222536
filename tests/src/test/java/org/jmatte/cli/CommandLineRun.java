package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What one command left behind: its exit code, standard output and standard error. */
record CommandLineRun(int exitCode, String out, String err) {

    /** The same, with what the logger wrote in {@link #err}. */
    static CommandLineRun logged(Object... args) {
        PrintStream before = System.err;
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        try {
            System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
            CommandLineRun run = of(args);
            return new CommandLineRun(run.exitCode, run.out, run.err + log.toString(StandardCharsets.UTF_8));
        } finally {
            System.setErr(before);
        }
    }

    static CommandLineRun of(Object... args) {
        String[] words = new String[args.length];
        for (int i = 0; i < words.length; i++) {
            words[i] = args[i].toString();
        }
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exitCode = Main.run(words, new PrintWriter(out), new PrintWriter(err));
        return new CommandLineRun(exitCode, out.toString(), err.toString());
    }

    /** Starts the same in a process of its own, whose output goes to a file. */
    static Process start(Path log, Object... args) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                "-cp",
                System.getProperty("java.class.path"),
                "org.jmatte.cli.Main"));
        Arrays.stream(args).map(Object::toString).forEach(command::add);
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }

    /** Requires success without a word on standard error. */
    CommandLineRun done() {
        assertEquals("", err);
        assertEquals(0, exitCode);
        return this;
    }

    /** Requires the exit code of wrong usage, and one line that has all the parts. */
    void refused(String... parts) {
        assertEquals(2, exitCode, err);
        assertEquals("", out);
        assertTrue(err.startsWith("jmatte: "), err);
        assertEquals(1, err.lines().count(), err);
        for (String part : parts) {
            assertTrue(err.contains(part), err);
        }
    }
}
