package org.jmatte.kernels;

/**
 * One kernel call, complete: what a wrapper's geometry computes, what {@link Device#launch} runs, and what plans and
 * profiles count. Threads and shared memory are the kernel's own and not repeated here.
 *
 * @param operator the kernel's file, without {@code .cu}
 * @param kernel the entry point in it
 * @param gridX blocks, up to 2^31 - 1; a grid without blocks launches nothing
 * @param gridY blocks, up to 65535
 * @param gridZ blocks, up to 65535
 * @param parameters the kernel's parameter struct
 * @param flops floating-point operations, a fused multiply-add counting two
 * @param bytes bytes that the call must read and write at least once
 * @param core what vendors' libraries could compute of it, or null
 */
public record Launch(
        String operator,
        String kernel,
        int gridX,
        int gridY,
        int gridZ,
        ParameterBlock parameters,
        long flops,
        long bytes,
        PlainCall core) {
    private static final int MAX_YZ = 65535;

    public Launch {
        if (operator == null || kernel == null || parameters == null) {
            throw new InvalidArgumentException("launch: expected an operator, a kernel and parameters, got " + operator
                    + ", " + kernel + ", " + parameters);
        }
        if (gridX < 0 || gridY < 0 || gridZ < 0 || gridY > MAX_YZ || gridZ > MAX_YZ) {
            throw new InvalidArgumentException(
                    operator + ": grid: expected at most 2^31 - 1 x 65535 x 65535 blocks, got " + gridX + " x " + gridY
                            + " x " + gridZ);
        }
    }

    /** A launch that is ours alone. */
    public Launch(
            String operator,
            String kernel,
            int gridX,
            int gridY,
            int gridZ,
            ParameterBlock parameters,
            long flops,
            long bytes) {
        this(operator, kernel, gridX, gridY, gridZ, parameters, flops, bytes, null);
    }

    Launch withCore(PlainCall call) {
        return new Launch(operator, kernel, gridX, gridY, gridZ, parameters, flops, bytes, call);
    }

    /** The smallest integer not below a / b: blocks for so many elements. */
    static long ceilDiv(long a, long b) {
        return (a + b - 1) / b;
    }

    static int ceilDiv(int a, int b) {
        return Math.toIntExact(ceilDiv((long) a, b));
    }

    /** Whether there is nothing to run. */
    public boolean isEmpty() {
        return gridX == 0 || gridY == 0 || gridZ == 0;
    }

    /** For messages: {@code layer_norm: layer_norm_fp16, grid 124 x 1 x 1, parameters (0x7f..., 989, 384, 1.0E-6)}. */
    @Override
    public String toString() {
        return operator + ": " + kernel + ", grid " + gridX + " x " + gridY + " x " + gridZ + ", parameters ("
                + parameters + ")";
    }
}
