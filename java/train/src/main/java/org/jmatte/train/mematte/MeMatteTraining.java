package org.jmatte.train.mematte;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.InvalidInputException;
import org.jmatte.image.AtomicFile;
import org.jmatte.train.TrainingLog;
import org.jmatte.train.data.Sample;
import org.jmatte.train.data.SampleQueue;
import org.jmatte.train.data.SampleSource;
import org.jmatte.train.torch.AdamW;
import org.jmatte.train.torch.Batch;
import org.jmatte.train.torch.Devices;
import org.jmatte.train.torch.MixedPrecision;
import org.jmatte.train.torch.ParametersFile;
import org.jmatte.train.torch.TrainingState;
import org.jmatte.weights.ElementType;
import org.jmatte.weights.ModelSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains MEMatte from ViTMatte's weights, with ViTMatte's features as the teacher's. Everything random follows from the
 * seed and the number of an iteration, so a training that continues from a checkpoint goes on, on the processor, exactly as if
 * it had not been interrupted.
 *
 * <p>The folder of a training holds {@code checkpoint.safetensors} (weights, moments, progress), {@code log.csv}, {@code
 * validation.csv} (the network as it infers), {@code curve.png}, and in the end {@code mematte.safetensors}. Beside that lies {@code preprocessor_config.json}: it says how
 * the network wants photos normalised.
 */
public final class MeMatteTraining implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MeMatteTraining.class);
    private static final int ROW_ITERATIONS = 25;
    private static final int NOISE_BITS = 40; // of a seed's range of iterations
    private static final List<String> COLUMNS = columns();
    private static final List<String> VALIDATION_COLUMNS = List.of("iteration", "unknown_l1", "kept_ratio");

    private final MeMatteTrainingOptions options;
    private final SampleSource samples;
    private final Path folder;
    private final Device device;
    private final MeMatte teacher;
    private final MeMatte student;
    private final AdamW optimizer;
    private final Schedule schedule;
    private final List<Sample> fixed; // to validate on
    private final TrainingLog log;
    private final TrainingLog validationLog;
    private final double[] rowSums = new double[Criterion.Losses.NAMES.size()];
    private int rowIterations;
    private long rowStart = System.nanoTime();

    /** Hears how a training goes. */
    @FunctionalInterface
    public interface Listener {
        /**
         * @param iteration those done so far
         * @param loss the mean since the last report, as
         * @param kept the fraction of tokens that attended globally
         */
        void progress(long iteration, double loss, double kept, double imagesPerSecond);
    }

    private static List<String> columns() {
        List<String> columns = new ArrayList<>(Criterion.Losses.NAMES);
        columns.add(0, "iteration");
        columns.add("learning_rate");
        columns.add("images_per_second");
        return List.copyOf(columns);
    }

    /**
     * A training in a folder, from its start or, if there is a checkpoint, from there.
     *
     * @param samples to train on
     * @param unseen to validate on
     * @throws InvalidInputException if the weights to start from cannot be read, or are not ViTMatte's
     */
    public MeMatteTraining(MeMatteTrainingOptions options, SampleSource samples, SampleSource unseen, Path folder) {
        this.options = options;
        this.samples = samples;
        this.folder = folder;
        torch.set_num_threads(options.threads());
        device = Devices.named(options.device());
        try (ModelSource init = ModelSource.open(options.init())) {
            student = MeMatte.student(init, options.seed(), torch.ScalarType.Float, device);
            teacher = MeMatte.frozen(init, device);
        }
        schedule = Schedule.of(student.architecture(), options.learningRate(), options.iterations());
        optimizer = new AdamW(student.parameters(), Schedule::layerRate, Schedule::weightDecay);
        if (Files.exists(checkpointFile())) {
            TrainingState.read(checkpointFile(), student.parameters(), optimizer);
        }
        fixed = IntStream.range(0, options.validationImages())
                .mapToObj(unseen::sample)
                .toList();
        log = new TrainingLog(folder.resolve("log.csv"), COLUMNS, optimizer.steps());
        validationLog = new TrainingLog(folder.resolve("validation.csv"), VALIDATION_COLUMNS, optimizer.steps());
    }

    private Path checkpointFile() {
        return folder.resolve("checkpoint.safetensors");
    }

    /** The network being trained. */
    MeMatte student() {
        return student;
    }

    /**
     * Trains to the end, or until it shall stop.
     *
     * @param checkpointIterations between two checkpoints
     * @param stop whether to stop after the iteration at hand; a checkpoint is written then
     * @return whether the end was reached; {@code mematte.safetensors} is there then
     */
    public boolean run(long checkpointIterations, Listener listener, BooleanSupplier stop) throws InterruptedException {
        int batch = options.batch();
        try (SampleQueue queue = new SampleQueue(samples, optimizer.steps() * batch, 2 * batch, 1)) {
            while (optimizer.steps() < options.iterations()) {
                step(queue.take(batch));
                boolean end = optimizer.steps() == options.iterations();
                boolean last = stop.getAsBoolean();
                boolean due = last || end || optimizer.steps() % checkpointIterations == 0;
                if (due || rowIterations == ROW_ITERATIONS) {
                    report(listener);
                }
                if (due) {
                    validate();
                    save();
                }
                if (last && !end) {
                    return false;
                }
            }
        }
        export();
        return true;
    }

    private void step(List<Sample> drawn) {
        long iteration = optimizer.steps();
        try (PointerScope temporaries = new PointerScope()) {
            Batch batch = Batch.of(drawn, device);
            Criterion.Losses losses = losses(batch, iteration);
            double[] values = losses.values();
            if (!Double.isFinite(values[0])) {
                throw new ArithmeticException("the loss is " + values[0] + " after " + iteration
                        + " iterations; lower --learning-rate and continue from the last checkpoint");
            }
            for (int i = 0; i < values.length; i++) {
                rowSums[i] += values[i];
            }
            student.parameters().gradients().zero_();
            losses.sum().backward();
        }
        optimizer.step(schedule.rate(iteration));
        rowIterations++;
    }

    private Criterion.Losses losses(Batch batch, long iteration) {
        Tensor target;
        MeMatte.Prediction prediction;
        try (MixedPrecision precision = new MixedPrecision(options.bfloat16())) {
            try (NoGradGuard guard = new NoGradGuard()) {
                target = teacher.features(batch.image(), batch.trimap());
            }
            Policy policy = Policy.gumbel(new SplittableRandom((options.seed() << NOISE_BITS) + iteration));
            prediction = student.train(batch.image(), batch.trimap(), policy);
        }
        return Criterion.of(prediction, target, batch);
    }

    private void report(Listener listener) {
        long iteration = optimizer.steps();
        double speed = rowIterations * options.batch() / ((System.nanoTime() - rowStart) * 1e-9);
        double[] row = new double[COLUMNS.size()];
        row[0] = iteration;
        for (int i = 0; i < rowSums.length; i++) {
            row[1 + i] = rowSums[i] / rowIterations;
            rowSums[i] = 0;
        }
        row[row.length - 2] = schedule.rate(iteration - 1);
        row[row.length - 1] = speed;
        log.add(row);
        listener.progress(iteration, row[COLUMNS.indexOf("loss")], row[COLUMNS.indexOf("kept_ratio")], speed);
        rowIterations = 0;
        rowStart = System.nanoTime();
    }

    /** The mean error of unknown pixels of the network as it infers, and what it keeps. */
    private void validate() {
        long start = System.nanoTime();
        double error = 0;
        double kept = 0;
        for (Sample sample : fixed) {
            try (PointerScope temporaries = new PointerScope();
                    NoGradGuard guard = new NoGradGuard();
                    MixedPrecision precision = new MixedPrecision(options.bfloat16())) {
                Batch batch = Batch.of(List.of(sample), device);
                MeMatte.Prediction prediction = student.infer(batch.image(), batch.trimap(), false, Integer.MAX_VALUE);
                error += Criterion.unknown(prediction.alpha(), batch).item_double() / fixed.size();
                kept += Criterion.kept(prediction).item_double() / fixed.size();
            }
        }
        validationLog.add(optimizer.steps(), error, kept);
        rowStart += System.nanoTime() - start; // the speed is of training alone
    }

    /** Writes the state and the curve; if the state cannot be written, the last good one stays and training goes on. */
    private void save() {
        long start = System.nanoTime();
        try {
            TrainingState.write(checkpointFile(), student.parameters(), optimizer);
        } catch (InvalidInputException e) {
            LOG.warn("the checkpoint was not written, the last one stays: {}", e.getMessage());
        }
        log.draw(
                folder.resolve("curve.png"),
                "MEMatte training",
                List.of("loss", "unknown_l1", "distillation", "kept_ratio"));
        rowStart += System.nanoTime() - start; // the speed is of training alone
    }

    private void export() {
        record Normalisation(float[] image_mean, float[] image_std) {} // Hugging Face's names
        Normalisation normalisation = new Normalisation(student.mean(), student.deviation());
        ObjectWriter json = new ObjectMapper().writerWithDefaultPrettyPrinter();
        AtomicFile.write(
                folder.resolve("preprocessor_config.json"),
                temporary -> json.writeValue(temporary.toFile(), normalisation));
        new ParametersFile()
                .add(student.parameters())
                .write(
                        folder.resolve("mematte.safetensors"),
                        ElementType.F32,
                        Map.of("network", student.architecture().name()));
    }

    @Override
    public void close() {
        optimizer.close();
        student.close();
        teacher.close();
    }
}
