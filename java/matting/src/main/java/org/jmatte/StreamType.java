package org.jmatte;

/** Element type of the residual stream on a card, which every block adds to. On the processor it is fp32. */
public enum StreamType {
    /** fp32 where the memory budget allows, else the operands' type. */
    AUTO,
    /** Rounded nowhere. */
    FP32,
    /** Half the memory; only with operands in fp16. */
    FP16
}
