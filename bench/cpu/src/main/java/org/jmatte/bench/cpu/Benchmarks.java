package org.jmatte.bench.cpu;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Collection;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jmatte.image.AtomicFile;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bench/run}: rounds in which ours and the peers take turns, a file of results, and the README's figures. */
@Command(
        name = "bench/run",
        sortOptions = false,
        description = "Time operators and networks on the CPU beside libtorch's, and write bench/results.")
public final class Benchmarks implements Callable<Integer> {
    /** The share of the processor from which others' work disturbs the measurement. */
    private static final double BUSY = 0.1;

    private static final String HOME = "${sys:jmatte.home:-.}"; // the project's folder

    @Spec
    private CommandSpec spec;

    @Option(names = "--rounds", paramLabel = "N", description = "Rounds in which the peers take turns; 3 by default.")
    private int rounds = 3;

    @Option(names = "--threads", paramLabel = "N", description = "Threads of everybody; 2 by default.")
    private int threads = 2;

    @Option(names = "--quick", description = "One round at tiny sizes, to see that it works; the times mean nothing.")
    private boolean quick;

    @Option(
            names = "--onnx",
            paramLabel = "FILE",
            description =
                    "ViTMatte S as an ONNX file (pixel_values [1, 4, H, W]), to be timed in ONNX Runtime as well.")
    private Path onnx;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = HOME + "/bench/results",
            description = "Where the results go; the project's bench/results by default.")
    private Path out;

    @Option(
            names = "--readme",
            paramLabel = "FILE",
            defaultValue = HOME + "/README.md",
            description = "Where the figures are put as well, but for quick ones; the project's README.md by default.")
    private Path readme;

    @Option(names = "--help", usageHelp = true, description = "Show this help.")
    private boolean help;

    private final Measurements measured = new Measurements();

    /** Exit codes: 0 done, 1 failed, 2 wrong usage. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Benchmarks()).execute(arguments));
    }

    @Override
    public Integer call() throws RunnerException, IOException, InterruptedException {
        require(rounds > 0, "--rounds", "at least 1", rounds);
        require(threads > 0, "--threads", "at least 1", threads);
        require(onnx == null || Files.isRegularFile(onnx), "--onnx", "a file", onnx);
        require(Files.isDirectory(out), "--out", "a folder", out);
        require(quick || Files.isRegularFile(readme), "--readme", "a file", readme);
        double before = othersWork();
        for (int round = 0; round < (quick ? 1 : rounds); round++) {
            round();
        }
        Report report = new Report(measured, head(before, othersWork()), threads);
        Path results = out.resolve(
                LocalDate.now() + "-" + machine().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-") + "-libtorch"
                        + (quick ? "-quick" : "") + ".md");
        String markdown = report.markdown();
        AtomicFile.write(results, file -> Files.writeString(file, markdown));
        spec.commandLine().getOut().println(markdown + "\nwritten: " + results);
        if (!quick) {
            ReadmeFigures.write(readme, results);
        }
        return CommandLine.ExitCode.OK;
    }

    /** Everything once. */
    private void round() throws RunnerException {
        run(of(CeilingBenchmark.class).threads(threads));
        if (quick) {
            operators(OperatorBenchmark.class, "fp32", "128x96");
            run(network("mematte_tiny 128x96").param("dtype", "fp32"));
            return;
        }
        operators(OperatorBenchmark.class, "fp32", "1024x1024", "3840x2160", "989x1111");
        operators(OperatorBenchmark.class, "bf16", "1024x1024");
        operators(GlobalAttentionBenchmark.class, "fp32", "1024x1024", "989x1111");
        run(network());
        if (onnx != null) {
            run(network("vitmatte_s 1024x1024")
                    .param("peer", NetworkPeer.ONNX_RUNTIME)
                    .param("dtype", "fp32")
                    .jvmArgsAppend("-D" + NetworkPeer.ONNX_FILE + "=" + onnx.toAbsolutePath()));
        }
    }

    private void operators(Class<?> benchmark, String dtype, String... sizes) throws RunnerException {
        run(of(benchmark)
                .param("threads", String.valueOf(threads))
                .param("dtype", dtype)
                .param("size", sizes));
    }

    private ChainedOptionsBuilder network(String... networks) {
        ChainedOptionsBuilder options = of(NetworkBenchmark.class)
                .param("threads", String.valueOf(threads))
                .addProfiler(PeakMemory.class);
        return networks.length == 0 ? options : options.param("network", networks);
    }

    private static ChainedOptionsBuilder of(Class<?> benchmark) {
        return new OptionsBuilder().include(benchmark.getSimpleName() + "\\.").shouldFailOnError(true);
    }

    private void run(ChainedOptionsBuilder options) throws RunnerException {
        Collection<RunResult> results = new Runner(options.build()).run();
        measured.add(results);
    }

    private String head(double before, double after) throws IOException {
        return """
                %s, %s, %d threads, %.0f %% of the processor taken by others before and %.0f %% after%s. Medians over the rounds, of which there were %d and in which the
                peers took turns, with the least and the most; a ratio is of one round's times. A quarter of MEMatte's tokens are kept, all of PAM's
                segments, everything is decoded. GFLOP/s and GB/s are of what the operator itself counts.

                    bench/run %s
                %s"""
                .formatted(
                        LocalDate.now(),
                        machine(),
                        threads,
                        100 * before,
                        100 * after,
                        quick ? "; a QUICK run, whose times mean nothing" : "",
                        quick ? 1 : rounds,
                        String.join(" ", spec.commandLine().getParseResult().originalArgs()),
                        caution(Math.max(before, after)));
    }

    private static String machine() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                            .findFirst()
                            .map(line -> line.replaceFirst(".*: ", ""))
                            .orElse("processor")
                    + ", " + Runtime.getRuntime().availableProcessors() + " cores";
        }
    }

    /** What to say if others computed meanwhile: libtorch's threads wait for each other by spinning, so it suffers more. */
    private static String caution(double others) {
        return others < BUSY
                ? ""
                : "\n**Other work was running, of which libtorch's spinning threads suffer more: the ratios flatter ours.**\n";
    }

    /** The share of the processor that others take at the moment. */
    private static double othersWork() throws InterruptedException {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        system.getCpuLoad(); // since when
        TimeUnit.SECONDS.sleep(2);
        return system.getCpuLoad();
    }

    private void require(boolean condition, String option, String expected, Object got) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), option + ": expected " + expected + ", got " + got);
        }
    }
}
