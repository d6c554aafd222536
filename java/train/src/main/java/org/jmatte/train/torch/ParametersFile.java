package org.jmatte.train.torch;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.CheckpointException;
import org.jmatte.weights.ElementType;
import org.jmatte.weights.SafetensorsWriter;
import org.jmatte.weights.TensorInfo;

/** Tensors in memory as a checkpoint to write, and checkpoints read into parameters. */
public final class ParametersFile implements Checkpoint {
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();
    private final Map<String, float[]> values = new LinkedHashMap<>();

    /** Adds a copy of a tensor. */
    public ParametersFile add(String name, long[] shape, float[] numbers) {
        infos.put(name, new TensorInfo(name, ElementType.F32, shape));
        values.put(name, numbers);
        return this;
    }

    /** Adds copies of all parameters. */
    public ParametersFile add(Parameters parameters) {
        parameters
                .shapes()
                .forEach((name, shape) ->
                        add(name, shape, Parameters.toArray(parameters.get(name).detach())));
        return this;
    }

    /** Writes a safetensors file, see {@link SafetensorsWriter}. */
    public void write(Path file, ElementType type, Map<String, String> metadata) {
        SafetensorsWriter.write(file, this, type, metadata);
    }

    /**
     * Fills all parameters from a checkpoint, which may hold further tensors.
     *
     * @throws CheckpointException naming the first tensor that is missing or of another shape
     */
    public static void read(Checkpoint checkpoint, Parameters parameters) {
        read(checkpoint, parameters, name -> true);
    }

    /** {@link #read(Checkpoint, Parameters)} of some parameters; the others stay as they are. */
    public static void read(Checkpoint checkpoint, Parameters parameters, Predicate<String> wanted) {
        parameters.shapes().forEach((name, shape) -> {
            if (!wanted.test(name)) {
                return;
            }
            TensorInfo info = checkpoint.tensors().get(name);
            if (info == null || !Arrays.equals(info.shape(), shape)) {
                throw new CheckpointException(checkpoint.description() + ": expected a tensor " + name + " of shape "
                        + Arrays.toString(shape) + ", got " + (info == null ? "none" : Arrays.toString(info.shape()))
                        + "; give a checkpoint of this network");
            }
            FloatBuffer numbers = FloatBuffer.allocate((int) info.elements());
            checkpoint.read(name, numbers);
            Parameters.fill(parameters.get(name).detach(), numbers.flip());
        });
    }

    @Override
    public String description() {
        return "trained parameters";
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(infos);
    }

    @Override
    public void read(String name, FloatBuffer target) {
        target.put(values.get(name));
    }

    @Override
    public void close() {}
}
