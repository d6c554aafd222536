package org.jmatte.train.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Rectified Adam against its formulas, step by step in double precision. */
class RAdamTest {
    private static final double RATE = 0.01;
    private static final double DECAY = 0.1;

    @Test
    void followsTheFormulas() {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put("weight", new long[] {3, 4});
        shapes.put("bias", new long[] {5}); // a vector: no decay
        int count = 17;
        Random random = new Random(3);
        double[] value = random.doubles(count, -1, 1).toArray();
        double[] first = new double[count];
        double[] second = new double[count];
        try (Parameters parameters = new Parameters(shapes, Devices.cpu());
                RAdam optimizer = new RAdam(parameters, DECAY, name -> name.equals("bias") ? 3 : 1)) {
            Parameters.fill(parameters.values(), floats(value));
            for (int step = 1; step <= 30; step++) {
                double[] gradient = random.doubles(count, -1, 1).toArray();
                Parameters.fill(parameters.gradients(), floats(gradient));
                optimizer.step(RATE);
                double longest = 2 / 0.001 - 1;
                double power = Math.pow(0.999, step);
                double length = longest - 2 * step * power / (1 - power);
                for (int i = 0; i < count; i++) {
                    double g = gradient[i];
                    value[i] -= i < 12 ? RATE * DECAY * value[i] : 0;
                    first[i] = 0.5 * first[i] + 0.5 * g;
                    second[i] = 0.999 * second[i] + 0.001 * g * g;
                    double mean = first[i] / (1 - Math.pow(0.5, step));
                    if (length > 5) {
                        double rectification = Math.sqrt(
                                (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
                        value[i] -= rate(i) * rectification * mean / (Math.sqrt(second[i] / (1 - power)) + 1e-8);
                    } else {
                        value[i] -= rate(i) * mean;
                    }
                }
                assertArrayEquals(
                        floats(value).array(), Parameters.toArray(parameters.values()), 2e-6f, "step " + step);
            }
        }
    }

    private static double rate(int i) {
        return i < 12 ? RATE : 3 * RATE;
    }

    @Test
    void whatHasNoGradientStays() {
        try (Parameters parameters = new Parameters(Map.of("weight", new long[] {2, 2}), Devices.cpu());
                RAdam optimizer = new RAdam(parameters, 1e-2, name -> 1)) {
            Parameters.fill(parameters.values(), FloatBuffer.wrap(new float[] {1, -1, 0.5f, 2}));
            for (int step = 0; step < 1000; step++) {
                optimizer.step(1e-3);
            }
            float kept = (float) Math.pow(1 - 1e-5, 1000);
            assertArrayEquals(
                    new float[] {kept, -kept, 0.5f * kept, 2 * kept}, Parameters.toArray(parameters.values()), 1e-4f);
        }
    }

    private static FloatBuffer floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return FloatBuffer.wrap(floats);
    }
}
