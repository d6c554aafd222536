package org.jmatte;

/** Element type of the operands; sums, norms and softmax are always in fp32. */
public enum Precision {
    FP32,
    /** bfloat16 operands: half the memory, faster on processors with AVX-512 BF16 or AMX. */
    BF16
}
