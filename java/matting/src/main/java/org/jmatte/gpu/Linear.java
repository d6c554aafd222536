package org.jmatte.gpu;

import org.jmatte.kernels.Convert;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.Gemm;
import org.jmatte.kernels.Tensor;

/**
 * A linear layer's weights.
 *
 * @param weight [outputs, inputs] operands
 * @param bias [outputs] fp32, or null
 */
record Linear(Tensor weight, Tensor bias) {
    int outputs() {
        return (int) weight.size(0);
    }

    int inputs() {
        return (int) weight.size(1);
    }

    /** d = a weight' + bias. */
    void run(GpuRun run, Tensor d, Tensor a) {
        run(run, d, a, Gemm.Options.NONE);
    }

    void run(GpuRun run, Tensor d, Tensor a, Gemm.Options options) {
        Gemm.run(run.device(), d, a, weight, bias, options, run.stream());
    }

    /** stream += a weight' + bias, in a block of the network. */
    void addTo(GpuRun run, Tensor stream, Tensor a, int block) {
        run(run, stream, a, Gemm.Options.NONE.add(stream).overflow(run.overflow(), Overflow.stream(block)));
    }

    /** The same layer in fp32, in memory that is taken. */
    Linear widened(GpuRun run) {
        Tensor wide = run.take(ElementType.FP32, weight.shape());
        Convert.run(run.device(), wide, weight, run.stream());
        return new Linear(wide, bias);
    }
}
