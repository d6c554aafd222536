package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jmatte.ChildProcess;
import org.jmatte.bindings.nvtx.Nvtx;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ranges as a profiler gets them: {@code recording_profiler.cpp} stands in for one, in a process of its own. */
class NvtxRangesTest {
    private static final Path SOURCE = Path.of("src", "test", "native", "recording_profiler.cpp");

    @TempDir
    private static Path folder;

    @BeforeAll
    static void compile() throws IOException, InterruptedException {
        assumeTrue(Files.exists(SOURCE), "needs the sources around it");
        assumeTrue(Nvtx.available(), "built without NVTX's headers");
        NativeLibrary.compile(SOURCE, folder.resolve("profiler.so"));
    }

    /** What the other process does. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) {
            try (Device device = TestDevices.emulated(80, false);
                    TestTensor x = TestTensor.filled(device, ElementType.FP32, 1, 4, 64)) {
                device.addHook((launch, stream, run) -> {
                    Nvtx.push("inside " + launch.kernel());
                    run.run();
                    Nvtx.pop();
                });
                Tensor weight = x.tensor().rows(0, 1).reshape(64);
                LayerNorm.run(device, x.tensor(), x.tensor(), weight, weight, 1, device.defaultStream());
            }
            ChildProcess.say("done", true);
        }
    }

    @Test
    void aProfilerGetsARangeOfEveryLaunch() {
        Map<String, String> environment =
                Map.of("NVTX_INJECTION64_PATH", folder.resolve("profiler.so").toString());
        Map<String, String> expected = Map.of(
                "domain", "jmatte",
                "push0", "jmatte layer_norm",
                "push1", "jmatte inside layer_norm_fp32",
                "pop1", "jmatte",
                "pop0", "jmatte",
                "done", "true");
        assertEquals(expected, ChildProcess.run(environment, Probe.class).said());
    }

    @Test
    void noRangesUnlessAProfilerAsks() {
        assertEquals(
                Map.of("done", "true"), ChildProcess.run(Map.of(), Probe.class).said());
        assertEquals(List.of(), NvtxRanges.hooks());
    }
}
