package org.jmatte.bindings.nvtx;

import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Namespace;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;

/** The functions of {@code native/nvtx}, described in {@code jmatte_nvtx.h}. */
@Platform(value = "linux-x86_64", include = "jmatte_nvtx.h", link = "jmatte_nvtx")
@Namespace("ranges")
@NoException
public final class Nvtx {
    static {
        Loader.load();
    }

    private Nvtx() {}

    public static native boolean available();

    public static native void push(String name);

    public static native void pop();
}
