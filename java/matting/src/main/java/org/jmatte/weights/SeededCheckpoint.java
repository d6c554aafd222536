package org.jmatte.weights;

import java.math.BigInteger;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Weights computed from a seed instead of trained, for tests and measurements without a download.
 *
 * <p>Element i of tensor NAME starts from the double u in [-1, 1): the top 24 bits of splitmix64 at the state
 * fnv1a64("SEED:NAME") + i * 0x9E3779B97F4A7C15, scaled by 2^-23, minus 1. {@link Rule} then depends on the name.
 */
final class SeededCheckpoint implements Checkpoint {
    private static final long STEP = 0x9E3779B97F4A7C15L;

    private final String description;
    private final BigInteger seed;
    private final Map<String, TensorInfo> tensors;

    /** @param name what the description calls the network whose parameters have these shapes */
    SeededCheckpoint(String name, BigInteger seed, Map<String, long[]> shapes) {
        this.description = "seeded:" + name + ":" + seed;
        this.seed = seed;
        Map<String, TensorInfo> infos = new LinkedHashMap<>();
        shapes.forEach((tensor, shape) -> infos.put(tensor, new TensorInfo(tensor, ElementType.F32, shape)));
        tensors = Collections.unmodifiableMap(infos);
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return tensors;
    }

    @Override
    public void read(String name, FloatBuffer target) {
        TensorInfo info = tensors.get(name);
        if (info == null) {
            throw new IllegalArgumentException(description + " has no tensor " + name);
        }
        int elements = (int) info.elements();
        if (target.remaining() < elements) {
            throw new IllegalArgumentException("Tensor " + name + " has " + elements
                    + " elements, but the target has room for " + target.remaining());
        }
        Rule rule = Rule.of(name, info.shape());
        long state = hash(seed + ":" + name);
        for (int i = 0; i < elements; i++) {
            state += STEP;
            target.put(rule.value(uniform(state)));
        }
    }

    @Override
    public void close() {}

    /** splitmix64's output of {@code state}, as a double in [-1, 1). */
    private static double uniform(long state) {
        long x = (state ^ state >>> 30) * 0xBF58476D1CE4E5B9L;
        x = (x ^ x >>> 27) * 0x94D049BB133111EBL;
        return ((x ^ x >>> 31) >>> 40) * 0x1p-23 - 1;
    }

    /** FNV-1a of the text's UTF-8 bytes. */
    private static long hash(String text) {
        long h = 0xCBF29CE484222325L;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            h = (h ^ b & 0xFF) * 0x100000001B3L;
        }
        return h;
    }

    /**
     * From u to the weight: offset + gain * (scale * u), or of |u|; rounded in this order, then to float32, then times
     * {@code last}.
     */
    private record Rule(boolean absolute, double offset, double gain, double scale, float last) {
        Rule(boolean absolute, double offset, double gain, double scale) {
            this(absolute, offset, gain, scale, 1);
        }

        static Rule of(String name, long[] shape) {
            if (name.equals("alpha.bias")) {
                return new Rule(false, 0.5, 1, 0); // with the smaller weights, keeps alpha inside 0..1
            }
            if (name.endsWith("running_var")) {
                return new Rule(true, 1, 1, 0.5);
            }
            if (name.endsWith(".bias") || name.endsWith("running_mean")) {
                return new Rule(false, 0, 1, 0.1);
            }
            if (name.contains("norm")
                    || name.contains(".bn.")
                    || name.contains("in_conv.0.")
                    || name.contains("matting_convs.1.")) {
                return new Rule(false, 1, 1, 0.1); // scale of a normalisation
            }
            if (name.contains("pos_embed")) {
                return new Rule(false, 0, 1, 0.5);
            }
            if (name.contains("rel_pos")) {
                return new Rule(false, 0, 1, 0.3);
            }
            long fanIn = 1;
            for (int i = 1; i < shape.length; i++) {
                fanIn *= shape[i];
            }
            double gain = name.endsWith("matting_convs.3.weight") ? 12 : 1; // spreads alpha over (0, 1)
            float last = name.equals("alpha.weight") ? 0.6f : 1;
            return new Rule(false, 0, gain, Math.sqrt(3.0 / fanIn), last); // variance 1 / fan-in
        }

        float value(double u) {
            return last * (float) (offset + gain * (scale * (absolute ? Math.abs(u) : u)));
        }
    }
}
