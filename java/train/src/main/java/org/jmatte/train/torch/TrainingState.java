package org.jmatte.train.torch;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.jmatte.InvalidInputException;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.CheckpointException;
import org.jmatte.weights.ElementType;
import org.jmatte.weights.TensorInfo;

/** The file that a training goes on from: parameters, the optimizer's moments and how far it has come. */
public final class TrainingState {
    private static final String FIRST = "optimizer.first";
    private static final String SECOND = "optimizer.second";
    private static final String PROGRESS = "progress"; // the caller's numbers, then the optimizer's steps

    private TrainingState() {}

    /**
     * Writes the file, whole or not at all.
     *
     * @param progress counters below 2^24, which {@link #read} gives back
     * @throws InvalidInputException if the file cannot be written
     */
    public static void write(Path file, Parameters parameters, MomentOptimizer optimizer, float... progress) {
        long[] shape = {parameters.values().numel()};
        float[] counters = Arrays.copyOf(progress, progress.length + 1);
        counters[progress.length] = optimizer.steps();
        new ParametersFile()
                .add(parameters)
                .add(FIRST, shape, Parameters.toArray(optimizer.firstMoment()))
                .add(SECOND, shape, Parameters.toArray(optimizer.secondMoment()))
                .add(PROGRESS, new long[] {counters.length}, counters)
                .write(file, ElementType.F32, Map.of());
    }

    /**
     * Restores parameters and optimizer.
     *
     * @return the numbers that were written as progress
     * @throws CheckpointException if the file is damaged or of another network
     */
    public static float[] read(Path file, Parameters parameters, MomentOptimizer optimizer) {
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            ParametersFile.read(checkpoint, parameters);
            Parameters.fill(optimizer.firstMoment(), numbers(checkpoint, FIRST));
            Parameters.fill(optimizer.secondMoment(), numbers(checkpoint, SECOND));
            float[] counters = numbers(checkpoint, PROGRESS).array();
            optimizer.restore((long) counters[counters.length - 1]);
            return Arrays.copyOf(counters, counters.length - 1);
        }
    }

    /**
     * A number that lies beside parameters in a file.
     *
     * @throws CheckpointException if the file is damaged or has no such tensor
     */
    public static float number(Path file, String name) {
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            return numbers(checkpoint, name).get();
        }
    }

    private static FloatBuffer numbers(Checkpoint checkpoint, String name) {
        TensorInfo info = checkpoint.tensors().get(name);
        if (info == null) {
            throw new CheckpointException(
                    checkpoint.description() + ": expected a tensor " + name + " of a training's state, got none");
        }
        FloatBuffer numbers = FloatBuffer.allocate((int) info.elements());
        checkpoint.read(name, numbers);
        return numbers.flip();
    }
}
