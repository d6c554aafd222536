package org.jmatte.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jmatte.Foreground;
import org.jmatte.InvalidInputException;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.Matting;
import org.jmatte.Routing;
import org.jmatte.image.Alpha;
import org.jmatte.image.AlphaWriter;
import org.jmatte.image.Photo;
import org.jmatte.image.PngWriter;
import org.jmatte.image.Trimap;
import org.jmatte.network.VitArchitecture;
import org.jmatte.weights.ModelSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jmatte matte}: one photo, or a folder of photos. */
@Command(
        name = "matte",
        sortOptions = false,
        sortSynopsis = false,
        description =
                "Matte a photo, or all photos of a folder. Folders are matched by the files' paths without"
                        + " extension; photos whose outputs are all there are skipped, and pairs that cannot be done are named.")
final class MatteCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @ParentCommand
    private Main main;

    @Mixin
    private ExecutionOptions execution;

    @Option(names = "--image", required = true, paramLabel = "IMAGE", description = "The photo, or a folder.")
    private Path image;

    @Option(
            names = "--trimap",
            required = true,
            paramLabel = "TRIMAP",
            description = "The trimap: 0 background, 255 foreground, else unknown. Or a folder.")
    private Path trimap;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "OUT",
            description = "The alpha: .png (grey) or .npy (float32 [H,W]). Or a folder, made where missing.")
    private Path out;

    @Option(
            names = "--trimap-values",
            paramLabel = "snap|raw",
            description = "Whether the network sees unknown pixels as 0.5, or every pixel as value / 255; snap by"
                    + " default.")
    private Trimap.Values trimapValues = Trimap.Values.SNAP;

    @Option(names = "--bits", paramLabel = "8|16", description = "Of a .png; 8 by default.")
    private Integer bits;

    @Option(names = "--format", paramLabel = "png|npy", description = "Of the outputs in a folder; png by default.")
    private AlphaFile format;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "JSON of times, tokens and memory; for folders an array, one element per matte made.")
    private Path report;

    @Option(
            names = "--routing",
            paramLabel = "FOLDER",
            description = "One picture per router: the photo, greyed out where tokens took the lightweight path.")
    private Path routing;

    @Mixin
    private ForegroundOptions pictures;

    @Option(names = "--overwrite", description = "Replace existing outputs.")
    private boolean overwrite;

    @Override
    public Integer call() {
        boolean folders = Files.isDirectory(image);
        if (Files.isDirectory(trimap) != folders || (folders ? Files.isRegularFile(out) : Files.isDirectory(out))) {
            throw new InvalidInputException("--image, --trimap and --out: expected three files or three folders, got "
                    + kind(image) + ", " + kind(trimap) + " and " + kind(out));
        }
        pictures.prepare(folders);
        return folders ? matteFolder() : matteFile();
    }

    private int matteFile() {
        if (format != null) {
            throw new InvalidInputException("--format: only for folders; the extension of --out says it for a file");
        }
        Alpha.Format stored = AlphaFile.of(out).format(bits);
        Job job = new Job(Job.name(Outputs.folder(image), image.toAbsolutePath()), image, trimap, out);
        requireOutputs(job);
        Job.Input input = read(job);
        Stopwatch loading = new Stopwatch();
        try (Matting matting = open()) {
            double load = loading.seconds();
            Report made;
            try (Interruption interruption = main.interruptible();
                    ProgressDisplay progress = main.progress("matte", 1)) {
                Job.Result result = compute(input, matting, request(stored, interruption), progress);
                made = write(result, matting, load, progress);
                if (report != null) {
                    Json.write(made, report);
                }
            }
            tell(String.format(
                    Locale.ROOT,
                    "%s: %dx%d, %s %s %s, %.3f s",
                    out,
                    made.height(),
                    made.width(),
                    made.model(),
                    made.dtype(),
                    made.backend(),
                    made.seconds().total()));
        }
        return Main.DONE;
    }

    private int matteFolder() {
        AlphaFile kind = format == null ? AlphaFile.PNG : format;
        Alpha.Format stored = kind.format(bits);
        Batch batch = Batch.of(image, trimap, out, kind, overwrite ? job -> List.of() : this::outputs);
        requireOutputs(batch);
        PrintWriter err = spec.commandLine().getErr();
        batch.unmatched().forEach(line -> err.println("jmatte: skipped " + line));
        List<Job> jobs = batch.jobs().stream().filter(this::hasPlace).toList();
        int made = 0;
        if (!jobs.isEmpty()) {
            made = matteAll(jobs, stored);
        } else if (report != null) {
            Json.write(List.of(), report);
        }
        int failed = batch.unmatched().size() + batch.jobs().size() - made;
        tell(made + " made, " + batch.finished() + " finished before, " + failed + " failed");
        return failed == 0 ? Main.DONE : Main.FAILED;
    }

    /** Makes the mattes that can be made, and says how many. */
    private int matteAll(List<Job> jobs, Alpha.Format stored) {
        SortedMap<String, Report> reports = new ConcurrentSkipListMap<>(); // in the order of the jobs
        AtomicBoolean loaded = new AtomicBoolean();
        Stopwatch loading = new Stopwatch();
        try (Matting matting = open();
                Interruption interruption = main.interruptible()) {
            double load = loading.seconds();
            try (ProgressDisplay progress = main.progress("matte", jobs.size())) {
                MatteRequest request = request(stored, interruption);
                Pipeline<Job, Job.Input, Job.Result> pipeline = new Pipeline<>(
                        this::read,
                        input -> compute(input, matting, request, progress),
                        result -> {
                            double loadSeconds = loaded.getAndSet(true) ? 0 : load;
                            Report made = write(result, matting, loadSeconds, progress);
                            reports.put(result.job().name(), made);
                        },
                        (job, e) -> progress.print(skipped(job, e)));
                pipeline.run(jobs, execution.overlap(matting));
            } finally {
                if (report != null) {
                    Json.write(reports.values(), report);
                }
            }
        }
        return reports.size();
    }

    private static MatteRequest request(Alpha.Format stored, Interruption interruption) {
        return MatteRequest.defaults().withFormat(stored).withCancellation(interruption.cancellation());
    }

    /** Opens the model, if it can do what is asked for. */
    private Matting open() {
        try (ModelSource source = ModelSource.open(execution.model)) {
            if (routing != null && !source.architecture().routed()) {
                throw new InvalidInputException("--routing: expected a model with routers, which "
                        + source.architecture().name() + " has not; leave --routing out or choose a MEMatte model");
            }
            return Matting.open(source, execution.options());
        }
    }

    private Job.Input read(Job job) {
        Job.Input input = job.read(trimapValues);
        if (execution.budgeted()) {
            // what the pictures were decoded into, and the image before this one, would stay until the heap is full
            System.gc();
        }
        return input;
    }

    private Job.Result compute(Job.Input input, Matting matting, MatteRequest request, ProgressDisplay progress) {
        if (execution.budgeted() && pictures.wanted()) {
            requireMemory(input, matting, request.format());
        }
        Stopwatch watch = new Stopwatch();
        Matte matte;
        try (ProgressDisplay.Image image = progress.image()) {
            matte = matting.matte(input.photo(), input.trimap(), request.withProgress(image));
        }
        double seconds = watch.seconds();
        Photo drawnOn = routing == null ? null : input.photo();
        Photo foreground = pictures.wanted()
                ? Foreground.estimate(
                        input.photo(), matte.alpha(), execution.options().threads())
                : null;
        return new Job.Result(
                input.job(), drawnOn, foreground, matte, input.seconds(), seconds, watch.seconds() - seconds);
    }

    /** Requires the memory budget to have room for the foreground's estimation, which follows the matte. */
    private void requireMemory(Job.Input input, Matting matting, Alpha.Format stored) {
        int height = input.photo().height();
        int width = input.photo().width();
        long trimapAndAlpha = (long) height * width * (1 + stored.bytes());
        long needed = matting.plan(height, width).weightsBytes()
                + 2L * input.photo().pixels().capacity()
                + trimapAndAlpha
                + Foreground.workingBytes(height, width, execution.options().threads());
        if (needed > execution.options().memoryBudget()) {
            throw new InvalidInputException(
                    "memory budget: the foreground colours of %dx%d pixels need %d bytes, got %d;"
                                    .formatted(
                                            height,
                                            width,
                                            needed,
                                            execution.options().memoryBudget())
                            + " give at least that, or leave --cutout, --foreground and --composite out");
        }
    }

    /** Writes other pictures and, last, alpha. */
    private Report write(Job.Result result, Matting matting, double load, ProgressDisplay progress) {
        Stopwatch watch = new Stopwatch();
        Job job = result.job();
        Outputs.write(Outputs.folder(job.out()), () -> {
            if (routing != null) {
                writeOverlays(result, progress);
            }
            pictures.write(job, result.foreground(), result.matte().alpha());
            AlphaWriter.write(result.matte().alpha(), job.out());
        });
        String model = matting.architecture().name();
        return Report.of(result, Main.word(matting.backend()), model, execution.dtype(), load, watch.seconds());
    }

    private void writeOverlays(Job.Result result, ProgressDisplay progress) throws IOException {
        Job job = result.job();
        Routing decisions = result.matte().routing();
        if (decisions.kept().isEmpty()) {
            progress.print("jmatte: " + job.image() + ": no overlays, for the trimap knows every pixel and no router"
                    + " was needed");
        }
        for (int router = 0; router < decisions.kept().size(); router++) {
            Path overlay = overlays(job).get(router);
            Files.createDirectories(Outputs.folder(overlay));
            PngWriter.write(RoutingOverlay.draw(result.photo(), decisions, router), overlay);
        }
    }

    /** Where the routers' pictures go; none if they are not asked for. */
    private List<Path> overlays(Job job) {
        return IntStream.range(0, routing == null ? 0 : VitArchitecture.globalBlocks().length)
                .mapToObj(router -> routing.resolve(job.name() + "_router" + router + ".png"))
                .toList();
    }

    /** All that is written. */
    private List<Path> outputs(Job job) {
        return Stream.concat(Stream.of(job.out()), others(job).stream()).toList();
    }

    /** What is written besides alpha. */
    private List<Path> others(Job job) {
        return Stream.concat(overlays(job).stream(), pictures.files(job).stream())
                .toList();
    }

    private void requireOutputs(Job job) {
        AlphaWriter.check(out, true);
        Outputs.requireFree(out, overwrite);
        if (report != null) {
            Outputs.requireFree(report, overwrite);
        }
        others(job).forEach(other -> Outputs.requireCreatableFile(other, overwrite));
        requireOthers(List.of(image, trimap), List.of(job));
    }

    /** Reports and overlays of an earlier run are replaced: it may be going on where that one stopped. */
    private void requireOutputs(Batch batch) {
        Outputs.requireCreatable(out);
        if (report != null) {
            Outputs.requireFree(report, true);
        }
        if (routing != null) {
            Outputs.requireCreatable(routing);
        }
        requireOthers(batch.kept(), batch.jobs());
    }

    /** Requires that nothing that must stay is overwritten, nor an output by another one. */
    private void requireOthers(Collection<Path> kept, List<Job> jobs) {
        Outputs outputs = new Outputs();
        kept.forEach(outputs::protect);
        outputs.protectAll(Path.of(execution.model));
        pictures.inputs().forEach(outputs::protect);
        for (Job job : jobs) {
            outputs.claim(job.out());
            others(job).forEach(outputs::claim);
        }
        if (report != null) {
            outputs.claim(report);
        }
    }

    /** Whether a job's outputs can be written; says why if not. */
    private boolean hasPlace(Job job) {
        try {
            Outputs.requireCreatableFile(job.out(), true);
            others(job).forEach(other -> Outputs.requireCreatableFile(other, true));
            return true;
        } catch (InvalidInputException e) {
            spec.commandLine().getErr().println(skipped(job, e));
            return false;
        }
    }

    private String skipped(Job job, Throwable error) {
        return main.describe("skipped " + job.name() + ": ", error);
    }

    private void tell(String summary) {
        if (!main.quiet()) {
            spec.commandLine().getOut().println(summary);
        }
    }

    private static String kind(Path path) {
        return path + (Files.isDirectory(path) ? " (a folder)" : Files.exists(path) ? " (a file)" : " (missing)");
    }
}
