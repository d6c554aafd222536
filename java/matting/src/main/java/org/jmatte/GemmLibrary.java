package org.jmatte;

/** Whose matrix products and 3x3 convolutions run on a card where they come without an epilogue; all others are ours. */
public enum GemmLibrary {
    /** Ours. */
    OWN,
    /**
     * cuBLAS and cuDNN, through the artifact {@code jmatte-vendor}; refused where cuBLAS is not. Without cuDNN convolutions
     * stay ours, and a log line tells why.
     */
    CUBLAS,
    /** Those where they are, else ours; a log line tells which. */
    AUTO
}
