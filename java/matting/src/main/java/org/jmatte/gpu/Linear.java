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

    /** stream += a weight' + bias. @param place of {@link Overflow} */
    void addTo(GpuRun run, Tensor stream, Tensor a, int place) {
        run(run, stream, a, run.flagging(Gemm.Options.NONE.add(stream), place));
    }

    /** The same layer in fp32, in memory that is taken. */
    Linear widened(GpuRun run) {
        return new Linear(run.widened(weight), bias);
    }
}
