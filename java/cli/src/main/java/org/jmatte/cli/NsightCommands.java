package org.jmatte.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jmatte.RunListener.Kernel;

/**
 * How NVIDIA's profilers look at one kernel of a run.
 *
 * @param kernel the operator
 * @param ncu shows one launch in every detail: the slowest one of the run after the warming one
 * @param nsys lists the times of all launches
 */
record NsightCommands(String kernel, String ncu, String nsys) {
    private static final Set<String> REPLACED = Set.of("--backend", "--warm-up", "--html", "--trace");

    /** For every kernel of a profile; of a processor's, which has none, for the matrix product alone. */
    static List<NsightCommands> of(Profile profile, List<String> arguments) {
        if (!profile.ofKernels()) {
            return List.of(of("gemm", 1, arguments));
        }
        return profile.operators().stream()
                .map(operator -> of(operator.name(), operator.calls() + slowest(profile, operator.name()), arguments))
                .toList();
    }

    /** The place of an operator's slowest launch among its launches. */
    private static int slowest(Profile profile, String operator) {
        List<Kernel> launches = profile.kernels().stream()
                .filter(kernel -> kernel.operator().equals(operator))
                .toList();
        int slowest = 0;
        for (int i = 1; i < launches.size(); i++) {
            if (time(launches.get(i)) > time(launches.get(slowest))) {
                slowest = i;
            }
        }
        return slowest;
    }

    private static long time(Kernel kernel) {
        return kernel.end() - kernel.start();
    }

    private static NsightCommands of(String kernel, int skipped, List<String> arguments) {
        String run = "./jmatte " + onCard(arguments);
        return new NsightCommands(
                kernel,
                "ncu --target-processes all --set full --kernel-name 'regex:^%s(_|$)' --launch-skip %d --launch-count 1 --export %s %s"
                        .formatted(kernel, skipped, kernel, run),
                "nsys profile --trace cuda --output %s %s && nsys stats --report cuda_gpu_kern_sum %s.nsys-rep | grep -w '%s[a-z0-9_]*'"
                        .formatted(kernel, run, kernel, kernel));
    }

    /** The command line of this run for a card: warmed up once, and without the files that it wrote. */
    private static String onCard(List<String> arguments) {
        List<String> words = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            String word = arguments.get(i);
            if (REPLACED.contains(word)) {
                i++; // its value
            } else if (REPLACED.stream().noneMatch(option -> word.startsWith(option + "="))) {
                words.add(word);
            }
        }
        words.addAll(List.of("--backend", "cuda", "--warm-up", "1"));
        return words.stream().map(NsightCommands::quoted).collect(Collectors.joining(" "));
    }

    /** A word as a shell reads it. */
    private static String quoted(String word) {
        return word.matches("[-\\w./:=,+@%]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
