package org.jmatte.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jmatte.InvalidInputException;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.Matting;
import org.jmatte.cli.DataSet.Role;
import org.jmatte.cli.DataSet.Sample;
import org.jmatte.image.Alpha;
import org.jmatte.image.AlphaWriter;
import org.jmatte.image.ImageException;
import org.jmatte.image.ImageFiles;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.metrics.MattingErrors;
import picocli.CommandLine.Command;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jmatte eval}: how good mattes of a data set are; the next image is matted while the last one is scored. */
@Command(
        name = "eval",
        modelTransformer = EvalCommand.ModelOrPredictions.class,
        sortOptions = false,
        sortSynopsis = false,
        description = {
            "Score a network, or mattes that are there, on a data set: SAD, MSE, Grad and Conn over the pixels that the"
                    + " trimaps leave unknown, seconds and peak memory per image and in the mean, beside published"
                    + " figures.",
            "Images, trimaps and true mattes are matched by name up to the extension; what lacks its partners is named,"
                    + " and the rest is done. With --out or --json, a run that was stopped goes on where it was."
        })
final class EvalCommand implements Callable<Integer> {
    private static final String REPORT = "eval.json";

    @Spec
    private CommandSpec spec;

    @ParentCommand
    private Main main;

    /** Makes {@code --model}, which is required otherwise, one of two. */
    static final class ModelOrPredictions implements IModelTransformer {
        @Override
        public CommandSpec transform(CommandSpec command) {
            ArgGroupSpec.Builder oneOf = ArgGroupSpec.builder().exclusive(true).multiplicity("1");
            for (String name : List.of("--model", "--predictions")) {
                OptionSpec option = command.findOption(name);
                command.remove(option);
                oneOf.addArg(option.toBuilder().required(true).build());
            }
            return command.addArgGroup(oneOf.build());
        }
    }

    @Option(
            names = "--predictions",
            paramLabel = "FOLDER",
            description = "Score the mattes in this folder instead of a network's: pictures of 8 or 16 bits.")
    private Path predictions;

    @Mixin
    private ExecutionOptions network;

    @Option(names = "--data", required = true, paramLabel = "FOLDER", description = "The data set.")
    private Path data;

    @Option(
            names = "--layout",
            paramLabel = "LAYOUT",
            description = "composition-1k (merged, trimaps, alpha_copy), aim-500 (original, trimap, mask),"
                    + " distinctions-646, transparent-460, simd, uhr-395, or by-name, the default: these, folders are"
                    + " found by the usual names. It also says which published figures stand beside.")
    private Layout layout = Layout.BY_NAME;

    @Option(names = "--image-dir", paramLabel = "NAME", description = "The folder of images in the data set.")
    private String imageDir;

    @Option(names = "--trimap-dir", paramLabel = "NAME", description = "The folder of trimaps.")
    private String trimapDir;

    @Option(names = "--truth-dir", paramLabel = "NAME", description = "The folder of true mattes, of 8 or 16 bits.")
    private String truthDir;

    @Option(
            names = "--trimap-values",
            paramLabel = "snap|raw",
            description = "Whether the network sees unknown pixels as 0.5, or every pixel as value / 255; snap by"
                    + " default.")
    private Trimap.Values trimapValues = Trimap.Values.SNAP;

    @Option(names = "--whole", description = "Score all pixels; --predictions then needs no trimaps.")
    private boolean whole;

    @Option(names = "--limit", paramLabel = "N", description = "Only the first N images, by name.")
    private Integer limit;

    @Option(
            names = "--out",
            paramLabel = "FOLDER",
            description = "Keeps the network's mattes (8-bit PNG, as they are scored), and the report as " + REPORT
                    + " unless --json says where.")
    private Path out;

    @Option(names = "--json", paramLabel = "FILE", description = "The report as JSON, written after each image.")
    private Path json;

    @Option(names = "--overwrite", description = "Begin anew where a report is there already.")
    private boolean overwrite;

    /** Pictures of one name. Photo or prediction is null, and the trimap if none is needed. */
    private record Input(Sample sample, Photo photo, Alpha prediction, Trimap trimap, Alpha truth) {}

    /** What is to be scored, without the photo, so that its memory is free; seconds and bytes are null likewise. */
    private record Result(Sample sample, Alpha alpha, Trimap trimap, Alpha truth, Double seconds, Long peakBytes) {
        static Result of(Input input, Alpha alpha, Double seconds, Long peakBytes) {
            return new Result(input.sample(), alpha, input.trimap(), input.truth(), seconds, peakBytes);
        }
    }

    @Override
    public Integer call() {
        if (limit != null && limit < 1) {
            throw new InvalidInputException("--limit: expected at least 1, got " + limit);
        }
        if (predictions != null) {
            requireNothingOfANetwork();
        }
        Map<Role, Path> folders = folders();
        DataSet dataSet = DataSet.of(folders);
        List<Sample> samples = limit == null
                ? dataSet.samples()
                : dataSet.samples().stream().limit(limit).toList();
        Path report = json == null && out != null ? out.resolve(REPORT) : json;
        requireOutputs(dataSet.files(), samples, report);
        Evaluation evaluation = new Evaluation(report, settings(folders), Published.of(layout));
        if (!overwrite) {
            evaluation.resume(samples, modelFiles(), sample -> !keepsMattes() || Files.exists(place(sample)));
        }
        List<Sample> missing =
                samples.stream().filter(sample -> !evaluation.holds(sample)).toList();
        for (String line : dataSet.incomplete()) {
            spec.commandLine().getErr().println("jmatte: skipped " + line);
            evaluation.fail(line);
        }
        if (!missing.isEmpty()) {
            score(missing, evaluation);
        }
        evaluation.write();
        return tell(evaluation.report(), samples.size() - missing.size());
    }

    private void requireNothingOfANetwork() {
        Set<OptionSpec> needless = new HashSet<>(spec.mixins().get("network").options());
        needless.add(spec.findOption("--image-dir"));
        for (OptionSpec given : spec.commandLine().getParseResult().matchedOptions()) {
            if (needless.contains(given)) {
                throw new InvalidInputException(given.longestName()
                        + ": is for running a network, but --predictions are mattes that are there; leave it out");
            }
        }
    }

    private Map<Role, Path> folders() {
        Map<Role, Path> folders = new EnumMap<>(Role.class);
        if (predictions != null) {
            folders.put(Role.PREDICTION, requireFolder(Role.PREDICTION, predictions));
        } else {
            folders.put(Role.IMAGE, folder(Role.IMAGE, imageDir));
        }
        if (predictions == null || !whole) {
            folders.put(Role.TRIMAP, folder(Role.TRIMAP, trimapDir));
        }
        folders.put(Role.TRUTH, folder(Role.TRUTH, truthDir));
        return folders;
    }

    private Path folder(Role role, String name) {
        return name == null ? layout.folder(role, data) : requireFolder(role, data.resolve(name));
    }

    private static Path requireFolder(Role role, Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new InvalidInputException(
                    role.flag() + ": expected a folder of " + role.plural() + ", there is none at " + folder);
        }
        return folder;
    }

    /** What scores depend on, the number of threads not. */
    private Map<String, String> settings(Map<Role, Path> folders) {
        Map<String, String> settings = new LinkedHashMap<>();
        if (predictions == null) {
            settings.put("model", network.model);
            settings.put("options", network.options().withThreads(0).toString());
            settings.put("trimap_values", Main.word(trimapValues));
        }
        folders.forEach((role, folder) ->
                settings.put(role.plural(), Outputs.real(folder).toString()));
        settings.put("whole", Boolean.toString(whole));
        return settings;
    }

    /** What the network's weights are read from; nothing of a model that comes along. */
    private List<Path> modelFiles() {
        return predictions != null
                ? List.of()
                : Outputs.withFiles(Path.of(network.model)).stream()
                        .filter(Files::exists)
                        .toList();
    }

    /** Requires places for the results that can be written to, and that are none of the data set's. */
    private void requireOutputs(Collection<Path> inputs, List<Sample> samples, Path report) {
        if (out != null) {
            Outputs.requireCreatable(out);
        }
        if (report != null) {
            if (json == null) {
                Outputs.requireCreatableFile(report, true);
            } else {
                Outputs.requireFree(report, true);
            }
        }
        Outputs outputs = new Outputs();
        inputs.forEach(outputs::protect);
        modelFiles().forEach(outputs::protect);
        if (report != null) {
            outputs.claim(report);
        }
        if (keepsMattes()) {
            for (Sample sample : samples) {
                Outputs.requireCreatableFile(place(sample), true);
                outputs.claim(place(sample));
            }
        }
    }

    private boolean keepsMattes() {
        return out != null && predictions == null;
    }

    private Path place(Sample sample) {
        return out.resolve(sample.name() + ".png");
    }

    private void score(List<Sample> samples, Evaluation evaluation) {
        try (Matting matting = predictions == null ? Matting.open(network.model, network.options()) : null;
                Interruption interruption = main.interruptible();
                ProgressDisplay progress = main.progress("eval", samples.size())) {
            MatteRequest request = MatteRequest.defaults().withCancellation(interruption.cancellation());
            Pipeline<Sample, Input, Result> pipeline = new Pipeline<>(
                    this::read,
                    input -> {
                        try (ProgressDisplay.Image image = progress.image()) {
                            return matte(input, matting, request.withProgress(image));
                        }
                    },
                    result -> evaluation.add(row(result)),
                    (sample, e) -> {
                        progress.print(main.describe("skipped " + sample.name() + ": ", e));
                        evaluation.fail(sample.name() + ": " + e.getMessage());
                    });
            pipeline.run(samples, matting == null ? Pipeline.Overlap.STEPS : network.overlap(matting));
        }
    }

    private Input read(Sample sample) {
        Path file = sample.file(Role.TRUTH);
        Alpha truth = ImageFiles.alpha(file);
        Trimap trimap = null;
        if (sample.file(Role.TRIMAP) != null) {
            trimap = ImageFiles.trimap(sample.file(Role.TRIMAP), trimapValues);
            requireSize(sample.file(Role.TRIMAP), trimap.height(), trimap.width(), file, truth);
        }
        if (predictions != null) {
            Alpha prediction = ImageFiles.alpha(sample.file(Role.PREDICTION));
            requireSize(sample.file(Role.PREDICTION), prediction.height(), prediction.width(), file, truth);
            return new Input(sample, null, prediction, trimap, truth);
        }
        Photo photo = ImageFiles.photo(sample.file(Role.IMAGE));
        requireSize(sample.file(Role.IMAGE), photo.height(), photo.width(), file, truth);
        return new Input(sample, photo, null, trimap, truth);
    }

    private static void requireSize(Path file, int height, int width, Path truthFile, Alpha truth) {
        if (height != truth.height() || width != truth.width()) {
            throw new ImageException(file + ": expected the size of " + truthFile + ", " + truth.width() + "x"
                    + truth.height() + " pixels, got " + width + "x" + height);
        }
    }

    private static Result matte(Input input, Matting matting, MatteRequest request) {
        if (matting == null) {
            request.cancellation().check();
            return Result.of(input, input.prediction(), null, null);
        }
        Stopwatch watch = new Stopwatch();
        Matte matte = matting.matte(input.photo(), input.trimap(), request);
        return Result.of(input, matte.alpha(), watch.seconds(), matte.peakBytes());
    }

    private Evaluation.Row row(Result result) {
        if (keepsMattes()) {
            Path place = place(result.sample());
            Outputs.write(Outputs.folder(place), () -> AlphaWriter.write(result.alpha(), place));
        }
        MattingErrors errors = whole
                ? MattingErrors.between(result.alpha(), result.truth())
                : MattingErrors.between(result.alpha(), result.truth(), result.trimap());
        return new Evaluation.Row(
                result.sample().name(),
                result.truth().height(),
                result.truth().width(),
                errors.pixels(),
                Scores.of(errors),
                result.seconds(),
                result.peakBytes(),
                Instant.now().toString());
    }

    /** Prints the results, and says what exit code they mean. */
    private int tell(Evaluation.Report report, int before) {
        spec.commandLine().getOut().print(ScoreTable.of(report));
        int failed = report.failed().size();
        if (!main.quiet()) {
            spec.commandLine()
                    .getOut()
                    .println((report.images().size() - before) + " scored, " + before + " finished before, " + failed
                            + " failed");
        }
        return failed == 0 ? Main.DONE : Main.FAILED;
    }
}
