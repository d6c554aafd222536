package org.jmatte.gpu;

import java.util.function.Supplier;
import org.jmatte.kernels.Arena;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.Tensor;
import org.jmatte.weights.Parameters;
import org.jmatte.weights.Parameters.Scale;

/**
 * Lays out a network's parameters for the kernels, in an arena. Without values, and on a planning device, everything has
 * its size but no contents.
 */
final class GpuWeights {
    private final Parameters parameters;
    private final Device device;
    private final Arena arena;
    private final ElementType operands;

    GpuWeights(Parameters parameters, Device device, Arena arena, ElementType operands) {
        this.parameters = parameters;
        this.device = device;
        this.arena = arena;
        this.operands = operands;
    }

    /** What the names of a block's parameters begin with. */
    static String block(int block) {
        return "backbone.blocks." + block;
    }

    Parameters parameters() {
        return parameters;
    }

    ElementType operands() {
        return operands;
    }

    /** Values on the device, converted; the supplier is asked only if there are any. */
    Tensor put(ElementType type, Supplier<float[]> values, long... shape) {
        Tensor tensor = arena.take(type, shape);
        if (parameters.hasValues()) {
            device.copyToDevice(tensor.pointer(), Numbers.bytes(values.get(), type), device.defaultStream());
        }
        return tensor;
    }

    /** A tensor as fp32, flat. */
    Tensor vector(String name) {
        return put(ElementType.FP32, () -> parameters.values(name), parameters.elements(name));
    }

    /** A linear layer or 1x1 convolution, with its bias if the layer has one. */
    Linear linear(String name) {
        long[] shape = parameters.shape(name + ".weight");
        return new Linear(put(operands, () -> parameters.values(name + ".weight"), shape[0], shape[1]), bias(name));
    }

    /** A linear layer that is computed in fp32 whatever the operands are. */
    Linear exactLinear(String name) {
        long[] shape = parameters.shape(name + ".weight");
        return new Linear(
                put(ElementType.FP32, () -> parameters.values(name + ".weight"), shape[0], shape[1]), bias(name));
    }

    /** Input channels {@code from} to {@code to} - 1 of a 1x1 convolution's weight, as [outputs, inputs]. */
    Tensor pointwise(String name, int from, int to) {
        int outputs = (int) parameters.shape(name + ".weight")[0];
        return put(
                operands,
                () -> parameters.tapMajor(name + ".weight", Scale.none(outputs), from, to),
                outputs,
                to - from);
    }

    /**
     * Input channels {@code from} to {@code to} - 1 of a convolution's weight, as [Cout, taps, Cin], tap by tap.
     *
     * @param held channels of the map that they are; those too many have weight 0
     */
    Tensor convolution(String name, int from, int to, int held) {
        long[] shape = parameters.shape(name + ".weight");
        int outputs = (int) shape[0];
        int taps = (int) (shape[2] * shape[3]);
        return put(
                operands,
                () -> padded(parameters.tapMajor(name + ".weight", Scale.none(outputs), from, to), to - from, held),
                outputs,
                taps,
                held);
    }

    /** Rows of so many values with zeros behind them. */
    private static float[] padded(float[] values, int row, int held) {
        float[] wider = new float[values.length / row * held];
        for (int i = 0; i < values.length; i++) {
            wider[i / row * held + i % row] = values[i];
        }
        return wider;
    }

    /** A layer's bias in fp32, or null. */
    Tensor bias(String name) {
        return parameters.has(name + ".bias") ? vector(name + ".bias") : null;
    }

    Norm norm(String name, float eps) {
        return new Norm(vector(name + ".weight"), vector(name + ".bias"), eps);
    }

    /**
     * Input channels {@code from} to {@code to} - 1 of a 3x3 convolution's weight, as [Cout, 9, Cin], tap by tap, a batch
     * norm's scale folded in.
     */
    Tensor convolution(String name, Scale norm, int from, int to) {
        long[] shape = parameters.shape(name + ".weight");
        return put(
                operands,
                () -> parameters.tapMajor(name + ".weight", norm, from, to),
                shape[0],
                shape[2] * shape[3],
                to - from);
    }

    /** The bias of a convolution with a batch norm folded in. */
    Tensor foldedBias(String name, Scale norm) {
        return put(ElementType.FP32, () -> parameters.foldedBias(name, norm), norm.shift().length);
    }
}
