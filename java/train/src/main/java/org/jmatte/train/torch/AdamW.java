package org.jmatte.train.torch;

import java.util.function.ToDoubleFunction;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization"), with a rate and
 * a decay of each parameter's own. With g the gradient and t the step:
 *
 * <pre>
 * m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
 * p -= lr rate (decay p + (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps))
 * </pre>
 */
public final class AdamW extends MomentOptimizer {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;

    private final Tensor rate;
    private final Tensor decay;

    /**
     * @param rate by a parameter's name, the factor of its learning rate
     * @param decay by a parameter's name, its weight decay
     */
    public AdamW(Parameters parameters, ToDoubleFunction<String> rate, ToDoubleFunction<String> decay) {
        super(parameters);
        this.rate = parameters.spread(rate);
        this.decay = parameters.spread(decay);
    }

    @Override
    void move(double learningRate, long step) {
        Tensor values = parameters.values();
        Tensor gradient = parameters.gradients();
        first.mul_(new Scalar(BETA1)).add_(gradient, new Scalar(1 - BETA1));
        second.mul_(new Scalar(BETA2)).addcmul_(gradient, gradient, new Scalar(1 - BETA2));
        Tensor deviation =
                second.div(new Scalar(1 - Math.pow(BETA2, step))).sqrt_().add_(new Scalar(EPSILON));
        Tensor change =
                torch.mul(decay, values).addcdiv_(first, deviation, new Scalar(1 / (1 - Math.pow(BETA1, step))));
        values.addcmul_(rate, change, new Scalar(-learningRate));
    }

    @Override
    public void close() {
        super.close();
        rate.releaseReference();
        decay.releaseReference();
    }
}
