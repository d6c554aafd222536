package org.jmatte.cpu;

import org.bytedeco.dnnl.memory;
import org.jmatte.Precision;

/** How operands are stored. */
enum ElementType {
    FP32(4, memory.data_type.f32),
    BF16(2, memory.data_type.bf16);

    private final int bytes;
    private final memory.data_type oneDnn;

    ElementType(int bytes, memory.data_type oneDnn) {
        this.bytes = bytes;
        this.oneDnn = oneDnn;
    }

    static ElementType of(Precision precision) {
        return precision == Precision.BF16 ? BF16 : FP32;
    }

    int bytes() {
        return bytes;
    }

    long bytes(long elements) {
        return bytes * elements;
    }

    memory.data_type oneDnn() {
        return oneDnn;
    }

    /** The number by which our kernels know it, as in {@code jmatte_cpu.h}. */
    int code() {
        return ordinal();
    }
}
