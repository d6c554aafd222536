package org.jmatte.gpu;

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
}
