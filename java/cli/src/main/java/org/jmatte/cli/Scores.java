package org.jmatte.cli;

import java.util.Collection;
import java.util.function.ToDoubleFunction;
import org.jmatte.metrics.MattingErrors;

/** {@link MattingErrors} as tables print them. */
record Scores(double sad, double mseX1000, double grad, double conn) {
    static Scores of(MattingErrors errors) {
        return new Scores(errors.sad(), 1000 * errors.mse(), errors.grad(), errors.conn());
    }

    static Scores mean(Collection<Scores> scores) {
        return new Scores(
                mean(scores, Scores::sad),
                mean(scores, Scores::mseX1000),
                mean(scores, Scores::grad),
                mean(scores, Scores::conn));
    }

    private static double mean(Collection<Scores> scores, ToDoubleFunction<Scores> of) {
        return scores.stream().mapToDouble(of).average().orElse(Double.NaN);
    }
}
