package org.jmatte.train.torch;

import java.util.function.ToDoubleFunction;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Rectified Adam (Liu et al. 2020, "On the Variance of the Adaptive Learning Rate and Beyond"), which libtorch's C++ API
 * lacks. With g the gradient, d the weight decay and t the step:
 *
 * <pre>
 * m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
 * rho_inf = 2 / (1 - beta2) - 1,   rho = rho_inf - 2 t beta2^t / (1 - beta2^t)
 * p -= lr d p
 * rho > 5:  p -= lr r (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 *           r = sqrt((rho - 4)(rho - 2) rho_inf / ((rho_inf - 4)(rho_inf - 2) rho))
 * else:     p -= lr m / (1 - beta1^t)
 * </pre>
 *
 * The decay stays out of the gradient (Loshchilov and Hutter 2019): there, a parameter without a gradient of its own,
 * such as a layer that this stage does not train, would walk to zero at the full learning rate.
 */
public final class RAdam extends MomentOptimizer {
    private static final double BETA1 = 0.5;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;
    private static final double SHORTEST_AVERAGE = 5; // below it the variance of the adaptive rate is not tractable

    private final Tensor decay;
    private final Tensor rates;

    /**
     * @param weightDecay not for biases and norms
     * @param rate of a parameter by its name, times the learning rate
     */
    public RAdam(Parameters parameters, double weightDecay, ToDoubleFunction<String> rate) {
        super(parameters);
        rates = parameters.spread(rate);
        decay = parameters.spread(
                name -> parameters.shapes().get(name).length > 1 ? weightDecay : 0); // vectors: biases, norms
    }

    @Override
    void move(double learningRate, long step) {
        Tensor values = parameters.values();
        Tensor gradient = parameters.gradients();
        values.addcmul_(values, decay, new Scalar(-learningRate));
        first.mul_(new Scalar(BETA1)).add_(gradient, new Scalar(1 - BETA1));
        second.mul_(new Scalar(BETA2)).addcmul_(gradient, gradient, new Scalar(1 - BETA2));

        double correction1 = 1 - Math.pow(BETA1, step);
        double correction2 = 1 - Math.pow(BETA2, step);
        double longest = 2 / (1 - BETA2) - 1;
        double length = longest - 2 * step * (1 - correction2) / correction2;
        double rate = learningRate / correction1;
        if (length > SHORTEST_AVERAGE) {
            double rectification =
                    Math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
            Tensor deviation = second.div(new Scalar(correction2)).sqrt_().add_(new Scalar(EPSILON));
            values.addcdiv_(first.mul(rates), deviation, new Scalar(-rate * rectification));
        } else {
            values.addcmul_(first, rates, new Scalar(-rate));
        }
    }

    @Override
    public void close() {
        super.close();
        decay.releaseReference();
        rates.releaseReference();
    }
}
