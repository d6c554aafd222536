package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What a user reads where there is no usable card. */
class CardProblemsTest {
    private static void assertSays(String message, String... parts) {
        for (String part : parts) {
            assertTrue(message.contains(part), () -> "expected \"" + part + "\" in: " + message);
        }
    }

    @Test
    void withoutADriver() {
        assumeFalse(driverIsThere(), "this machine has a driver");
        DeviceException e = assertThrows(DeviceException.class, Devices::open);
        assertTrue(e.getMessage().startsWith("no NVIDIA driver: libcuda.so.1 was not found."), e.getMessage());
        assertSays(e.getMessage(), "Install the driver", "nvidia-smi", "docker run --gpus all", "CPU backend");
        assertTrue(e.getMessage().lines().count() == 1, "no stack traces in the message");
        assertTrue(e.getCause() instanceof LinkageError, String.valueOf(e.getCause()));

        // Java reports a class that failed to load in other words the second time.
        DeviceException again = assertThrows(DeviceException.class, () -> Devices.open(0));
        assertEquals(e.getMessage(), again.getMessage());
        assertEquals(
                e.getMessage(),
                assertThrows(DeviceException.class, CudaDevice::ofCurrentContext)
                        .getMessage());
        assertSame(e.getCause(), again.getCause());
    }

    @Test
    void withoutNvrtc() {
        assumeFalse(driverIsThere(), "this machine may have NVRTC");
        String message = null;
        try {
            KernelCompiler.compile("layer_norm", 86);
        } catch (DeviceException e) {
            message = e.getMessage();
        }
        assumeTrue(message != null, "this machine has NVRTC");
        assertSays(message, "libnvrtc.so.12", "built with nvcc", "LD_LIBRARY_PATH");
    }

    private static boolean driverIsThere() {
        return Files.exists(Path.of("/dev/nvidiactl"))
                || Files.exists(Path.of("/usr/lib/x86_64-linux-gnu/libcuda.so.1"));
    }

    @Test
    void libraryProblems() {
        assertSays(
                CardProblems.notLoaded(
                        "java.lang.UnsatisfiedLinkError: Error while loading native library\n"
                                + "/tmp/libJCudaDriver.so: undefined symbol: cuGreenCtxCreate",
                        "Linux",
                        "amd64"),
                "too old",
                "cuGreenCtxCreate",
                "version 560 or newer");
        assertSays(
                CardProblems.notLoaded("java.lang.UnsatisfiedLinkError: no JCudaDriver", "Mac OS X", "aarch64"),
                "Mac OS X on aarch64",
                "jcuda-natives",
                "CPU backend");
        assertSays(
                CardProblems.notLoaded("java.lang.UnsatisfiedLinkError: noexec", "Linux", "amd64"),
                "noexec",
                "jcuda-natives:12.6.0:linux-x86_64",
                "class path");
    }

    @Test
    void driverProblems() {
        String error = "CUDA_ERROR_NO_DEVICE (100): no CUDA-capable device is detected";
        assertSays(CardProblems.notStarted(100, error, null), "no NVIDIA card", "nvidia-smi", error);
        assertSays(
                CardProblems.notStarted(100, error, "7"),
                "no NVIDIA card",
                "CUDA_VISIBLE_DEVICES=7. Change or unset that variable",
                error);
        assertSays(CardProblems.notStarted(34, "CUDA_ERROR_STUB_LIBRARY (34)", null), "stub", "LD_LIBRARY_PATH");
        assertSays(CardProblems.notStarted(803, "(803)", null), "different versions", "Restart");
        assertSays(CardProblems.notStarted(999, "(999)", null), "did not start", "kernel module");
        assertSays(CardProblems.notStarted(1, "(1)", null), "did not start (1)".replace("(1)", "((1))"));
        assertNull(CardProblems.oldDriver(12000));
        assertNull(CardProblems.oldDriver(13020));
        assertSays(
                CardProblems.oldDriver(11040),
                "too old: it is for CUDA 11.4, and CUDA 12.0 is needed",
                "version 525 or newer");
    }

    @Test
    void oldCards() {
        assertNull(CardProblems.oldCard("NVIDIA GeForce GTX 1650", 75));
        assertSays(
                CardProblems.oldCard("NVIDIA GeForce GTX 1080", 61),
                "NVIDIA GeForce GTX 1080 is too old: it is sm_61, and the kernels need sm_75 (Turing",
                "Use another card, or the CPU backend");
    }
}
