package org.jmatte.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.jmatte.network.Architecture;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.Parameters;
import org.jmatte.weights.Parameters.Scale;

/**
 * Lays out a checkpoint's tensors for the CPU operators, and owns the result. Without a checkpoint everything has its
 * size but no contents, which is all that a plan needs.
 */
final class CpuWeights implements AutoCloseable {
    private final Parameters parameters;
    private final ElementType operands;
    private final List<Linear> linears = new ArrayList<>();
    private final List<FloatPointer> vectors = new ArrayList<>();
    private long bytes;

    /** @param checkpoint null for sizes alone */
    CpuWeights(Architecture architecture, Checkpoint checkpoint, ElementType operands) {
        this.parameters = new Parameters(architecture, checkpoint);
        this.operands = operands;
    }

    ElementType operands() {
        return operands;
    }

    /** Bytes of everything laid out so far. */
    long bytes() {
        return bytes;
    }

    long[] shape(String name) {
        return parameters.shape(name);
    }

    boolean has(String name) {
        return parameters.has(name);
    }

    /** A tensor's values, row-major; zeros without a checkpoint. */
    float[] values(String name) {
        return parameters.values(name);
    }

    /** The same, kept with these weights: small layers are computed in Java. */
    float[] array(String name) {
        float[] values = values(name);
        bytes += (long) values.length * Float.BYTES;
        return values;
    }

    /** The address of a tensor as plain floats; 0 without a checkpoint. */
    long vector(String name) {
        return keep(values(name));
    }

    /** The address of a native copy, freed with these weights; 0 without a checkpoint. */
    long keep(float[] values) {
        bytes += (long) values.length * Float.BYTES;
        if (!parameters.hasValues()) {
            return 0;
        }
        FloatPointer kept = new FloatPointer(values).retainReference(); // no scope of the caller frees it
        vectors.add(kept);
        return kept.address();
    }

    /** The linear layer or 1x1 convolution {@code name}, with its bias if the layer has one. */
    Linear linear(String name) {
        long[] shape = shape(name + ".weight");
        boolean biased = has(name + ".bias");
        Linear linear = add(new Linear((int) shape[1], (int) shape[0], biased, operands));
        if (parameters.hasValues()) {
            // Straight into native memory: these are the large ones.
            try (FloatPointer matrix = new FloatPointer(parameters.elements(name + ".weight"))) {
                parameters.read(name + ".weight", matrix.asBuffer());
                linear.load(matrix, biased ? values(name + ".bias") : null);
            }
        }
        return linear;
    }

    /** A linear layer of the given matrix [outputs, inputs] and bias (null: none). */
    Linear linear(int inputs, int outputs, float[] matrix, float[] bias) {
        Linear linear = add(new Linear(inputs, outputs, bias != null, operands));
        if (parameters.hasValues()) {
            try (FloatPointer pointer = new FloatPointer(matrix)) {
                linear.load(pointer, bias);
            }
        }
        return linear;
    }

    private Linear add(Linear linear) {
        linears.add(linear);
        bytes += linear.bytes();
        return linear;
    }

    /**
     * Input channels {@code from} to {@code to} - 1 of a convolution, which come from one map.
     *
     * @param held channels of that map; those too many have weight 0
     */
    record Channels(int from, int to, int held) {
        static Channels of(int from, int to) {
            return new Channels(from, to, to - from);
        }
    }

    /** The convolution {@code name} as a matrix over unfolded rows, columns tap-major: tap * inputs + input. */
    Linear convolution(String name) {
        return convolution(name, Channels.of(0, (int) shape(name + ".weight")[1]));
    }

    /** The convolution {@code name} over the unfolded rows of several maps, one map after the other. */
    Linear convolution(String name, Channels... maps) {
        int outputs = (int) shape(name + ".weight")[0];
        float[] bias = has(name + ".bias") ? values(name + ".bias") : null;
        return convolution(name, Scale.none(outputs), bias, maps);
    }

    /**
     * A convolution followed by a batch norm, as one: w = scale w, b = shift + scale b, of the input channels {@code
     * from} to {@code to} - 1.
     */
    Linear foldedConvolution(String name, Scale norm, int from, int to) {
        return convolution(name, norm, parameters.foldedBias(name, norm), Channels.of(from, to));
    }

    private Linear convolution(String name, Scale norm, float[] bias, Channels... maps) {
        long[] shape = shape(name + ".weight");
        int outputs = (int) shape[0];
        int taps = (int) (shape[2] * shape[3]);
        int inputs = taps * Arrays.stream(maps).mapToInt(Channels::held).sum();
        float[] weights = values(name + ".weight");
        float[] matrix = new float[outputs * inputs];
        int at = 0;
        for (int o = 0; o < outputs; o++) {
            for (Channels map : maps) {
                for (int tap = 0; tap < taps; tap++, at += map.held) {
                    for (int i = map.from; i < map.to; i++) {
                        int from = (int) ((o * shape[1] + i) * taps + tap);
                        matrix[at + i - map.from] = (float) (norm.scale()[o] * weights[from]);
                    }
                }
            }
        }
        return linear(inputs, outputs, matrix, bias);
    }

    /**
     * The products from which a convolution of an upsampled map is put together: outputs tap-major, tap * outputs
     * + output, of the input channels {@code from} to {@code to} - 1; a batch norm's scale folded in, no bias.
     */
    Linear tapProducts(String name, Scale norm, int from, int to) {
        long[] shape = shape(name + ".weight");
        int outputs = (int) shape[0];
        int taps = (int) (shape[2] * shape[3]);
        float[] weights = values(name + ".weight");
        float[] matrix = new float[taps * outputs * (to - from)];
        for (int tap = 0, at = 0; tap < taps; tap++) {
            for (int o = 0; o < outputs; o++) {
                for (int i = from; i < to; i++) {
                    matrix[at++] = (float) (norm.scale()[o] * weights[(int) ((o * shape[1] + i) * taps + tap)]);
                }
            }
        }
        return linear(to - from, taps * outputs, matrix, null);
    }

    /** The same without a norm. */
    Linear tapProducts(String name, int from, int to) {
        return tapProducts(name, Scale.none((int) shape(name + ".weight")[0]), from, to);
    }

    /** The address of a convolution's filters [taps, channels], of one input or one output; 0 without a checkpoint. */
    long filters(String name) {
        return keep(parameters.filters(name + ".weight"));
    }

    /** As {@link Parameters#batchNorm}. */
    Scale batchNorm(String name) {
        return parameters.batchNorm(name);
    }

    @Override
    public void close() {
        linears.forEach(Linear::close);
        vectors.forEach(FloatPointer::close);
    }
}
