package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** When the launcher builds: the build and Java are stand-ins that write down that they were called. */
@Timeout(60)
class LauncherTest {
    @TempDir
    Path home;

    private Path jar;

    @BeforeEach
    void sources() throws IOException {
        Path launcher = Path.of("jmatte");
        Files.copy(Files.exists(launcher) ? launcher : Path.of("..", "jmatte"), home.resolve("jmatte"));
        home.resolve("jmatte").toFile().setExecutable(true);
        for (String file : List.of("java/cli/A.java", "native/cpu/a.cpp", "native/bindings/cpu/B.java", "pom.xml")) {
            Pictures.text(home.resolve(file), "");
        }
        script("setup", "");
        script(
                "mvnw",
                "echo built >>built; sleep 0.5; mkdir -p java/cli/target/lib; [[ -e broken ]] && exit 1;"
                        + " touch java/cli/target/jmatte-cli-1.jar");
        script("jdk/bin/java", "echo runs");
        jar = home.resolve("java/cli/target/jmatte-cli-1.jar");
        setAge(3600);
    }

    @Test
    void onceUnlessSourcesChange() throws Exception {
        assertEquals(List.of("jmatte: building, once; this takes some minutes", "runs"), launch());
        assertEquals(List.of("runs"), launch());
        for (String file : List.of("java/cli/A.java", "native/cpu/a.cpp", "native/bindings/cpu/B.java", "pom.xml")) {
            setAge(3600);
            age(jar, 1800);
            assertEquals(List.of("runs"), launch());
            age(home.resolve(file), 900);
            List<String> said = launch();
            assertEquals(2, said.size(), said.toString());
            assertTrue(said.get(0).contains("the sources are newer"), said.toString());
            assertEquals(List.of("runs"), launch());
        }
        assertEquals(5, builds());
    }

    @Test
    void whatTheBuildMakesIsNoSource() throws Exception {
        launch();
        Pictures.text(home.resolve("java/cli/target/classes/A.class"), "");
        Pictures.text(home.resolve("native/cpu/target/a.o"), "");
        assertEquals(List.of("runs"), launch());
    }

    @Test
    void aFailedBuildIsTakenUpAgain() throws Exception {
        launch();
        Path broken = Pictures.text(home.resolve("broken"), "");
        age(jar, 7200);
        List<String> said = launch();
        assertTrue(said.get(said.size() - 1).startsWith("jmatte: the build failed"), said.toString());
        Files.createFile(jar); // that the build came so far does not count
        Files.delete(broken);
        assertEquals("runs", launch().get(1));
        assertEquals(3, builds());
    }

    @Test
    void severalLaunchesAtOnceBuildOnce() throws Exception {
        List<Process> launches = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            launches.add(start());
        }
        for (Process launch : launches) {
            List<String> said = output(launch);
            assertEquals("runs", said.get(said.size() - 1), said.toString());
        }
        assertEquals(1, builds());
    }

    private List<String> launch() throws IOException, InterruptedException {
        return output(start());
    }

    private Process start() throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(home.resolve("jmatte").toString(), "--version").redirectErrorStream(true);
        builder.environment().put("JAVA_HOME", home.resolve("jdk").toString());
        return builder.start();
    }

    private static List<String> output(Process process) throws IOException, InterruptedException {
        List<String> lines = process.inputReader().lines().toList();
        process.waitFor();
        return lines;
    }

    private long builds() throws IOException {
        return Files.readAllLines(home.resolve("built")).size();
    }

    private void script(String name, String commands) {
        Path file = Pictures.text(home.resolve(name), "#!/usr/bin/env bash\n" + commands + "\n");
        file.toFile().setExecutable(true);
    }

    /** Makes all sources as old as that. */
    private void setAge(int seconds) throws IOException {
        for (String file : Pictures.files(home)) {
            age(home.resolve(file), seconds);
        }
    }

    private static void age(Path file, int seconds) throws IOException {
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(seconds)));
    }
}
