package org.jmatte.kernels;

import java.util.List;
import org.jmatte.bindings.nvtx.Nvtx;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A range around every launch, named after the operator, for profilers to show: in NVTX's domain {@code jmatte}. Only
 * where a profiler asks for them, which sets {@code NVTX_INJECTION64_PATH}, or somebody with {@code -Djmatte.nvtx=true},
 * and where the artifact {@code jmatte-nvtx} is.
 */
final class NvtxRanges implements LaunchHook {
    private static final Logger LOG = LoggerFactory.getLogger(NvtxRanges.class);

    private NvtxRanges() {}

    /** What new devices put around their launches: the ranges or nothing. */
    static List<LaunchHook> hooks() {
        return Found.HOOKS;
    }

    private static boolean wanted() {
        return Boolean.getBoolean("jmatte.nvtx") || System.getenv("NVTX_INJECTION64_PATH") != null;
    }

    private static final class Found {
        static final List<LaunchHook> HOOKS = find();

        private static List<LaunchHook> find() {
            if (!wanted()) {
                return List.of();
            }
            try {
                if (Nvtx.available()) {
                    return List.of(new NvtxRanges());
                }
                LOG.warn("no NVTX ranges: jmatte-nvtx was built without NVTX's headers, which come with CUDA");
            } catch (LinkageError e) {
                LOG.warn(
                        "no NVTX ranges: the artifact org.jmatte:jmatte-nvtx is not on the class path or does not load ({})",
                        e.toString());
            }
            return List.of();
        }
    }

    @Override
    public void launch(Launch launch, Stream stream, Runnable run) {
        Nvtx.push(launch.operator());
        try {
            run.run();
        } finally {
            Nvtx.pop();
        }
    }
}
