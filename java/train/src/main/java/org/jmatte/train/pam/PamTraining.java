package org.jmatte.train.pam;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.InvalidInputException;
import org.jmatte.image.AtomicFile;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamPath;
import org.jmatte.train.TrainingLog;
import org.jmatte.train.data.MixedSizes;
import org.jmatte.train.data.Sample;
import org.jmatte.train.data.SampleQueue;
import org.jmatte.train.data.SampleSource;
import org.jmatte.train.torch.Batch;
import org.jmatte.train.torch.Devices;
import org.jmatte.train.torch.MixedPrecision;
import org.jmatte.train.torch.ParametersFile;
import org.jmatte.train.torch.RAdam;
import org.jmatte.train.torch.TrainingState;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.CheckpointException;
import org.jmatte.weights.ElementType;
import org.jmatte.weights.ModelSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains PAM in its three stages. Everything random follows from the seed and the number of an image, so a training that
 * continues from a checkpoint goes on, on the processor, exactly as if it had not been interrupted.
 *
 * <p>The folder of a training holds {@code checkpoint.safetensors} (weights, moments, progress), {@code
 * teacher.safetensors} and {@code prior.json} once their stage begins, {@code log.csv}, {@code validation.csv}, {@code
 * curve.png}, and in the last stage {@code best.safetensors}: the weights of the checkpoint with the least validation error,
 * averaged over the full network and the learned paths. The end takes these, as {@code pam.safetensors} in fp16, with {@code
 * paths.json}, which compares learned with random paths.
 */
public final class PamTraining implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PamTraining.class);
    private static final double WEIGHT_DECAY = 1e-2;
    private static final double LARGEST_GRADIENT = 10; // norm
    private static final double DISTIL_WEIGHT = 1;
    private static final double PATH_WEIGHT = 1; // at 0.1 alpha drowns it in the layers that both use
    private static final double BUDGET_WEIGHT = 0.3; // per GMAC
    private static final double CLEARLY =
            0.97; // times the candidates' error: a walk that is less wrong is so not by chance
    private static final int FINE = 4; // times the images of the prior's first look
    private static final double SELECTION_RATE = 10; // of the layers that choose, times the learning rate
    private static final long STAGE_SAMPLES = 1L << 40; // indices of one stage's samples
    private static final int ROW_STEPS = 25; // optimizer steps of one row of the log
    private static final List<String> LOG_COLUMNS =
            List.of("images", "stage", "loss", "unknown_l1", "learning_rate", "images_per_second");
    private static final List<Integer> CONSTRAINTS = List.of(75, 70, 60); // that validation looks at
    private static final List<String> VALIDATION_COLUMNS = List.of("images", "full", "gmacs75", "gmacs70", "gmacs60");
    private static final int RANDOM_PATHS = 8; // the learned ones are compared with
    private static final String ERROR = "validation_error"; // a tensor of best.safetensors

    private final PamTrainingOptions options;
    private final SampleSource samples;
    private final Path folder;
    private final Device device;
    private final Pam pam;
    private final RAdam optimizer;
    private final Evaluation validation;
    private Pam teacher;
    private PathPrior prior;
    private Stage stage = Stage.FULL;
    private long images; // of the stage, done
    private TrainingLog log;
    private TrainingLog validationLog;
    private float leastError = Float.POSITIVE_INFINITY; // best.safetensors has it
    private double rowLoss;
    private double rowError;
    private int rowSteps;
    private long rowStart = System.nanoTime();

    /** Hears how a training goes. */
    @FunctionalInterface
    public interface Listener {
        /** @param images done so far in the stage, of {@code all} */
        void progress(Stage stage, long images, long all, double loss, double imagesPerSecond);
    }

    /**
     * A training in a folder, from its start or, if there is a checkpoint, from there.
     *
     * @param samples to train on; those of a batch have one size
     * @param unseen to validate on
     */
    public PamTraining(PamTrainingOptions options, SampleSource samples, SampleSource unseen, Path folder) {
        this.options = options;
        this.samples = samples;
        this.folder = folder;
        torch.set_num_threads(options.threads());
        device = Devices.named(options.device());
        pam = new Pam(device);
        optimizer = new RAdam(pam.parameters(), WEIGHT_DECAY, name -> Pam.chooses(name) ? SELECTION_RATE : 1);
        List<Sample> fixed = Evaluation.draw(options.validationImages(), unseen::sample);
        validation = new Evaluation(pam, fixed, options.bfloat16());
        if (Files.exists(checkpointFile())) {
            restore();
        } else if (options.initial() == null) {
            pam.initialise(options.seed());
        } else {
            try (ModelSource initial = ModelSource.open(options.initial())) {
                ParametersFile.read(initial.checkpoint(), pam.parameters());
            }
        }
        log = new TrainingLog(folder.resolve("log.csv"), LOG_COLUMNS, total());
        validationLog = new TrainingLog(folder.resolve("validation.csv"), VALIDATION_COLUMNS, total());
    }

    private Path checkpointFile() {
        return folder.resolve("checkpoint.safetensors");
    }

    private Path bestFile() {
        return folder.resolve("best.safetensors");
    }

    /** Images done since the start of the training. */
    private long total() {
        long before = 0;
        for (Stage done : Stage.values()) {
            before += done.ordinal() < stage.ordinal() ? options.images(done) : 0;
        }
        return before + images;
    }

    /**
     * Trains to the end, or until it shall stop.
     *
     * @param checkpointImages between two checkpoints, each with a validation
     * @param stop whether to stop after the step at hand; a checkpoint is written then
     * @return whether the end was reached; {@code pam.safetensors} is there then
     */
    public boolean run(long checkpointImages, Listener listener, BooleanSupplier stop) throws InterruptedException {
        while (true) {
            begin();
            long all = options.images(stage);
            try (SampleQueue queue =
                    new SampleQueue(samples, firstSample(stage.ordinal()) + images, 4 * options.batch(), 1)) {
                while (images < all) {
                    step(queue.take(options.batch()));
                    boolean last = stop.getAsBoolean();
                    boolean planned = images >= all || images % checkpointImages < options.batch();
                    boolean due = planned || last;
                    if (due || rowSteps == ROW_STEPS) {
                        row(listener, all);
                    }
                    if (due) {
                        validate(planned);
                        save();
                    }
                    if (last && images < all) {
                        return false;
                    }
                }
            }
            if (stage == Stage.PATHS) {
                export();
                return true;
            }
            stage = Stage.values()[stage.ordinal() + 1];
            images = 0;
            optimizer.reset();
        }
    }

    /** Makes ready what a stage needs. */
    private void begin() {
        if (stage == Stage.FULL) {
            return;
        }
        if (teacher == null) {
            teacher = new Pam(device);
            Path file = folder.resolve("teacher.safetensors");
            if (!Files.exists(file)) {
                new ParametersFile().add(pam.parameters()).write(file, ElementType.F32, Map.of());
            }
            try (Checkpoint checkpoint = Checkpoint.open(file)) {
                ParametersFile.read(checkpoint, teacher.parameters());
            }
        }
        Path file = folder.resolve("prior.json");
        if (stage == Stage.PATHS && prior == null) {
            if (!Files.exists(file)) {
                LOG.info("estimating the prior of optimal paths");
                PathPrior.estimate(
                                options.priorPaths(),
                                options.seed(),
                                simulation(0, options.priorImages()),
                                simulation(options.priorImages(), FINE * options.priorImages()))
                        .write(file);
            }
            prior = PathPrior.read(file);
            if (Files.exists(bestFile())) {
                leastError = leastError();
            }
        }
    }

    private float leastError() {
        try {
            return TrainingState.number(bestFile(), ERROR);
        } catch (CheckpointException e) {
            throw new CheckpointException(
                    e.getMessage() + "; if you delete the file, the best weights are sought from here on", e);
        }
    }

    private Evaluation simulation(int start, int images) {
        long first = firstSample(Stage.values().length) + start;
        return new Evaluation(pam, Evaluation.draw(images, i -> samples.sample(first + i)), options.bfloat16());
    }

    /** A multiple of the batch, so that a batch is a group of {@link MixedSizes}. */
    private long firstSample(int ofStage) {
        return ofStage * (STAGE_SAMPLES / options.batch() * options.batch());
    }

    private void step(List<Sample> batch) {
        double rate = options.learningRate(stage, images);
        try (PointerScope temporaries = new PointerScope()) {
            try (NoGradGuard guard = new NoGradGuard()) {
                pam.parameters().gradients().zero_();
            }
            if (stage == Stage.FULL) {
                Batch together = Batch.of(batch, device);
                backward(fullLoss(together), 1);
            } else {
                for (int i = 0; i < batch.size(); i++) {
                    try (PointerScope ofImage = new PointerScope()) {
                        SplittableRandom random = randomOf(images + i);
                        Batch alone = Batch.of(batch.subList(i, i + 1), device);
                        backward(
                                stage == Stage.WARM_UP ? warmUpLoss(alone, random) : pathLoss(alone, random),
                                batch.size());
                    }
                }
            }
            clip();
        }
        optimizer.step(rate);
        images += batch.size();
        rowSteps++;
    }

    private SplittableRandom randomOf(long image) {
        return new SplittableRandom((options.seed() * Stage.values().length + stage.ordinal()) * STAGE_SAMPLES + image);
    }

    private Tensor fullLoss(Batch batch) {
        Tensor alpha = predict(pam, batch, PamArchitecture.largestGmacs(), Decisions.follow(PamPath.KEEP_ALL))
                .alpha();
        rowError += mean(Criterion.unknown(alpha, batch));
        return Criterion.alpha(alpha, batch);
    }

    private Tensor warmUpLoss(Batch batch, SplittableRandom random) {
        PamPath path = PathPrior.random(random);
        Tensor alpha =
                predict(pam, batch, path.leastGmacs(), Decisions.follow(path)).alpha();
        rowError += mean(Criterion.unknown(alpha, batch)) / options.batch();
        return distilled(alpha, batch);
    }

    /** One image of Algorithm 1. */
    private Tensor pathLoss(Batch batch, SplittableRandom random) {
        int constraint = random.nextInt(PamArchitecture.leastGmacs(), PamArchitecture.largestGmacs() + 1);
        Map<PamPath, Double> errors = new LinkedHashMap<>();
        for (PamPath path : prior.candidates(constraint)) {
            errors.put(path, errorAlong(path, constraint, batch));
        }
        Pam.Prediction walk = predict(pam, batch, constraint, Decisions.sample(random));
        double error = mean(Criterion.unknown(walk.alpha(), batch));
        boolean found =
                PathPrior.justAllows(constraint, walk.path()) && error < CLEARLY * Collections.min(errors.values());
        PathLabel label = found ? PathLabel.of(walk.path()) : PathLabel.of(errors, walk.path());
        rowError += error / options.batch();
        Tensor choice = Criterion.path(walk.logits(), label).mul(new Scalar(PATH_WEIGHT));
        Tensor excess =
                Criterion.overspending(walk.logits(), walk.path(), constraint).mul(new Scalar(BUDGET_WEIGHT));
        return distilled(walk.alpha(), batch).add(choice).add(excess);
    }

    private double errorAlong(PamPath path, int constraint, Batch batch) {
        try (PointerScope temporaries = new PointerScope();
                NoGradGuard guard = new NoGradGuard()) {
            return mean(Criterion.unknown(
                    predict(pam, batch, constraint, Decisions.follow(path)).alpha(), batch));
        }
    }

    private Tensor distilled(Tensor alpha, Batch batch) {
        Tensor target;
        try (NoGradGuard guard = new NoGradGuard()) {
            target = predict(teacher, batch, PamArchitecture.largestGmacs(), Decisions.follow(PamPath.KEEP_ALL))
                    .alpha();
        }
        return Criterion.alpha(alpha, batch)
                .add(Criterion.distil(alpha, target, batch).mul(new Scalar(DISTIL_WEIGHT)));
    }

    private Pam.Prediction predict(Pam network, Batch batch, int constraint, Decisions decisions) {
        try (MixedPrecision precision = new MixedPrecision(options.bfloat16())) {
            return network.forward(batch.image(), batch.trimap(), constraint, decisions);
        }
    }

    private void backward(Tensor loss, int images) {
        double value = loss.item_double() / images;
        if (!Double.isFinite(value)) {
            throw new ArithmeticException("the loss is " + value + " after " + this.images + " images of stage " + stage
                    + "; lower --learning-rate and continue from the last checkpoint");
        }
        rowLoss += value;
        loss.div(new Scalar((double) images)).backward();
    }

    private static double mean(Tensor errors) {
        return errors.detach().mean().item_double();
    }

    private void clip() {
        try (NoGradGuard guard = new NoGradGuard()) {
            Tensor gradients = pam.parameters().gradients();
            double norm = gradients.norm().item_double();
            if (norm > LARGEST_GRADIENT) {
                gradients.mul_(new Scalar(LARGEST_GRADIENT / norm));
            }
        }
    }

    private void row(Listener listener, long all) {
        double seconds = (System.nanoTime() - rowStart) * 1e-9;
        double speed = rowSteps * options.batch() / seconds;
        double rate = options.learningRate(stage, images);
        log.add(total(), stage.ordinal() + 1, rowLoss / rowSteps, rowError / rowSteps, rate, speed);
        listener.progress(stage, images, all, rowLoss / rowSteps, speed);
        rowLoss = 0;
        rowError = 0;
        rowSteps = 0;
        rowStart = System.nanoTime();
    }

    /** @param planned whether an uninterrupted training validates here too: only then may these be the best weights */
    private void validate(boolean planned) {
        long start = System.nanoTime();
        double[] row = new double[VALIDATION_COLUMNS.size()];
        row[0] = total();
        row[1] = validation.mean(PamPath.KEEP_ALL, PamArchitecture.largestGmacs());
        for (int i = 0; i < CONSTRAINTS.size(); i++) {
            row[2 + i] = stage == Stage.PATHS
                    ? validation.learned(CONSTRAINTS.get(i)).error()
                    : Double.NaN;
        }
        if (planned && stage == Stage.PATHS) {
            keepIfBest((float) Arrays.stream(row).skip(1).average().orElseThrow());
        }
        validationLog.add(row);
        log.draw(folder.resolve("curve.png"), "PAM training", List.of("loss", "unknown_l1"));
        rowStart += System.nanoTime() - start; // the speed is of training alone
    }

    private void keepIfBest(float error) {
        if (!(error < leastError)) { // nor if it is NaN
            return;
        }
        try {
            new ParametersFile()
                    .add(pam.parameters())
                    .add(ERROR, new long[] {1}, new float[] {error})
                    .write(bestFile(), ElementType.F32, Map.of());
            leastError = error;
        } catch (InvalidInputException e) {
            LOG.warn("the best weights so far were not written: {}", e.getMessage());
        }
    }

    /** Writes the state; if that fails, the last good checkpoint stays and training goes on. */
    private void save() {
        try {
            TrainingState.write(checkpointFile(), pam.parameters(), optimizer, stage.ordinal(), images);
        } catch (InvalidInputException e) {
            LOG.warn("the checkpoint was not written, the last one stays: {}", e.getMessage());
        }
    }

    private void restore() {
        float[] progress = TrainingState.read(checkpointFile(), pam.parameters(), optimizer);
        stage = Stage.values()[(int) progress[0]];
        images = (long) progress[1];
    }

    private void export() {
        if (Files.exists(bestFile())) {
            try (Checkpoint best = Checkpoint.open(bestFile())) {
                ParametersFile.read(best, pam.parameters());
            }
        }
        Map<String, String> metadata = Map.of(
                "network", "pam",
                "least_constraint", String.valueOf(PamArchitecture.leastGmacs()),
                "largest_constraint", String.valueOf(PamArchitecture.largestGmacs()));
        new ParametersFile().add(pam.parameters()).write(folder.resolve("pam.safetensors"), ElementType.F16, metadata);
        List<Evaluation.Comparison> comparisons = CONSTRAINTS.stream()
                .map(constraint -> validation.compare(constraint, RANDOM_PATHS, options.seed()))
                .toList();
        ObjectWriter json = new ObjectMapper().writerWithDefaultPrettyPrinter();
        AtomicFile.write(folder.resolve("paths.json"), temporary -> json.writeValue(temporary.toFile(), comparisons));
    }

    @Override
    public void close() {
        optimizer.close();
        pam.close();
        if (teacher != null) {
            teacher.close();
        }
    }
}
