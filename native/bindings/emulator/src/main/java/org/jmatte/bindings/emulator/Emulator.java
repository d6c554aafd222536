package org.jmatte.bindings.emulator;

import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Namespace;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;

/**
 * The functions of {@code native/emulator}, described in {@code jmatte_emulator.h}. Addresses travel as {@code long}.
 * An {@code int} result that counts findings is 0 where all went well; {@link #findings} then describes them otherwise.
 */
@Platform(
        value = "linux-x86_64",
        include = "jmatte_emulator.h",
        link = {"jmatte_emulator", "jmatte_emulator_checked"})
@Namespace("emulator")
@NoException
public final class Emulator {
    static {
        Loader.load();
    }

    private Emulator() {}

    public static native long allocate(long bytes);

    public static native int release(long address);

    public static native int copy_to_device(long to, @Cast("const void*") long from, long bytes);

    public static native int copy_to_host(@Cast("void*") long to, long from, long bytes);

    public static native int copy_on_device(long to, long from, long bytes);

    public static native int fill(long to, int value, long bytes);

    public static native long allocated_bytes();

    public static native int load(String library);

    public static native int kernels(int architecture);

    public static native String kernel_name(int architecture, int number);

    public static native int kernel_threads(String name, int architecture);

    public static native int kernel_shared_bytes(String name, int architecture);

    public static native int kernel_parameter_bytes(String name, int architecture);

    public static native int launch(
            String name,
            int architecture,
            int gridX,
            int gridY,
            int gridZ,
            @Cast("const void*") long parameters,
            long parameterBytes,
            long seed,
            @Cast("bool") boolean checking);

    public static native String findings();
}
