package org.jmatte.train.data;

/** Paints one foreground object, or several that belong together. */
@FunctionalInterface
interface Subject {
    /** Paints onto an empty layer, about the place and in the size of the pose. */
    void paint(Scene scene, Pose pose, Layer layer);
}
