package org.jmatte.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.jmatte.kernels.Device;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Java in bench/README.md does what it says, on the emulator. */
class ReadmeExampleTest {
    private static final Pattern JAVA = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

    @TempDir
    private Path folder;

    @Test
    void oneKernelIsTimed() throws Exception {
        Matcher example = JAVA.matcher(Files.readString(Path.of("../bench/README.md")));
        assertTrue(example.find(), "no example");
        assertTrue(example.group(1).lines().count() <= 12, "ten lines and the closing ones");
        String emulated = example.group(1).replace("Devices.open()", "Devices.emulated(EmulatorOptions.sm(80))");
        Path source = folder.resolve("Example.java");
        Files.writeString(
                source,
                "import org.jmatte.kernels.*;\npublic class Example { public static void main(String[] a) {\n"
                        + emulated + "}}\n");
        Path kernels = Path.of(
                Device.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        int result = ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, "-d", folder.toString(), "-cp", kernels.toString(), source.toString());
        assertEquals(0, result);
        PrintStream before = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
            System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
            loader.loadClass("Example").getMethod("main", String[].class).invoke(null, (Object) new String[0]);
        } finally {
            System.setOut(before);
        }
        String text = out.toString(StandardCharsets.UTF_8);
        assertEquals(10, text.lines().count(), text);
        assertTrue(text.lines().allMatch(line -> line.matches("\\d\\S* ms, \\d\\S* GB/s")), text);
    }
}
