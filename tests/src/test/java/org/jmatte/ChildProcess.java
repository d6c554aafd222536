package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** What another Java process of the same class path said: lines {@code > word value}. */
public record ChildProcess(Map<String, String> said) {
    private static final int SECONDS = 120;

    /** Has this process, being such a one, say something. */
    public static void say(String word, Object value) {
        System.out.println("> " + word + " " + String.valueOf(value).replace('\n', '|'));
    }

    /** Runs a main method, with more in the environment, and waits for its end. */
    public static ChildProcess run(Map<String, String> environment, Class<?> main, String... arguments) {
        String java = ProcessHandle.current().info().command().orElseThrow();
        List<String> command = new ArrayList<>(
                List.of(java, "-Xmx512m", "-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().remove("CUDA_VISIBLE_DEVICES"); // hides cards, and those that tests pretend
        builder.environment().putAll(environment);
        try {
            Process process = builder.start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(SECONDS, TimeUnit.SECONDS), "the process does not end");
            assertEquals(0, process.exitValue(), output);
            Map<String, String> said = new TreeMap<>();
            output.lines()
                    .filter(line -> line.startsWith("> "))
                    .forEach(line -> said.put(line.split(" ", 3)[1], line.split(" ", 3)[2]));
            return new ChildProcess(said);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    double number(String word) {
        assertTrue(said.containsKey(word), () -> "it said " + said);
        return Double.parseDouble(said.get(word));
    }
}
