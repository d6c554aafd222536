package org.jmatte;

/** Instruction sets of the CPU backend, in ascending order. The choice holds for the whole process. */
public enum Isa {
    /** The best that the processor has. */
    AUTO,
    AVX2,
    AVX512,
    /** AVX-512 with AMX tiles, which serve matrix products in bf16. */
    AMX
}
