package org.jmatte;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.jmatte.bindings.cpu.CpuKernels;

/** What the tests can expect of the processor they run on; the numbers are those of {@code jmatte_cpu.h}. */
public final class Machine {
    private static final int AVX512 = 2;
    private static final int AMX = 4;

    private Machine() {}

    /** Skips a test of bf16 where the processor has no AVX-512, or the process runs without it. */
    public static void assumeBf16() {
        assumeTrue(CpuKernels.detect_isa() >= AVX512, "this processor has no AVX-512");
    }

    public static boolean hasAvx512() {
        return CpuKernels.detect_isa() >= AVX512;
    }

    public static boolean hasAmx() {
        return CpuKernels.detect_isa() >= AMX;
    }

    /** Bytes of physical memory that this process occupies. */
    static long residentBytes() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            String line = lines.filter(l -> l.startsWith("VmRSS:")).findFirst().orElseThrow();
            return Long.parseLong(line.replaceAll("\\D", "")) << 10;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
