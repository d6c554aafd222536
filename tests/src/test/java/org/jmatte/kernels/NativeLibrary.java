package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Shared libraries that stand in for others, compiled by the tests that need them. */
final class NativeLibrary {
    private NativeLibrary() {}

    /** Compiles a C++ file, with more of the compiler's flags and libraries behind it. */
    static void compile(Path source, Path library, String... more) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1"));
        command.addAll(List.of("-fPIC", "-shared", "-o", library.toString(), source.toString()));
        command.addAll(List.of(more));
        Process compiler = new ProcessBuilder(command).inheritIO().start();
        assertEquals(0, compiler.waitFor(), "compiling " + source);
    }
}
