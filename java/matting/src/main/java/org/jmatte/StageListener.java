package org.jmatte;

import java.nio.FloatBuffer;

/** Receives intermediate results, for tests and for study: the embedding, every block's output, the routers' margins. */
@FunctionalInterface
public interface StageListener {
    /**
     * @param name {@code embedding}, {@code block0} to {@code block11}, {@code router0.margin} to
     *     {@code router3.margin}
     * @param values fp32, row-major; valid only during the call
     * @param shape sizes, for instance {@code [grid height, grid width, channels]}
     */
    void tensor(String name, FloatBuffer values, long... shape);
}
