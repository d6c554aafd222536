package org.jmatte.kernels;

import java.util.function.IntFunction;
import java.util.function.IntToDoubleFunction;

/** Attention of one query, in double and as a plain computation with a type's storage would have it. */
final class AttentionReference {
    static final int DEPTH = 64;

    /** The result. */
    final double[] exact = new double[DEPTH];
    /** The same with weights and result rounded to the type. */
    final float[] plain = new float[DEPTH];
    /** Of each channel, sum of the magnitudes that were added, grown by how much the scores' own sums can move it. */
    final double[] sizes = new double[DEPTH];

    /**
     * @param key row j of the keys, 64 floats from an offset; likewise the values
     * @param bias what is added to the j-th score
     */
    AttentionReference(
            ElementType type,
            Row query,
            int keys,
            IntFunction<Row> key,
            IntFunction<Row> value,
            IntToDoubleFunction bias) {
        double[] scores = new double[keys];
        double top = Double.NEGATIVE_INFINITY;
        double scoreSize = 0;
        boolean nan = false;
        for (int j = 0; j < keys; j++) {
            Row k = key.apply(j);
            double size = 0;
            double sum = 0;
            for (int c = 0; c < DEPTH; c++) {
                double product = (double) query.get(c) * k.get(c);
                sum += product;
                size += Math.abs(product);
            }
            double b = bias.applyAsDouble(j);
            scores[j] = sum / 8 + b;
            nan |= Double.isNaN(scores[j]);
            top = Math.max(top, scores[j]);
            scoreSize = Math.max(scoreSize, size / 8 + Math.abs(b));
        }
        double total = 0;
        double plainTotal = 0;
        double[] rounded = new double[DEPTH];
        for (int j = 0; j < keys; j++) {
            double weight = nan ? Double.NaN : Math.exp(scores[j] - top);
            float stored = TestTensor.round(type, (float) weight);
            total += weight;
            plainTotal += (float) weight;
            Row v = value.apply(j);
            for (int c = 0; c < DEPTH; c++) {
                exact[c] += weight * v.get(c);
                rounded[c] += (double) stored * v.get(c);
                sizes[c] += weight * Math.abs(v.get(c));
            }
        }
        for (int c = 0; c < DEPTH; c++) {
            exact[c] /= total;
            plain[c] = TestTensor.round(type, (float) (rounded[c] / plainTotal));
            sizes[c] *= (1 + scoreSize) / total;
        }
    }

    /** 64 elements of an array. */
    record Row(float[] of, int at) {
        float get(int c) {
            return of[at + c];
        }
    }

    static double dot(Row a, Row b) {
        double sum = 0;
        for (int c = 0; c < DEPTH; c++) {
            sum += (double) a.get(c) * b.get(c);
        }
        return sum;
    }
}
