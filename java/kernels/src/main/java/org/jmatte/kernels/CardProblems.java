package org.jmatte.kernels;

import java.util.Locale;

/** Why a machine's card cannot be used, in words that say what to do. */
final class CardProblems {
    /** The first architecture with the matrix instructions that the kernels use. */
    static final int OLDEST_ARCHITECTURE = 75;

    /** The oldest CUDA whose drivers JCuda 12.6 is known to run on, as the driver reports it. */
    static final int OLDEST_DRIVER = 12000;

    private static final String NO_CARD_NEEDED =
            "; without a card, use the CPU backend, or the emulator for tests of kernels";

    private CardProblems() {}

    /** JCuda's native library did not load. */
    static String notLoaded(String linkError, String os, String architecture) {
        if (linkError.contains("libcuda.so") || linkError.contains("nvcuda.dll")) {
            return "no NVIDIA driver: libcuda.so.1 was not found. Install the driver (nvidia-smi must list a card); in a"
                    + " container, start it with the NVIDIA Container Toolkit (docker run --gpus all ...)"
                    + NO_CARD_NEEDED;
        }
        if (linkError.contains("undefined symbol")) {
            return "the NVIDIA driver is too old for JCuda 12.6: " + line(linkError, "undefined symbol")
                    + ". Install a driver of version 560 or newer" + NO_CARD_NEEDED;
        }
        if (!os.toLowerCase(Locale.ROOT).contains("linux") || !architecture.matches("amd64|x86_64")) {
            return "no native library of JCuda for " + os + " on " + architecture
                    + ". Add the artifact org.jcuda:jcuda-natives:12.6.0 with this platform's classifier, such as"
                    + " windows-x86_64, if there is one" + NO_CARD_NEEDED;
        }
        return "the native library of JCuda could not be loaded: "
                + linkError.strip().lines().findFirst().orElse("")
                + ". The artifact org.jcuda:jcuda-natives:12.6.0:linux-x86_64 must be on the class path, and "
                + System.getProperty("java.io.tmpdir") + " writable and not mounted noexec" + NO_CARD_NEEDED;
    }

    private static String line(String text, String part) {
        return text.lines()
                .filter(line -> line.contains(part))
                .findFirst()
                .orElse("")
                .strip();
    }

    /** The driver is there but did not start: {@code error} as {@link Cuda#describe} has it. */
    static String notStarted(int code, String error, String visibleDevices) {
        String why =
                switch (code) {
                    case 34 ->
                        "libcuda.so.1 is the stub of a CUDA toolkit, not the driver's. Remove the stubs folder"
                                + " from LD_LIBRARY_PATH, and install the driver";
                    case 100 ->
                        visibleDevices == null
                                ? "no NVIDIA card: the driver is there but sees none. nvidia-smi must list a card; in a"
                                        + " container, start it with docker run --gpus all ..."
                                : "no NVIDIA card: the driver is there but sees none of CUDA_VISIBLE_DEVICES="
                                        + visibleDevices + ". Change or unset that variable";
                    case 803, 804 ->
                        "the NVIDIA driver's library and its kernel module have different versions."
                                + " Restart the machine, or remove the CUDA compatibility package";
                    case 999 ->
                        "the NVIDIA driver did not start. nvidia-smi must list a card; after an update of the"
                                + " driver or a suspend, reload its kernel module or restart the machine";
                    default -> "the NVIDIA driver did not start";
                };
        return why + " (" + error + ")" + NO_CARD_NEEDED;
    }

    /** Null if the driver is new enough; {@code version} as {@code cuDriverGetVersion} has it. */
    static String oldDriver(int version) {
        if (version >= OLDEST_DRIVER) {
            return null;
        }
        return "the NVIDIA driver is too old: it is for CUDA " + cuda(version) + ", and CUDA " + cuda(OLDEST_DRIVER)
                + " is needed. Install a driver of version 525 or newer" + NO_CARD_NEEDED;
    }

    private static String cuda(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }

    /** Null if the kernels run on a card of that architecture. */
    static String oldCard(String name, int architecture) {
        if (architecture >= OLDEST_ARCHITECTURE) {
            return null;
        }
        return name + " is too old: it is sm_" + architecture + ", and the kernels need sm_" + OLDEST_ARCHITECTURE
                + " (Turing: GeForce 16 or RTX 20, Quadro RTX, T4) or newer. Use another card, or the CPU backend";
    }
}
