package org.jmatte;

/** Element type of the operands; sums, norms and softmax are always in fp32. */
public enum Precision {
    FP32,
    /** IEEE half precision: on a card. Half the memory, and the matrix units. */
    FP16,
    /** bfloat16: half the memory, faster on processors with AVX-512 BF16 or AMX, and on cards from sm_80 on. */
    BF16
}
