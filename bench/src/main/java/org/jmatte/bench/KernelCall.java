package org.jmatte.bench;

import java.util.function.Consumer;
import org.jmatte.kernels.Stream;

/**
 * A call of an operator as a network makes it.
 *
 * @param stage the part of the network that the call belongs to
 * @param name what the call is there
 * @param shape the sizes that decide its work
 * @param preparation makes its inputs
 */
record KernelCall(String stage, String name, String shape, Preparation preparation) {
    /** Makes the inputs of a call, which is then made as often as wanted. */
    interface Preparation {
        Consumer<Stream> prepare(Inputs inputs);
    }
}
