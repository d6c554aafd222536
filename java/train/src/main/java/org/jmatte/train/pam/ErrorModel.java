package org.jmatte.train.pam;

import java.util.Arrays;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamPath;

/**
 * Expects the mean error of any path from that of some: a quadratic function of the kept segments, p in {0, 1}^K,
 *
 * <pre>error(p) = w + sum over k of w_k p_k + sum over j &lt; k of w_jk p_j p_k</pre>
 *
 * fitted by ridge regression (all weights but the first are held small).
 */
final class ErrorModel {
    private static final int TERMS =
            1 + PamArchitecture.SEGMENTS + PamArchitecture.SEGMENTS * (PamArchitecture.SEGMENTS - 1) / 2;
    private static final double RIDGE = 1;

    private final double[] weights;

    /** @param known the error of every image along some paths */
    ErrorModel(Map<PamPath, double[]> known) {
        double[] rows = new double[known.size() * TERMS];
        double[] means = new double[known.size()];
        int row = 0;
        for (Map.Entry<PamPath, double[]> entry : known.entrySet()) {
            System.arraycopy(terms(entry.getKey()), 0, rows, row * TERMS, TERMS);
            means[row++] = Arrays.stream(entry.getValue()).average().orElseThrow();
        }
        try (PointerScope temporaries = new PointerScope()) {
            Tensor x = Tensor.create(rows, known.size(), TERMS);
            Tensor penalty = torch.eye(TERMS, x.options()).mul(new Scalar(RIDGE));
            penalty.select(0, 0).zero_();
            Tensor squares = x.t().mm(x).add(penalty);
            Tensor solution = torch.linalg_solve(squares, x.t().mv(Tensor.create(means)));
            weights = new double[TERMS];
            solution.data_ptr_double().get(weights);
        }
    }

    /** The mean error to expect along a path. */
    double expect(PamPath path) {
        double[] terms = terms(path);
        double sum = 0;
        for (int i = 0; i < TERMS; i++) {
            sum += weights[i] * terms[i];
        }
        return sum;
    }

    private static double[] terms(PamPath path) {
        double[] terms = new double[TERMS];
        int at = 0;
        terms[at++] = 1;
        for (int k = 0; k < PamArchitecture.SEGMENTS; k++) {
            double kept = path.keeps(k) ? 1 : 0;
            terms[at++] = kept;
            for (int j = 0; j < k; j++) {
                terms[at++] = path.keeps(j) ? kept : 0;
            }
        }
        return terms;
    }
}
