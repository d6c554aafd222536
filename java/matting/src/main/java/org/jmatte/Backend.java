package org.jmatte;

/** What executes the network. */
public enum Backend {
    /** The best backend that this machine offers; which one, and why, is logged. */
    AUTO,
    /** oneDNN and our own kernels on the processor. */
    CPU
}
