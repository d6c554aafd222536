package org.jmatte.kernels;

import java.util.Locale;

/** How an element of a tensor is stored. */
public enum ElementType {
    FP32(4),
    /** IEEE binary16. */
    FP16(2),
    /** The upper half of an FP32; its kernels need a card from sm_80. */
    BF16(2),
    U8(1),
    U16(2),
    I32(4);

    private final int bytes;

    ElementType(int bytes) {
        this.bytes = bytes;
    }

    public int bytes() {
        return bytes;
    }

    /** What the names of kernels for this type end in: {@code fp32}, {@code fp16}, ... */
    public String suffix() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
        return suffix();
    }
}
