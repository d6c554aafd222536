package org.jmatte;

/** Hears how far a matte has come. Called on the thread that asked for the matte. */
@FunctionalInterface
public interface Progress {
    /**
     * A stage begins.
     *
     * @param name what it does, for instance {@code block 3 window attention}
     * @param done stages finished so far
     * @param total stages of the whole run
     */
    void stage(String name, int done, int total);
}
