package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;

/**
 * What a card's arithmetic reaches without memory, for benchmarks to compare with: every thread repeats {@code d = a b +
 * d} in registers alone, with matrices of fp16 or bf16 and fp32 sums on the matrix units ({@code mma.sync}), or with fp32
 * numbers on the FMA units. Kernels: {@code kernels/ceilings.cu}.
 */
public final class Ceilings {
    /** Threads of a block. */
    public static final int THREADS = 256;

    private static final String OPERATOR = "ceilings";

    /** Of an iteration of a warp: 16 tiles of 16 x 8 and 16 deep. */
    private static final long MATRIX_FLOPS = 2L * 16 * 16 * 8 * 16 * (THREADS / 32);
    /** Of an iteration of a thread: 64 sums. */
    private static final long SCALAR_FLOPS = 2L * 64 * THREADS;

    private Ceilings() {}

    /**
     * Runs the loop; the launch counts its FLOPs.
     *
     * @param out [threads] fp32, a multiple of 256: takes the sum of each thread's results
     * @param type of a and b: fp32, fp16 or bf16
     * @param iterations of the loop, from 1
     */
    public static void run(Device device, Tensor out, ElementType type, int iterations, Stream stream) {
        Arguments.tensor(OPERATOR, "out", out, FP32, "[threads]", Arguments.ANY);
        Arguments.check(out.size(0) % THREADS == 0, OPERATOR, "threads", "a multiple of " + THREADS, out.size(0));
        Arguments.check(
                type == FP32 || type == FP16 || (type == BF16 && device.architecture() >= 80),
                OPERATOR,
                "type",
                device.architecture() >= 80 ? "fp32, fp16 or bf16" : "fp32 or fp16",
                type);
        Arguments.range(OPERATOR, "iterations", iterations, 1, Integer.MAX_VALUE);
        long blocks = out.size(0) / THREADS;
        ParameterBlock parameters = ParameterBlock.create().pointer(out).integer32(iterations);
        device.launch(
                new Launch(
                        OPERATOR,
                        OPERATOR + "_" + type,
                        Math.toIntExact(blocks),
                        1,
                        1,
                        parameters,
                        blocks * iterations * (type == FP32 ? SCALAR_FLOPS : MATRIX_FLOPS),
                        out.bytes()),
                stream);
    }
}
