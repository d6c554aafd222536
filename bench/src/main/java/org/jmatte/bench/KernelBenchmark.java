package org.jmatte.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.DeviceException;
import org.jmatte.kernels.Devices;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.EmulatedDevice;
import org.jmatte.kernels.EmulatorOptions;
import org.jmatte.kernels.InvalidArgumentException;
import org.jmatte.kernels.VendorLibrary;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Times the kernels at the shapes of MEMatte S, and those of PAM that it does without. */
@Command(
        name = "kernel-benchmark",
        sortOptions = false,
        description = "Time the GPU kernels by events, beside what the card reaches.")
public final class KernelBenchmark implements Callable<Integer> {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,6})[xX](\\d{1,6})");
    private static final Pattern CARD = Pattern.compile("gpu(:(\\d{1,3}))?");
    private static final Path DRIVER = Path.of("/proc/driver/nvidia/version");

    @Spec
    private CommandSpec spec;

    @Option(names = "--device", paramLabel = "D", description = "gpu (default), gpu:N for card N, or emulated.")
    private String device = "gpu";

    @Option(
            names = "--size",
            paramLabel = "HxW",
            split = ",",
            description = "Photos whose shapes are taken; 1024x1024,2160x3840 by default, 64x64 when emulated.")
    private List<String> sizes;

    @Option(names = "--keep", paramLabel = "F", description = "Fraction of tokens that routers keep; 0.25 by default.")
    private double keep = 0.25;

    @Option(names = "--dtype", paramLabel = "T", description = "fp16 (default), bf16 or fp32.")
    private String dtype = "fp16";

    @Option(names = "--runs", paramLabel = "N", description = "Runs of each call; 50 by default, 1 when emulated.")
    private Integer runs;

    @Option(names = "--only", paramLabel = "TEXT", description = "Only calls whose name holds this text.")
    private String only = "";

    @Option(names = "--out", paramLabel = "DIR", description = "Also write Markdown and JSON files there.")
    private Path out;

    @Option(names = "--help", usageHelp = true, description = "Show this help.")
    private boolean help;

    /** Exit codes: 0 done, 1 failed, 2 wrong usage. */
    public static void main(String[] arguments) {
        System.exit(run(arguments, new PrintWriter(System.out, true), new PrintWriter(System.err, true)));
    }

    /** As {@link #main}, with other places to write to; returns the exit code. */
    static int run(String[] arguments, PrintWriter out, PrintWriter err) {
        return new CommandLine(new KernelBenchmark())
                .setOut(out)
                .setErr(err)
                .setExecutionExceptionHandler((e, commandLine, parsed) -> {
                    if (e instanceof DeviceException
                            || e instanceof InvalidArgumentException
                            || e instanceof IOException) {
                        err.println("kernel-benchmark: " + e.getMessage());
                        return CommandLine.ExitCode.SOFTWARE;
                    }
                    throw e;
                })
                .execute(arguments);
    }

    @Override
    public Integer call() throws IOException {
        boolean emulated = device.equals("emulated");
        require(keep >= 0 && keep <= 1, "--keep", "0 to 1", keep);
        require(runs == null || runs > 0, "--runs", "at least 1", runs);
        ElementType type = type();
        List<Photo> photos = photos(emulated);
        require(!calls(photos.get(0), type).isEmpty(), "--only", "text of a call's name", only);
        int count = runs != null ? runs : emulated ? 1 : 50;
        try (Device opened = open(emulated)) {
            List<Result> results = new ArrayList<>();
            String vendor;
            try (VendorLibrary library = library(opened)) {
                for (Photo photo : photos) {
                    results.addAll(Measurement.of(opened, photo, calls(photo, type), type, count, library));
                }
                vendor = library == null ? "none" : library.name();
            }
            String name = opened.name();
            Report report = new Report(
                    LocalDate.now().toString(),
                    emulated ? name : name + ", sm_" + opened.architecture(),
                    driver(emulated),
                    spec.name() + " "
                            + String.join(
                                    " ", spec.commandLine().getParseResult().originalArgs()),
                    dtype,
                    count,
                    vendor,
                    emulated,
                    results);
            spec.commandLine().getOut().print(report.markdown());
            spec.commandLine().getOut().flush();
            if (out != null) {
                String card = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
                report.write(out, report.date() + "-kernels-" + card + "-" + dtype);
            }
        }
        return CommandLine.ExitCode.OK;
    }

    private List<KernelCall> calls(Photo photo, ElementType type) {
        List<KernelCall> calls = new ArrayList<>(MematteCalls.of(photo.height(), photo.width(), keep, type));
        calls.addAll(OtherCalls.of(photo.height(), photo.width(), keep, type));
        calls.removeIf(call -> !call.name().contains(only));
        return calls;
    }

    /** The vendor's library, or null where it is not, or no card. */
    private VendorLibrary library(Device opened) {
        if (opened instanceof EmulatedDevice) {
            return null;
        }
        try {
            return VendorLibrary.open(opened);
        } catch (DeviceException e) {
            spec.commandLine().getErr().println("kernel-benchmark: no vendor's library beside: " + e.getMessage());
            return null;
        }
    }

    // ---------------------------------------------------------------- options

    private Device open(boolean emulated) {
        if (emulated) {
            return Devices.emulated(EmulatorOptions.sm(80));
        }
        Matcher card = CARD.matcher(device);
        require(card.matches(), "--device", "gpu, gpu:N or emulated", device);
        return card.group(2) == null ? Devices.open() : Devices.open(Integer.parseInt(card.group(2)));
    }

    private ElementType type() {
        return switch (dtype) {
            case "fp16" -> ElementType.FP16;
            case "bf16" -> ElementType.BF16;
            case "fp32" -> ElementType.FP32;
            default -> throw refused("--dtype", "fp16, bf16 or fp32", dtype);
        };
    }

    private List<Photo> photos(boolean emulated) {
        List<String> texts = sizes != null ? sizes : emulated ? List.of("64x64") : List.of("1024x1024", "2160x3840");
        List<Photo> photos = new ArrayList<>();
        for (String text : texts) {
            Matcher size = SIZE.matcher(text);
            require(size.matches(), "--size", "HEIGHTxWIDTH in pixels such as 1024x1024", text);
            Photo photo = new Photo(Integer.parseInt(size.group(1)), Integer.parseInt(size.group(2)));
            require(photo.height() >= 32 && photo.width() >= 32, "--size", "sides of at least 32 pixels", text);
            photos.add(photo);
        }
        return photos;
    }

    private void require(boolean condition, String option, String expected, Object got) {
        if (!condition) {
            throw refused(option, expected, got);
        }
    }

    private ParameterException refused(String option, String expected, Object got) {
        return new ParameterException(spec.commandLine(), option + ": expected " + expected + ", got " + got);
    }

    /** The driver's own line about itself. */
    private static String driver(boolean emulated) throws IOException {
        return emulated || !Files.exists(DRIVER)
                ? ""
                : Files.readAllLines(DRIVER).get(0).replaceAll("\\s+", " ");
    }
}
