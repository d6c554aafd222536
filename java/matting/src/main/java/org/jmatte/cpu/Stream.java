package org.jmatte.cpu;

import org.jmatte.bindings.cpu.CpuKernels;

/** The residual stream [N, C], always fp32, as operand of a product that no norm precedes. */
final class Stream {
    private Stream() {}

    /**
     * The address of consecutive rows as operands: in the stream itself, or converted into {@code scratch}.
     *
     * @param first the first row
     */
    static long operands(long x, long first, long rows, int channels, long scratch, ElementType type) {
        long at = x + first * channels * Float.BYTES;
        if (type == ElementType.FP32) {
            return at;
        }
        CpuKernels.convert_rows(at, rows * channels, scratch, type.code());
        return scratch;
    }
}
