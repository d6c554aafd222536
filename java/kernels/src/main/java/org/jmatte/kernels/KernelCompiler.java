package org.jmatte.kernels;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntSupplier;
import jcuda.CudaException;
import jcuda.nvrtc.JNvrtc;
import jcuda.nvrtc.nvrtcProgram;
import jcuda.nvrtc.nvrtcResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compiles the kernels' sources with NVRTC, for jars that were built without nvcc and for cards that no machine code was
 * made for. What came out is kept in the user's cache folder ({@code XDG_CACHE_HOME}, {@code ~/.cache}).
 */
final class KernelCompiler {
    private static final Logger LOG = LoggerFactory.getLogger(KernelCompiler.class);

    private KernelCompiler() {}

    /**
     * Machine code of an operator, or PTX where NVRTC is older than the card.
     *
     * @throws DeviceException if there is no NVRTC, or it refuses the sources
     */
    static byte[] compile(String operator, int architecture) {
        Map<String, String> sources = KernelFiles.sources(operator);
        int[] version = version();
        int target = newest(architecture);
        boolean known = target == architecture;
        List<String> options = List.of("--gpu-architecture=" + (known ? "sm_" : "compute_") + target, "--std=c++17");
        Path cached = cacheFolder()
                .resolve(digest(sources, options, version))
                .resolve(operator + "-" + target + (known ? ".cubin" : ".ptx"));
        byte[] before = read(cached);
        if (before != null) {
            LOG.debug("{}: from {}", operator, cached);
            return before;
        }
        long start = System.nanoTime();
        byte[] code = compile(operator, sources, options, known);
        boolean kept = write(cached, code);
        LOG.info(
                "{}: compiled by NVRTC {}.{} with {} in {} s{}",
                operator,
                version[0],
                version[1],
                options.get(0),
                String.format(Locale.ROOT, "%.1f", (System.nanoTime() - start) * 1e-9),
                kept ? ", kept as " + cached : "");
        return code;
    }

    // ---------------------------------------------------------------- NVRTC

    private static int[] version() {
        int[] major = new int[1];
        int[] minor = new int[1];
        try {
            check(() -> JNvrtc.nvrtcVersion(major, minor), "asking NVRTC's version");
        } catch (LinkageError e) {
            throw new DeviceException(
                    "NVRTC, which would compile the sources, was not found (libnvrtc.so.12). Use a JMatte that was built"
                            + " with nvcc, or install NVRTC of CUDA 12 and put its folder into LD_LIBRARY_PATH",
                    e);
        }
        return new int[] {major[0], minor[0]};
    }

    private static int[] architectures() {
        int[] count = new int[1];
        check(() -> JNvrtc.nvrtcGetNumSupportedArchs(count), "asking NVRTC for its architectures");
        int[] all = new int[count[0]];
        check(() -> JNvrtc.nvrtcGetSupportedArchs(all), "asking NVRTC for its architectures");
        return all;
    }

    /** The card's architecture, or the one before it that NVRTC knows. */
    private static int newest(int architecture) {
        int[] all = architectures();
        return Arrays.stream(all)
                .filter(one -> one <= architecture)
                .max()
                .orElseThrow(() -> new DeviceException("NVRTC does not compile for sm_" + architecture + ", only for "
                        + Arrays.toString(all) + "; install an older one"));
    }

    private static byte[] compile(
            String operator, Map<String, String> sources, List<String> options, boolean machineCode) {
        List<String> names = new ArrayList<>(sources.keySet());
        String main = names.remove(0);
        String[] headers = names.stream().map(sources::get).toArray(String[]::new);
        nvrtcProgram program = new nvrtcProgram();
        check(
                () -> JNvrtc.nvrtcCreateProgram(
                        program, sources.get(main), main, headers.length, headers, names.toArray(String[]::new)),
                "preparing " + main);
        try {
            int result =
                    call(() -> JNvrtc.nvrtcCompileProgram(program, options.size(), options.toArray(String[]::new)));
            if (result != nvrtcResult.NVRTC_SUCCESS) {
                String[] log = new String[1];
                call(() -> JNvrtc.nvrtcGetProgramLog(program, log));
                throw new DeviceException(
                        "NVRTC did not compile " + main + " (" + nvrtcResult.stringFor(result) + "):\n" + log[0]);
            }
            return machineCode ? machineCode(program, operator) : ptx(program, operator);
        } finally {
            call(() -> JNvrtc.nvrtcDestroyProgram(program));
        }
    }

    private static byte[] machineCode(nvrtcProgram program, String operator) {
        long[] size = new long[1];
        check(() -> JNvrtc.nvrtcGetCUBINSize(program, size), "taking the code of " + operator);
        byte[] code = new byte[Math.toIntExact(size[0])];
        check(() -> JNvrtc.nvrtcGetCUBIN(program, code), "taking the code of " + operator);
        return code;
    }

    private static byte[] ptx(nvrtcProgram program, String operator) {
        String[] text = new String[1];
        check(() -> JNvrtc.nvrtcGetPTX(program, text), "taking the code of " + operator);
        return text[0].getBytes(StandardCharsets.UTF_8);
    }

    private static void check(IntSupplier call, String doing) {
        int result = call(call);
        if (result != nvrtcResult.NVRTC_SUCCESS) {
            throw new DeviceException(doing + " failed: " + nvrtcResult.stringFor(result));
        }
    }

    /** As a number, also where someone in this process told JCuda to throw instead. */
    private static int call(IntSupplier call) {
        try {
            return call.getAsInt();
        } catch (CudaException e) {
            return nvrtcResult.NVRTC_ERROR_INTERNAL_ERROR;
        }
    }

    // ---------------------------------------------------------------- cache

    static Path cacheFolder() {
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path caches = xdg != null && !xdg.isBlank() ? Path.of(xdg) : Path.of(System.getProperty("user.home"), ".cache");
        return caches.resolve("jmatte").resolve("kernels");
    }

    /** Another folder for every change of what the code depends on. */
    static String digest(Map<String, String> sources, List<String> options, int[] version) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            sources.forEach((name, text) -> {
                digest.update(name.getBytes(StandardCharsets.UTF_8));
                digest.update((byte) 0);
                digest.update(text.getBytes(StandardCharsets.UTF_8));
                digest.update((byte) 0);
            });
            digest.update((options + Arrays.toString(version)).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest.digest(), 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] read(Path file) {
        try {
            return Files.isRegularFile(file) ? Files.readAllBytes(file) : null;
        } catch (IOException e) {
            LOG.warn("{} cannot be read and is made again: {}", file, e.toString());
            return null;
        }
    }

    /** A failure costs the next process a compilation, nothing else. */
    private static boolean write(Path file, byte[] code) {
        try {
            Files.createDirectories(file.getParent());
            Path part =
                    Files.createTempFile(file.getParent(), file.getFileName().toString(), ".part");
            try {
                Files.write(part, code);
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(part);
            }
            return true;
        } catch (IOException e) {
            LOG.warn("{} could not be kept, the next process compiles it again: {}", file, e.toString());
            return false;
        }
    }
}
