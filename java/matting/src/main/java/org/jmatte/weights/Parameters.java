package org.jmatte.weights;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Map;
import org.jmatte.network.Architecture;

/** A network's parameters by name, as backends lay them out. Without a checkpoint they have shapes but no values. */
public final class Parameters {
    private static final double BATCH_NORM_EPS = 1e-5;

    private final Map<String, long[]> shapes;
    private final Checkpoint checkpoint;

    /** @param checkpoint null for shapes alone */
    public Parameters(Architecture architecture, Checkpoint checkpoint) {
        this.shapes = architecture.parameterShapes();
        this.checkpoint = checkpoint;
    }

    /** Whether there are values. */
    public boolean hasValues() {
        return checkpoint != null;
    }

    public boolean has(String name) {
        return shapes.containsKey(name);
    }

    public long[] shape(String name) {
        return shapes.get(name);
    }

    public int elements(String name) {
        int elements = 1;
        for (long size : shape(name)) {
            elements = Math.toIntExact(elements * size);
        }
        return elements;
    }

    /** A tensor's values, row-major; zeros without a checkpoint. */
    public float[] values(String name) {
        float[] values = new float[elements(name)];
        if (hasValues()) {
            read(name, FloatBuffer.wrap(values));
        }
        return values;
    }

    /** As {@link Checkpoint#read}. */
    public void read(String name, FloatBuffer target) {
        checkpoint.read(name, target);
    }

    /** What a batch norm does in inference, y = scale x + shift per channel, in fp64. */
    public record Scale(double[] scale, double[] shift) {
        /** y = x. */
        public static Scale none(int channels) {
            double[] ones = new double[channels];
            Arrays.fill(ones, 1);
            return new Scale(ones, new double[channels]);
        }
    }

    /** The batch norm of that name. */
    public Scale batchNorm(String name) {
        float[] weight = values(name + ".weight");
        float[] bias = values(name + ".bias");
        float[] mean = values(name + ".running_mean");
        float[] variance = values(name + ".running_var");
        Scale result = Scale.none(weight.length);
        for (int c = 0; c < weight.length; c++) {
            result.scale[c] = weight[c] / Math.sqrt(variance[c] + BATCH_NORM_EPS);
            result.shift[c] = bias[c] - mean[c] * result.scale[c];
        }
        return result;
    }

    /** The bias of a convolution followed by a batch norm, as one: shift + scale b; a bias that is not there is 0. */
    public float[] foldedBias(String name, Scale norm) {
        float[] bias = has(name + ".bias") ? values(name + ".bias") : new float[norm.scale.length];
        for (int o = 0; o < bias.length; o++) {
            bias[o] = (float) (norm.shift[o] + norm.scale[o] * bias[o]);
        }
        return bias;
    }

    /** A tensor [O, I, kernel sizes] as [O, taps, I], tap-major, each output scaled. */
    public float[] tapMajor(String name, Scale norm, int from, int to) {
        long[] shape = shape(name);
        int outputs = (int) shape[0];
        int taps = (int) (shape[2] * shape[3]);
        float[] weights = values(name);
        float[] result = new float[outputs * taps * (to - from)];
        int at = 0;
        for (int o = 0; o < outputs; o++) {
            for (int tap = 0; tap < taps; tap++) {
                for (int i = from; i < to; i++) {
                    result[at++] = (float) (norm.scale[o] * weights[(int) ((o * shape[1] + i) * taps + tap)]);
                }
            }
        }
        return result;
    }

    /** A convolution's filters [taps, channels], of one input or one output. */
    public float[] filters(String name) {
        long[] shape = shape(name);
        int channels = (int) (shape[0] * shape[1]);
        int taps = (int) (shape[2] * shape[3]);
        float[] filters = values(name);
        float[] result = new float[filters.length];
        for (int c = 0; c < channels; c++) {
            for (int tap = 0; tap < taps; tap++) {
                result[tap * channels + c] = filters[c * taps + tap];
            }
        }
        return result;
    }
}
