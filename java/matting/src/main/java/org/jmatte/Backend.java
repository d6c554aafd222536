package org.jmatte;

/** What executes the network. */
public enum Backend {
    /** The card if there is one, else the processor; which, and why, is logged. */
    AUTO,
    /** oneDNN and our own kernels on the processor. */
    CPU,
    /** An NVIDIA card. */
    CUDA,
    /** The card's kernels run thread by thread on the processor: for tests, and slower by far. */
    EMULATED
}
