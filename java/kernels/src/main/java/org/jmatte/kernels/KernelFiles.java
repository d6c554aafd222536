package org.jmatte.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The kernels as they lie in the jar: machine code, where it was built with nvcc, and sources. */
final class KernelFiles {
    private static final Pattern INCLUDE = Pattern.compile("^\\s*#\\s*include\\s*\"([^\"]+)\"", Pattern.MULTILINE);
    private static final Pattern OPERATOR = Pattern.compile("[a-z0-9_]+");

    private KernelFiles() {}

    /** An operator's fat binary, or null where the jar has none. */
    static byte[] fatBinary(String operator) {
        return read(operator + ".fatbin");
    }

    /** The CUDA that made the machine code, such as 13.0; drivers for older ones may not take it. */
    static String cudaVersion() {
        byte[] file = read("fatbins.properties");
        return file == null
                ? "?"
                : new String(file, StandardCharsets.UTF_8).strip().replace("cuda=", "");
    }

    /** Whether there is an operator of that name. */
    static boolean exists(String operator) {
        return OPERATOR.matcher(operator).matches()
                && (KernelFiles.class.getResource(operator + ".cu") != null
                        || KernelFiles.class.getResource(operator + ".fatbin") != null);
    }

    /** The operator's source file, first, and all that it includes, by file name. */
    static Map<String, String> sources(String operator) {
        Map<String, String> sources = new LinkedHashMap<>();
        add(sources, operator + ".cu");
        return sources;
    }

    private static void add(Map<String, String> sources, String file) {
        byte[] bytes = sources.containsKey(file) ? null : read(file);
        if (bytes == null) { // the emulator's header is named too, but not for a card
            return;
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        sources.put(file, text);
        Matcher include = INCLUDE.matcher(text);
        while (include.find()) {
            add(sources, include.group(1));
        }
    }

    private static byte[] read(String file) {
        try (InputStream in = KernelFiles.class.getResourceAsStream(file)) {
            return in == null ? null : in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("reading " + file + " from the jar", e);
        }
    }
}
