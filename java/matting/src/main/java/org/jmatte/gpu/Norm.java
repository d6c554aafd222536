package org.jmatte.gpu;

import org.jmatte.kernels.LayerNorm;
import org.jmatte.kernels.Tensor;

/**
 * A layer norm's parameters.
 *
 * @param weight [C] fp32
 * @param bias [C] fp32
 */
record Norm(Tensor weight, Tensor bias, float eps) {
    /** Of the encoder. */
    static final float ENCODER_EPS = 1e-6f;
    /** Of the routers. */
    static final float ROUTER_EPS = 1e-5f;

    /** out = norm(x). */
    void run(GpuRun run, Tensor out, Tensor x) {
        LayerNorm.run(run.device(), out, x, weight, bias, eps, run.stream());
    }

    /** out = GELU(norm(x)); out may be x. */
    void gelu(GpuRun run, Tensor out, Tensor x) {
        LayerNorm.gelu(run.device(), out, x, weight, bias, eps, run.stream());
    }

    /** x += norm(y). */
    void addTo(GpuRun run, Tensor x, Tensor y) {
        LayerNorm.residual(run.device(), x, y, x, weight, bias, eps, run.stream());
    }
}
