package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The trainers' verbs, which come to the command line as a service. */
class TrainCommandTest {
    @TempDir
    private Path folder;

    private CommandLineRun pam(Object... more) {
        List<Object> words = new ArrayList<>(List.of("train", "pam", "--out", folder.resolve("run"), "--threads", 1));
        Collections.addAll(words, more);
        return CommandLineRun.of(words.toArray());
    }

    private static final Object[] SHORT = {
        "--side",
        "64",
        "--batch",
        2,
        "--full-images",
        2,
        "--warm-up-images",
        2,
        "--path-images",
        2,
        "--prior-images",
        1,
        "--prior-paths",
        1,
        "--validation-images",
        1,
        "--checkpoint-images",
        2
    };

    private static Object[] with(Object[] words, Object... more) {
        List<Object> all = new ArrayList<>(List.of(words));
        Collections.addAll(all, more);
        return all.toArray();
    }

    @Test
    void trainsAndRefusesToContinueWithOtherSettings() throws Exception {
        CommandLineRun run = pam(SHORT);
        assertEquals(0, run.exitCode(), run.err());
        assertTrue(run.out().contains("trained: "), run.out());
        assertTrue(run.err().contains("stage 3 of 3: 2 of 2 images"), run.err());
        assertTrue(Files.size(folder.resolve("run").resolve("pam.safetensors")) > 14_000_000);
        pam(SHORT).refused("run", "holds a training already", "--resume");
        pam(with(SHORT, "--resume", "--seed", 2)).refused("seed", "1", "2", "same options");
        Path photos = Files.createDirectory(folder.resolve("photos"));
        pam(with(SHORT, "--resume", "--photos", photos)).refused("photos", photos.toString());
        assertEquals(0, pam(with(SHORT, "--resume")).exitCode());
    }

    @Test
    void wrongSettingsAreNamedBeforeAnythingIsMade() {
        pam("--side", "100").refused("--side", "multiples of 32", "100");
        pam("--side", "64,65").refused("--side", "65");
        pam("--learning-rate", "1e-4,1e-4").refused("--learning-rate", "one number or 3");
        pam("--learning-rate", "0").refused("--learning-rate", "positive", "0.0");
        pam("--batch", 0).refused("--batch", "at least 1");
        pam("--dtype", "fp16").refused("--dtype", "fp32 or bf16");
        pam("--backend", "gpu").refused("--backend", "cpu or cuda", "gpu");
        pam("--device", 1).refused("--device", "--backend cuda", "cpu");
        pam("--backend", "cuda", "--device", -1).refused("--device", "from 0", "-1");
        pam("--backend", "cuda", "--device", 99).refused("cuda:99");
        pam("--foregrounds", folder).refused("--backgrounds");
        pam("--foregrounds", folder, "--backgrounds", folder).refused(folder.toString(), "fg/", "alpha/");
        pam("--photos", folder.resolve("none")).refused("none", "--photos");
        pam("--resume").refused("found none", "--resume");
        pam("--init", folder.resolve("no.safetensors")).refused("no.safetensors");
        assertFalse(Files.exists(folder.resolve("run").resolve("options.json")));
    }

    @Test
    void startsFromTheModelInTheBoxOnly() {
        pam("--init", "seeded:mematte_tiny").refused("seeded:mematte_tiny", "PAM");
    }

    @Test
    void aVerbIsNeeded() {
        CommandLineRun run = CommandLineRun.of("train");
        assertEquals(2, run.exitCode());
        assertTrue(run.err().contains("pam, mematte or generate"), run.err());
    }

    @Test
    void writesTrainingImages() throws Exception {
        CommandLineRun.of("train", "generate", "--out", folder, "--count", 2, "--first", 5, "--side", 64)
                .done();
        for (String kind : List.of("fg", "alpha", "bg", "merged", "trimaps")) {
            try (var files = Files.list(folder.resolve(kind))) {
                assertEquals(
                        List.of("000005.png", "000006.png"),
                        files.map(file -> file.getFileName().toString())
                                .sorted()
                                .toList());
            }
        }
        CommandLineRun.of("train", "generate", "--out", folder, "--count", 0).refused("--count", "at least 1");
        CommandLineRun.of("train", "generate", "--out", folder, "--side", 8).refused("side", "32", "8");
    }
}
