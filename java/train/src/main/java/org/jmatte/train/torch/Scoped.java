package org.jmatte.train.torch;

import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** Frees what a computation made on its way, except what gradients need: at once, not when the caller's scope ends. */
public final class Scoped {
    private Scoped() {}

    /** The computation's result, a new tensor, which belongs to the caller's scope. */
    public static Tensor result(Supplier<Tensor> computation) {
        PointerScope callers = PointerScope.getInnerScope();
        if (callers == null) {
            return computation.get();
        }
        try (PointerScope temporaries = new PointerScope()) {
            Tensor result = computation.get();
            callers.attach(result);
            temporaries.detach(result);
            return result;
        }
    }
}
