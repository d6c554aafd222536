package org.jmatte.train.torch;

import java.nio.FloatBuffer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The tensors of a network by their names. All of them are views of one vector, and their gradients of another, so that an
 * optimizer's step, a gradient's norm or a checkpoint is an operation on whole vectors.
 */
public final class Parameters implements AutoCloseable {
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final Map<String, long[]> shapes;
    private final Tensor values;
    private final Tensor gradients;

    /**
     * Zeros in float32 that take gradients.
     *
     * @param shapes of the tensors by name, in the order in which they lie in {@link #values}
     * @param device where they lie
     */
    public Parameters(Map<String, long[]> shapes, Device device) {
        this(shapes, name -> true, torch.ScalarType.Float, device);
    }

    /**
     * Zeros, some of which take gradients.
     *
     * @param shapes of the tensors by name, in the order in which they lie in {@link #values}
     * @param trainable says by name which take gradients; the others' gradients stay 0
     * @param type of the numbers: Float, or Double to check gradients
     * @param device where they lie
     */
    public Parameters(Map<String, long[]> shapes, Predicate<String> trainable, torch.ScalarType type, Device device) {
        this.shapes = Collections.unmodifiableMap(new LinkedHashMap<>(shapes));
        try (PointerScope temporaries = new PointerScope()) {
            long total =
                    shapes.values().stream().mapToLong(Parameters::elements).sum();
            boolean training = shapes.keySet().stream().anyMatch(trainable);
            values = torch.zeros(total).to(device, type).retainReference();
            gradients = torch.zeros(training ? total : 0).to(device, type).retainReference();
            long offset = 0;
            for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
                long[] shape = entry.getValue();
                long elements = elements(shape);
                Tensor tensor = values.narrow(0, offset, elements).view(shape).detach();
                if (trainable.test(entry.getKey())) {
                    tensor.set_requires_grad(true);
                    tensor.mutable_grad()
                            .put(gradients.narrow(0, offset, elements).view(shape));
                }
                tensors.put(entry.getKey(), tensor.retainReference());
                offset += elements;
            }
        }
    }

    public static long elements(long[] shape) {
        long elements = 1;
        for (long side : shape) {
            elements *= side;
        }
        return elements;
    }

    /** @throws IllegalArgumentException if there is no parameter of this name */
    public Tensor get(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("no parameter is named " + name);
        }
        return tensor;
    }

    public boolean has(String name) {
        return tensors.containsKey(name);
    }

    /** The names in their order. */
    public List<String> names() {
        return List.copyOf(shapes.keySet());
    }

    /** Shapes by name, in their order. */
    public Map<String, long[]> shapes() {
        return shapes;
    }

    /** Where the parameters lie. */
    public Device device() {
        return values.device();
    }

    /** All values in one vector; what is written to it is written to the parameters. */
    public Tensor values() {
        return values;
    }

    /** All gradients in one vector; backward passes add to it. Empty if nothing is trainable. */
    public Tensor gradients() {
        return gradients;
    }

    /** A vector like {@link #values} with one number for all elements of a parameter; released by who asked for it. */
    Tensor spread(ToDoubleFunction<String> number) {
        try (PointerScope temporaries = new PointerScope()) {
            Tensor vector = torch.zeros_like(values);
            long offset = 0;
            for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
                long elements = elements(entry.getValue());
                vector.narrow(0, offset, elements).fill_(new Scalar(number.applyAsDouble(entry.getKey())));
                offset += elements;
            }
            return vector.retainReference();
        }
    }

    /** A tensor's numbers in row-major order, in Java's memory. */
    public static float[] toArray(Tensor tensor) {
        try (PointerScope temporaries = new PointerScope()) {
            float[] array = new float[Math.toIntExact(tensor.numel())];
            FloatPointer pointer =
                    tensor.to(torch.ScalarType.Float).cpu().contiguous().data_ptr_float();
            pointer.get(array);
            return array;
        }
    }

    /** Copies numbers into a contiguous tensor of as many elements. */
    public static void fill(Tensor tensor, FloatBuffer numbers) {
        if (tensor.numel() != numbers.remaining()) {
            throw new IllegalArgumentException(
                    "a tensor of " + tensor.numel() + " elements cannot take " + numbers.remaining());
        }
        float[] array = new float[numbers.remaining()];
        numbers.get(array);
        try (PointerScope temporaries = new PointerScope()) {
            tensor.detach().view(-1).copy_(Tensor.create(array));
        }
    }

    @Override
    public void close() {
        tensors.values().forEach(Tensor::releaseReference);
        values.releaseReference();
        gradients.releaseReference();
    }
}
