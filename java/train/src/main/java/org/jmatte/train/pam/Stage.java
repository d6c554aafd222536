package org.jmatte.train.pam;

/** The stages of a training, in their order. */
public enum Stage {
    /** The full network alone; it becomes the teacher. */
    FULL,
    /** A path drawn uniformly for each image, distilled from the teacher. */
    WARM_UP,
    /** The path selection layers learn which path is best for an image under a constraint. */
    PATHS
}
