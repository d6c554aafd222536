package org.jmatte.train.torch;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** An optimizer of Adam's kind: its state is exponential averages of the gradients and of their squares. */
public abstract class MomentOptimizer implements AutoCloseable {
    final Parameters parameters;
    final Tensor first;
    final Tensor second;
    private long steps;

    MomentOptimizer(Parameters parameters) {
        this.parameters = parameters;
        try (PointerScope temporaries = new PointerScope()) {
            first = torch.zeros_like(parameters.values()).retainReference();
            second = torch.zeros_like(parameters.values()).retainReference();
        }
    }

    /** Moves the parameters against their gradients. */
    public final void step(double learningRate) {
        try (PointerScope temporaries = new PointerScope();
                NoGradGuard guard = new NoGradGuard()) {
            steps++;
            move(learningRate, steps);
        }
    }

    /** @param step counted from 1 */
    abstract void move(double learningRate, long step);

    /** Forgets the moments, as at the start of a new schedule. */
    public final void reset() {
        first.zero_();
        second.zero_();
        steps = 0;
    }

    /** Steps done. */
    public final long steps() {
        return steps;
    }

    /** The exponential average of gradients, writable, for checkpoints. */
    public final Tensor firstMoment() {
        return first;
    }

    /** The exponential average of squared gradients, writable, for checkpoints. */
    public final Tensor secondMoment() {
        return second;
    }

    /** Continues at this step, after the moments were restored. */
    public final void restore(long stepsDone) {
        steps = stepsDone;
    }

    @Override
    public void close() {
        first.releaseReference();
        second.releaseReference();
    }
}
