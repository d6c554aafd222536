package org.jmatte.bindings.cpu;

import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Namespace;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;

/**
 * The functions of {@code native/cpu}, described in {@code jmatte_cpu.h} and {@code kernels.inc}. Addresses travel as
 * {@code long}; nothing is checked here.
 */
@Platform(value = "linux-x86_64", include = "jmatte_cpu.h", link = "jmatte_cpu")
@Namespace("jmatte")
@NoException
public final class CpuKernels {
    static {
        Loader.load();
    }

    private CpuKernels() {}

    public static native int detect_isa();

    public static native void use_isa(int isa);

    public static native void use_one_thread();

    public static native void layer_norm(
            @Cast("const float*") long x,
            @Cast("const int*") long index,
            long rows,
            int channels,
            @Cast("const float*") long weight,
            @Cast("const float*") long bias,
            float eps,
            int gelu,
            @Cast("void*") long out,
            int type);
}
