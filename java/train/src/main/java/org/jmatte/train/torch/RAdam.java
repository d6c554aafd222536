package org.jmatte.train.torch;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Rectified Adam (Liu et al. 2020, "On the Variance of the Adaptive Learning Rate and Beyond"), which libtorch's C++ API
 * lacks. With g the gradient, plus weight decay times the parameter where that applies, and t the step:
 *
 * <pre>
 * m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
 * rho_inf = 2 / (1 - beta2) - 1,   rho = rho_inf - 2 t beta2^t / (1 - beta2^t)
 * rho > 5:  p -= lr r (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 *           r = sqrt((rho - 4)(rho - 2) rho_inf / ((rho_inf - 4)(rho_inf - 2) rho))
 * else:     p -= lr m / (1 - beta1^t)
 * </pre>
 */
public final class RAdam implements AutoCloseable {
    private static final double BETA1 = 0.5;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;
    private static final double SHORTEST_AVERAGE = 5; // below it the variance of the adaptive rate is not tractable

    private final Parameters parameters;
    private final Tensor decay;
    private final Tensor first;
    private final Tensor second;
    private long steps;

    /** @param weightDecay added to the gradient as a multiple of the value; not for biases and norms */
    public RAdam(Parameters parameters, double weightDecay) {
        this.parameters = parameters;
        try (PointerScope temporaries = new PointerScope();
                NoGradGuard guard = new NoGradGuard()) {
            Tensor values = parameters.values();
            first = torch.zeros_like(values).retainReference();
            second = torch.zeros_like(values).retainReference();
            decay = torch.zeros_like(values).retainReference();
            long offset = 0;
            for (long[] shape : parameters.shapes().values()) {
                long elements = Parameters.elements(shape);
                if (shape.length > 1) { // vectors are biases and norms
                    decay.narrow(0, offset, elements).fill_(new Scalar(weightDecay));
                }
                offset += elements;
            }
        }
    }

    /** Moves the parameters against their gradients. */
    public void step(double learningRate) {
        try (PointerScope temporaries = new PointerScope();
                NoGradGuard guard = new NoGradGuard()) {
            steps++;
            Tensor values = parameters.values();
            Tensor gradient = parameters.gradients().addcmul_(decay, values);
            first.mul_(new Scalar(BETA1)).add_(gradient, new Scalar(1 - BETA1));
            second.mul_(new Scalar(BETA2)).addcmul_(gradient, gradient, new Scalar(1 - BETA2));

            double correction1 = 1 - Math.pow(BETA1, steps);
            double correction2 = 1 - Math.pow(BETA2, steps);
            double longest = 2 / (1 - BETA2) - 1;
            double length = longest - 2 * steps * (1 - correction2) / correction2;
            double rate = learningRate / correction1;
            if (length > SHORTEST_AVERAGE) {
                double rectification =
                        Math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
                Tensor deviation = second.div(new Scalar(correction2)).sqrt_().add_(new Scalar(EPSILON));
                values.addcdiv_(first, deviation, new Scalar(-rate * rectification));
            } else {
                values.add_(first, new Scalar(-rate));
            }
        }
    }

    /** Forgets the moments, as at the start of a new schedule. */
    public void reset() {
        first.zero_();
        second.zero_();
        steps = 0;
    }

    public long steps() {
        return steps;
    }

    /** The exponential average of gradients, writable, for checkpoints. */
    public Tensor firstMoment() {
        return first;
    }

    /** The exponential average of squared gradients, writable, for checkpoints. */
    public Tensor secondMoment() {
        return second;
    }

    /** Continues at this step, after the moments were restored. */
    public void restore(long stepsDone) {
        steps = stepsDone;
    }

    @Override
    public void close() {
        first.releaseReference();
        second.releaseReference();
        decay.releaseReference();
    }
}
