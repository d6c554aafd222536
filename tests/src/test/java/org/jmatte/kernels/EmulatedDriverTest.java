package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Loader;
import org.jmatte.ChildProcess;
import org.jmatte.bindings.emulator.Emulator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@link CudaDevice} without a card: in processes of their own, which find the stand-in {@code emulated_driver.cpp} where
 * they look for the driver. So contexts, threads, modules, launches and errors are tested as far as JCuda, and the
 * kernels through it.
 */
class EmulatedDriverTest {
    private static final Path SOURCE = Path.of("src", "test", "native", "emulated_driver.cpp");
    private static final Path EMULATOR = Path.of("..", "native", "emulator");

    @TempDir
    private static Path folder;

    @BeforeAll
    static void compile() throws IOException, InterruptedException {
        assumeTrue(Files.exists(SOURCE) && Files.exists(EMULATOR), "needs the sources around it");
        Path library = Path.of(Loader.load(Emulator.class)).getParent();
        NativeLibrary.compile(
                SOURCE,
                folder.resolve("libcuda.so.1"),
                "-I",
                EMULATOR.toString(),
                library.resolve("libjmatte_emulator.so").toString(),
                "-Wl,-rpath," + library);
    }

    private static Map<String, String> run(String what, String driver) {
        Map<String, String> environment = Map.of(
                "LD_LIBRARY_PATH", folder.toString(), "EMULATED_DRIVER", driver, "XDG_CACHE_HOME", folder.toString());
        return ChildProcess.run(environment, EmulatedDriverProbe.class, what).said();
    }

    private static void assertSays(String message, String... parts) {
        for (String part : parts) {
            assertTrue(message != null && message.contains(part), () -> "expected \"" + part + "\" in: " + message);
        }
    }

    @Test
    void cardsThatWillNotDoAreRefused() {
        assertSays(run("open", "init=100").get("refused"), "no NVIDIA card", "CUDA_ERROR_NO_DEVICE (100)");
        assertSays(run("open", "version=11040").get("refused"), "too old: it is for CUDA 11.4");
        assertSays(
                run("open", "sm=61 cards=2").get("refused"),
                "card 0: Emulated card 0 is too old: it is sm_61",
                "|card 1: Emulated card 1 is too old");
        assertSays(run("open", "cards=0").get("refused"), "no NVIDIA card");
    }

    @Test
    void whatIsTestedOnTheEmulatorHolds() {
        assumeTrue(KernelFiles.fatBinary("layer_norm") != null, "built without nvcc");
        for (String driver : List.of("sm=75", "sm=86")) {
            Map<String, String> said = run("contract", driver);
            assertEquals("0", said.remove("leaked"));
            int passed = Integer.parseInt(said.remove("passed"));
            assertEquals(Map.of(), said);
            assertTrue(passed > 20, "passed " + passed);
        }
    }

    @Test
    void codeThatTheDriverDoesNotTakeIsExplained() {
        assumeTrue(KernelFiles.fatBinary("layer_norm") != null, "built without nvcc");
        Map<String, String> said = run("open", "sm=86 refuse=200");
        assertEquals("Emulated card 0", said.get("opened"));
        assertSays(
                said.get("refused"),
                "layer_norm: its machine code is not for this card and driver (CUDA_ERROR_INVALID_IMAGE (200)",
                "a driver for CUDA " + KernelFiles.cudaVersion() + " or newer",
                "NVRTC");
    }

    /** First as it is, then captured, then replayed; whoever shares the card and the weights replays too. */
    @Test
    void aNetworkOfSmallLaunchesIsReplayed() {
        assumeTrue(KernelFiles.fatBinary("layer_norm") != null, "built without nvcc");
        Map<String, String> said = run("network", "sm=75");
        assertEquals("1", said.get("alphas"));
        for (int run = 0; run < 4; run++) {
            assertEquals("0", said.get("peak" + run));
        }
        String[] stages = said.get("stages").split("\\D+");
        assertEquals(stages[1], stages[2]);
        assertEquals("2", stages[3], said.toString());
        assertEquals("2", stages[4], said.toString());
    }

    @Test
    void lateErrorsNameTheLaunchAndEndTheDevice() {
        assumeTrue(KernelFiles.fatBinary("layer_norm") != null, "built without nvcc");
        Map<String, String> said = run("failure", "sm=75 checking=1");
        assertSays(
                said.get("first"),
                "Emulated card 0: waiting for a stream failed: CUDA_ERROR_ILLEGAL_ADDRESS (700): an illegal memory access"
                        + " was encountered; the last launch was layer_norm: layer_norm_fp32, grid 8 x 1 x 1, parameters (0x",
                "CUDA_LAUNCH_BLOCKING=1",
                "cannot be used any more in this process");
        assertSays(
                said.get("later"),
                "Emulated card 0 cannot be used any more, since an earlier call failed (CUDA_ERROR_ILLEGAL_ADDRESS (700)");
        assertEquals("true", said.get("closed"));
    }
}
