package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.fail;

/** Compares results with references and remembers how much of what is allowed was used. */
final class Tolerance {
    private final String what;
    private double used;

    Tolerance(String what) {
        this.what = what;
    }

    /** @param allowed largest absolute error; where one of both is no finite number, the other must be the same */
    void check(double expected, float got, double allowed, String where) {
        if (!Double.isFinite(expected) || !Float.isFinite(got)) {
            if (Double.compare(expected, got) != 0) {
                fail(what + ": " + where + ": expected " + expected + ", got " + got);
            }
            return;
        }
        double error = Math.abs(expected - got);
        if (!(error <= allowed)) {
            fail(what + ": " + where + ": expected " + expected + ", got " + got + ", off by " + error + " of "
                    + allowed);
        }
        used = Math.max(used, error / allowed);
    }

    /** Of a function of a sum of products, as a type stores it: twice its rounding, and 1e-5 of what was added. */
    void check(double expected, float got, ElementType type, Reference.Sum sum, String where) {
        check(expected, got, 2 * TestTensor.unit(type) * Math.abs(expected) + 1e-5 * sum.size(), where);
    }

    void report() {
        System.out.printf("%s: %.2f of the tolerance%n", what, used);
    }
}
