package org.jmatte.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jmatte.InvalidInputException;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.Matting;
import org.jmatte.Routing;
import org.jmatte.image.Alpha;
import org.jmatte.image.AlphaWriter;
import org.jmatte.image.ImageException;
import org.jmatte.image.PngWriter;
import org.jmatte.image.Trimap;
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
        description = "Matte a photo, or all photos of a folder. Folders are matched by the files' paths without"
                + " extension; finished outputs are skipped, and pairs that cannot be done are named.")
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

    @Option(names = "--overwrite", description = "Replace existing outputs.")
    private boolean overwrite;

    @Override
    public Integer call() {
        boolean folders = Files.isDirectory(image);
        if (Files.isDirectory(trimap) != folders || (folders ? Files.isRegularFile(out) : Files.isDirectory(out))) {
            throw new InvalidInputException("--image, --trimap and --out: expected three files or three folders, got "
                    + kind(image) + ", " + kind(trimap) + " and " + kind(out));
        }
        return folders ? matteFolder() : matteFile();
    }

    private int matteFile() {
        if (format != null) {
            throw new InvalidInputException("--format: only for folders; the extension of --out says it for a file");
        }
        Alpha.Format stored = AlphaFile.of(out).format(bits);
        Job job = new Job(Job.name(Outputs.folder(image), image.toAbsolutePath()), image, trimap, out);
        requireOutputs(job);
        Job.Input input = job.read(trimapValues);
        requireRouters();
        Stopwatch loading = new Stopwatch();
        try (Matting matting = Matting.open(execution.model, execution.options())) {
            double load = loading.seconds();
            Report made;
            try (Interruption interruption = new Interruption();
                    ProgressDisplay progress = progress(1)) {
                Job.Result result = compute(input, matting, request(stored, interruption, progress));
                made = write(result, matting, load);
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
        Batch batch = Batch.of(image, trimap, out, kind, overwrite);
        requireOutputs(batch);
        requireRouters();
        PrintWriter err = spec.commandLine().getErr();
        batch.unmatched().forEach(line -> err.println("jmatte: skipped " + line));
        int made = batch.jobs().isEmpty() ? 0 : matteAll(batch.jobs(), stored);
        int failed = batch.unmatched().size() + batch.jobs().size() - made;
        tell(made + " made, " + batch.finished() + " finished before, " + failed + " failed");
        return failed == 0 ? Main.DONE : Main.FAILED;
    }

    /** Makes the mattes that can be made, and says how many. */
    private int matteAll(List<Job> jobs, Alpha.Format stored) {
        List<Report> reports = Collections.synchronizedList(new ArrayList<>());
        Stopwatch loading = new Stopwatch();
        try (Matting matting = Matting.open(execution.model, execution.options());
                Interruption interruption = new Interruption()) {
            double load = loading.seconds();
            try (ProgressDisplay progress = progress(jobs.size())) {
                MatteRequest request = request(stored, interruption, progress);
                new Pipeline<Job, Job.Input, Job.Result>(
                                job -> job.read(trimapValues),
                                input -> {
                                    progress.startImage(jobs.indexOf(input.job()));
                                    return compute(input, matting, request);
                                },
                                result -> reports.add(write(result, matting, reports.isEmpty() ? load : 0)),
                                (job, e) -> progress.print(main.describe("skipped " + job.name() + ": ", e)))
                        .run(jobs);
            } finally {
                if (report != null) {
                    Json.write(reports, report);
                }
            }
        }
        return reports.size();
    }

    private MatteRequest request(Alpha.Format stored, Interruption interruption, ProgressDisplay progress) {
        return MatteRequest.defaults()
                .withFormat(stored)
                .withCancellation(interruption.cancellation())
                .withProgress(progress);
    }

    private static Job.Result compute(Job.Input input, Matting matting, MatteRequest request) {
        Stopwatch watch = new Stopwatch();
        Matte matte = matting.matte(input.photo(), input.trimap(), request);
        return new Job.Result(input, matte, watch.seconds());
    }

    /** Writes overlays and, last, alpha: an image whose alpha is there is finished. */
    private Report write(Job.Result result, Matting matting, double load) {
        Stopwatch watch = new Stopwatch();
        Job job = result.input().job();
        Routing decisions = result.matte().routing();
        try {
            for (int router = 0; routing != null && router < decisions.kept().size(); router++) {
                Path overlay = overlay(job, router);
                Files.createDirectories(Outputs.folder(overlay));
                PngWriter.write(RoutingOverlay.draw(result.input().photo(), decisions, router), overlay);
            }
            Files.createDirectories(Outputs.folder(job.out()));
            AlphaWriter.write(result.matte().alpha(), job.out());
        } catch (ImageException e) {
            throw new OutputException(e.getMessage(), e);
        } catch (IOException e) {
            throw new OutputException("the folder " + e.getMessage() + " could not be made (" + e + ")", e);
        }
        String model = matting.architecture().name();
        return Report.of(result, execution.backend(), model, execution.dtype(), load, watch.seconds());
    }

    private Path overlay(Job job, int router) {
        return routing.resolve(job.name() + "_router" + router + ".png");
    }

    private void requireOutputs(Job job) {
        Outputs.requireFree(out, overwrite);
        AlphaWriter.check(out, true);
        Outputs.requireOther(out, image, trimap);
        if (report != null) {
            Json.check(report, overwrite);
            Outputs.requireOther(report, image, trimap, out);
        }
        if (routing != null) {
            Outputs.requireCreatable(routing);
            Outputs.requireFree(overlay(job, 0), overwrite);
        }
    }

    /** Reports and overlays of an earlier run are replaced: it may be going on where that one stopped. */
    private void requireOutputs(Batch batch) {
        Outputs.requireCreatable(out);
        for (Job job : batch.jobs()) {
            Outputs.requireCreatable(Outputs.folder(job.out()));
            Outputs.requireFree(job.out(), true);
        }
        if (report != null) {
            Json.check(report, true);
        }
        if (routing != null) {
            Outputs.requireCreatable(routing);
        }
    }

    /** Overlays need a network with routers. */
    private void requireRouters() {
        if (routing == null) {
            return;
        }
        try (ModelSource source = ModelSource.open(execution.model)) {
            if (!source.architecture().routed()) {
                throw new InvalidInputException("--routing: expected a model with routers, which "
                        + source.architecture().name() + " has not; leave --routing out or choose a MEMatte model");
            }
        }
    }

    private ProgressDisplay progress(int images) {
        boolean shown = !main.quiet() && ProgressDisplay.terminal();
        return new ProgressDisplay(images, shown, spec.commandLine().getErr());
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
