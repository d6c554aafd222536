package org.jmatte.train.pam;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.jmatte.network.PamPath;
import org.junit.jupiter.api.Test;

class ErrorModelTest {
    /** Segments 2 and 5 do the same work: one of them suffices. */
    private static double error(PamPath path) {
        double together = path.keeps(2) || path.keeps(5) ? 0 : 0.3;
        return 0.2 + together + (path.keeps(0) ? 0 : 0.1) - (path.keeps(9) ? 0 : 0.05);
    }

    @Test
    void expectsTheErrorOfPathsThatItHasNotSeen() {
        SplittableRandom random = new SplittableRandom(1);
        Map<PamPath, double[]> known = new HashMap<>();
        while (known.size() < 1000) {
            PamPath path = PathPrior.random(random);
            known.put(path, new double[] {error(path) - 0.01, error(path) + 0.01});
        }
        ErrorModel model = new ErrorModel(known);
        for (int i = 0; i < 1000; i++) {
            PamPath path = PathPrior.random(random);
            assertEquals(error(path), model.expect(path), 0.03, () -> path.toString());
        }
    }
}
