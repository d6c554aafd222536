package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Compares rows of attention with references: fp32 to 1e-6 of what was added up, the other types to twice the largest
 * error of the plain computation with the same storage.
 */
final class AttentionCheck {
    /** Sums in fp32, which a plain computation in double does not have. */
    private static final double FLOATS = 1e-6;

    private final ElementType type;
    private final String what;
    private final Tolerance tolerance;
    private double error;
    private double plainError;
    private double floats;

    AttentionCheck(ElementType type, String what) {
        this.type = type;
        this.what = what + " " + type;
        this.tolerance = new Tolerance(this.what);
    }

    /** Adds a row of the result, 64 elements from an offset. */
    void add(AttentionReference reference, float[] got, int at, String where) {
        for (int c = 0; c < AttentionReference.DEPTH; c++) {
            double expected = reference.exact[c];
            double size = reference.sizes[c];
            if (type == ElementType.FP32 || !Double.isFinite(expected) || !Float.isFinite(got[at + c])) {
                tolerance.check(expected, got[at + c], 1e-6 * size, where + ", channel " + c);
            } else {
                error = Math.max(error, Math.abs(expected - got[at + c]));
                plainError = Math.max(plainError, Math.abs(expected - reference.plain[c]));
                floats = Math.max(floats, FLOATS * size);
            }
        }
    }

    void report() {
        if (type == ElementType.FP32) {
            tolerance.report();
            return;
        }
        double allowed = 2 * plainError + floats;
        assertTrue(error <= allowed, what + ": off by " + error + ", the plain computation by " + plainError);
        System.out.printf("%s: off by %.2g, the plain computation by %.2g%n", what, error, plainError);
    }
}
