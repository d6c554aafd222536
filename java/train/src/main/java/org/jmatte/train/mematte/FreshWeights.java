package org.jmatte.train.mematte;

import java.nio.FloatBuffer;
import java.util.random.RandomGenerator;
import org.jmatte.train.torch.Parameters;

/**
 * Starting values of routers and LTRM. Linear weights are normal with deviation 0.02, truncated at two deviations; filters
 * uniform in +-1/sqrt(fan-in); biases 0; norms 1 and 0.
 */
final class FreshWeights {
    private static final double DEVIATION = 0.02;
    private static final double WIDEST = 2;

    private FreshWeights() {}

    /** Fills one parameter with numbers drawn in its elements' order. */
    static void fill(Parameters parameters, String name, RandomGenerator random) {
        long[] shape = parameters.shapes().get(name);
        float[] values = new float[Math.toIntExact(Parameters.elements(shape))];
        double fanIn = (double) values.length / shape[0];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float)
                    switch (shape.length) {
                        case 1 -> name.endsWith(".weight") ? 1 : 0;
                        case 2 -> DEVIATION * truncatedNormal(random);
                        default -> (2 * random.nextDouble() - 1) / Math.sqrt(fanIn);
                    };
        }
        Parameters.fill(parameters.get(name), FloatBuffer.wrap(values));
    }

    private static double truncatedNormal(RandomGenerator random) {
        double value;
        do {
            value = random.nextGaussian();
        } while (Math.abs(value) > WIDEST);
        return value;
    }
}
