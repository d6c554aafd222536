package org.jmatte.network;

/** What the operators of every network share. */
interface Ops {
    /**
     * Does one named step of a network.
     *
     * @param work calls one operator
     */
    default void stage(String name, Runnable work) {
        work.run();
    }

    /** The features have become what listeners know by this name, see {@link org.jmatte.StageListener}. */
    default void reached(String name) {}
}
