package org.jmatte;

import java.nio.FloatBuffer;

/**
 * Receives intermediate results, for tests and for study. Of MEMatte and ViTMatte: {@code embedding}, {@code block0} to
 * {@code block11}, all [grid height, grid width, channels]; of MEMatte also {@code router0.margin} to {@code router3.margin},
 * [tokens]. Of PAM: {@code encoder.quarter} to {@code encoder.thirtysecond}, {@code pyramid 0} to {@code pyramid 2}, {@code
 * decoder.sixteenth} to {@code decoder.quarter}, all [height, width, channels] of the padded photo at the stage's scale, and
 * {@code segment0.margin} to {@code segment13.margin}, [1]: the logit of keeping the segment less that of bypassing it,
 * whatever a budget or a forced path makes of it.
 */
@FunctionalInterface
public interface StageListener {
    /**
     * @param name which result
     * @param values fp32, row-major; valid only during the call
     * @param shape sizes
     */
    void tensor(String name, FloatBuffer values, long... shape);

    /** @throws InvalidInputException if a result takes so many bytes that no Java buffer holds it */
    static void requireBuffer(long bytes) {
        if (bytes > Integer.MAX_VALUE) {
            throw new InvalidInputException(
                    "stage listener: expected intermediate results of at most 2 GiB, which a Java"
                            + " buffer holds, got " + bytes + " bytes; take a smaller photo, or no listener");
        }
    }
}
