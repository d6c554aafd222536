package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jmatte.bindings.emulator.Emulator;
import org.junit.jupiter.api.Test;

/** The jar's kernels: sources, machine code, and what the entry points ask of a card. */
class KernelFilesTest {
    private static final int SM_75_SHARED_BYTES = 64 * 1024;
    private static final int SM_86_SHARED_BYTES = 99 * 1024;

    private static List<String> kernels(int architecture) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < Emulator.kernels(architecture); i++) {
            names.add(Emulator.kernel_name(architecture, i));
        }
        return names;
    }

    /** The kernel file that an entry point is named after; its name may hold underscores itself. */
    static String operator(String kernel) {
        for (String name = kernel; ; name = name.substring(0, name.lastIndexOf('_'))) {
            if (KernelFiles.exists(name)) {
                return name;
            }
            if (name.lastIndexOf('_') < 0) {
                return null;
            }
        }
    }

    @Test
    void everyKernelIsNamedAfterItsFile() {
        for (String kernel : kernels(80)) {
            String operator = operator(kernel);
            assertTrue(operator != null, kernel + " is not named after a kernel file");
            assertTrue(
                    KernelFiles.sources(operator).get(operator + ".cu").contains("JMATTE_KERNEL"),
                    operator + ".cu has no entry points");
        }
    }

    @Test
    void kernelsFitTheirCards() {
        for (int architecture : new int[] {75, 80}) {
            int most = architecture == 75 ? SM_75_SHARED_BYTES : SM_86_SHARED_BYTES;
            for (String kernel : kernels(architecture)) {
                int threads = Emulator.kernel_threads(kernel, architecture);
                assertTrue(threads % 32 == 0 && threads >= 32 && threads <= 1024, kernel + ": " + threads + " threads");
                int shared = Emulator.kernel_shared_bytes(kernel, architecture);
                assertTrue(shared >= 0 && shared <= most, kernel + ": " + shared + " bytes of shared memory");
                int parameters = Emulator.kernel_parameter_bytes(kernel, architecture);
                assertTrue(
                        parameters > 0 && parameters <= ParameterBlock.MAX_BYTES,
                        kernel + ": " + parameters + " bytes of parameters");
            }
        }
        assertEquals(kernels(75), kernels(80), "the entry points of both architectures");
    }

    @Test
    void sourcesComeWithWhatTheyInclude() {
        Map<String, String> sources = KernelFiles.sources("layer_norm");
        assertEquals("layer_norm.cu", sources.keySet().iterator().next());
        assertTrue(
                sources.keySet().containsAll(Set.of("device.cuh", "cuda_device.cuh")),
                sources.keySet().toString());
        assertFalse(sources.containsKey("emulated_device.h"));
        for (String kernel : kernels(80)) {
            for (Map.Entry<String, String> file :
                    KernelFiles.sources(operator(kernel)).entrySet()) {
                assertFalse(file.getValue().isEmpty(), file.getKey());
                assertTrue(file.getKey().endsWith(".cuh") || file.getKey().equals(operator(kernel) + ".cu"));
            }
        }
    }

    @Test
    void compiledCodeIsKeptPerSourceOptionsAndCompiler() {
        List<String> options = List.of("--gpu-architecture=sm_86");
        int[] version = {12, 6};
        String digest = KernelCompiler.digest(Map.of("a.cu", "x"), options, version);
        assertEquals(digest, KernelCompiler.digest(Map.of("a.cu", "x"), options, version));
        assertEquals(32, digest.length());
        assertNotEquals(digest, KernelCompiler.digest(Map.of("a.cu", "y"), options, version));
        assertNotEquals(digest, KernelCompiler.digest(Map.of("a.cux", ""), options, version));
        assertNotEquals(digest, KernelCompiler.digest(Map.of("a.cu", "x"), List.of("-sm_75"), version));
        assertNotEquals(digest, KernelCompiler.digest(Map.of("a.cu", "x"), options, new int[] {12, 8}));
        assertTrue(KernelCompiler.cacheFolder().endsWith("jmatte/kernels"), "in the user's cache folder");
    }
}
