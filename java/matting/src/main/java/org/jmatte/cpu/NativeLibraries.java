package org.jmatte.cpu;

import java.util.List;
import java.util.Locale;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.Loader;
import org.jmatte.InvalidInputException;
import org.jmatte.Isa;
import org.jmatte.bindings.cpu.CpuKernels;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Loads oneDNN and our kernels, and fixes the instruction set of both for the process. */
final class NativeLibraries {
    private static final Logger LOG = LoggerFactory.getLogger(NativeLibraries.class);
    private static final String SUPPORTED = "linux-x86_64";

    // As in jmatte_cpu.h.
    private static final int AVX2 = 1;
    private static final int AVX512 = 2;
    private static final int AVX512_BF16 = 3;
    private static final int AMX = 4;

    /** Primitives, of half a megabyte each, that oneDNN keeps after their last user is gone. */
    private static final int CACHED_PRIMITIVES = 128;

    private static Isa chosen;

    static {
        // JavaCPP would refuse allocations once the process is larger than twice the Java heap's limit; our memory is
        // planned. Its classes read these when they are loaded.
        for (String limit : List.of("org.bytedeco.javacpp.maxBytes", "org.bytedeco.javacpp.maxPhysicalBytes")) {
            if (System.getProperty(limit) == null) {
                System.setProperty(limit, "0");
            }
        }
    }

    private NativeLibraries() {}

    /**
     * Loads the libraries with the given instruction set, or finds them loaded with it.
     *
     * @throws InvalidInputException if the processor lacks it, or the process already runs with another one
     * @throws UnsupportedOperationException on another platform than linux-x86_64, or a processor without AVX2
     */
    static synchronized void load(Isa isa) {
        String platform = Loader.getPlatform();
        if (!platform.equals(SUPPORTED)) {
            throw new UnsupportedOperationException("the CPU backend has native code for " + SUPPORTED
                    + " with AVX2 only, this is " + platform + "; run on a 64-bit x86 Linux");
        }
        Loader.load(dnnl.class);
        int has = CpuKernels.detect_isa();
        if (has < AVX2) {
            throw new UnsupportedOperationException(
                    "the CPU backend needs a processor with AVX2 and FMA (x86-64-v3), which this one lacks");
        }
        Isa best = has == AMX ? Isa.AMX : has >= AVX512 ? Isa.AVX512 : Isa.AVX2;
        Isa wanted = isa != Isa.AUTO ? isa : chosen != null ? chosen : best;
        if (wanted.compareTo(best) > 0) {
            throw new InvalidInputException("isa: this processor offers at most " + name(best) + ", got " + name(wanted)
                    + "; choose " + name(best) + " or leave it out");
        }
        if (chosen == null) {
            check(dnnl.dnnl_set_max_cpu_isa(oneDnnIsa(wanted)), "choosing the instruction set");
            check(dnnl.dnnl_set_primitive_cache_capacity(CACHED_PRIMITIVES), "limiting its cache");
            CpuKernels.use_isa(wanted == Isa.AVX2 ? AVX2 : Math.min(has, AVX512_BF16));
            chosen = wanted;
            LOG.info("CPU backend with {}", name(wanted));
        } else if (chosen != wanted) {
            throw new InvalidInputException("isa: this process already runs with " + name(chosen) + ", got "
                    + name(wanted) + "; the instruction set is one choice per process");
        }
    }

    /** The instruction set in use; only after {@link #load}. */
    static synchronized Isa isa() {
        return chosen;
    }

    /** @throws IllegalStateException if {@code status}, from oneDNN's C functions, is not success */
    static void check(int status, String doing) {
        if (status != dnnl.dnnl_success) {
            throw new IllegalStateException("oneDNN failed " + doing + " with status " + status);
        }
    }

    private static int oneDnnIsa(Isa isa) {
        return switch (isa) {
            case AVX2 -> dnnl.dnnl_cpu_isa_avx2;
            case AVX512 -> dnnl.dnnl_cpu_isa_avx512_core_fp16; // the highest without AMX
            case AMX, AUTO -> dnnl.dnnl_cpu_isa_default;
        };
    }

    private static String name(Isa isa) {
        return isa.name().toLowerCase(Locale.ROOT);
    }
}
