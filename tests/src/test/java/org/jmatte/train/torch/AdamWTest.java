package org.jmatte.train.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Adam with decoupled decay against its formulas, step by step in double precision. */
class AdamWTest {
    private static final double RATE = 0.01;

    @Test
    void followsTheFormulas() {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put("deep", new long[] {3, 4});
        shapes.put("free", new long[] {5});
        int count = 17;
        Random random = new Random(3);
        double[] value = random.doubles(count, -1, 1).toArray();
        double[] first = new double[count];
        double[] second = new double[count];
        try (Parameters parameters = new Parameters(shapes, Devices.cpu());
                AdamW optimizer = new AdamW(
                        parameters, name -> name.equals("deep") ? 0.3 : 1, name -> name.equals("deep") ? 0.1 : 0)) {
            Parameters.fill(parameters.values(), floats(value));
            for (int step = 1; step <= 30; step++) {
                double[] gradient = random.doubles(count, -1, 1).toArray();
                Parameters.fill(parameters.gradients(), floats(gradient));
                optimizer.step(RATE);
                for (int i = 0; i < count; i++) {
                    first[i] = 0.9 * first[i] + 0.1 * gradient[i];
                    second[i] = 0.999 * second[i] + 0.001 * gradient[i] * gradient[i];
                    double mean = first[i] / (1 - Math.pow(0.9, step));
                    double deviation = Math.sqrt(second[i] / (1 - Math.pow(0.999, step)));
                    double rate = i < 12 ? 0.3 * RATE : RATE;
                    value[i] -= rate * ((i < 12 ? 0.1 * value[i] : 0) + mean / (deviation + 1e-8));
                }
                assertArrayEquals(
                        floats(value).array(), Parameters.toArray(parameters.values()), 2e-6f, "step " + step);
            }
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
