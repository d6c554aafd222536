package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;

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
