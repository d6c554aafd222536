package org.jmatte.cpu;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * y = f(x W' + b) on oneDNN: one weight matrix [outputs, inputs], packed as oneDNN likes it best, and the primitives
 * that multiply rows with it. Convolutions are products of unfolded rows. Without weights it still knows its sizes.
 */
final class Linear implements AutoCloseable {
    /** What happens to a product before it is stored. */
    enum Epilogue {
        NONE,
        GELU,
        RELU,
        /** ReLU with PAM's slope for negative values. */
        LEAKY,
        /** Added to what the destination holds. */
        ADD
    }

    /** Rows for which the packing is chosen: the usual chunk. */
    private static final int TYPICAL_ROWS = 128;

    private record Key(int rows, ElementType destination, Epilogue epilogue) {}

    static final engine ENGINE = new engine(engine.kind.cpu, 0).retainReference(); // no scope of the caller frees it

    private final int inputs;
    private final int outputs;
    private final boolean biased;
    private final ElementType operands;
    private final memory.desc packing;
    private final Map<Key, Product> products = new ConcurrentHashMap<>();
    private Pointer weights;
    private FloatPointer bias;

    /**
     * @param operands element type of rows and weights
     * @param biased whether there is a bias [outputs]
     */
    Linear(int inputs, int outputs, boolean biased, ElementType operands) {
        this.inputs = inputs;
        this.outputs = outputs;
        this.biased = biased;
        this.operands = operands;
        this.packing = WorkerPool.SHARED.call(() -> {
            try (matmul.primitive_desc desc =
                    Product.describe(this, TYPICAL_ROWS, ElementType.FP32, Epilogue.NONE, anyLayout())) {
                return new memory.desc(desc.weights_desc());
            }
        });
    }

    private memory.desc anyLayout() {
        return new memory.desc(new long[] {inputs, outputs}, operands.oneDnn(), memory.format_tag.any);
    }

    /** Packs the matrix [outputs, inputs] and copies the bias [outputs] (null without one). */
    void load(FloatPointer matrix, float[] biasValues) {
        weights = Pointer.malloc(packing.get_size());
        if (weights == null || weights.isNull()) {
            throw new OutOfMemoryError("no " + packing.get_size() + " bytes of native memory for weights");
        }
        WorkerPool.SHARED.call(() -> {
            try (memory.desc plain =
                            new memory.desc(new long[] {inputs, outputs}, memory.data_type.f32, memory.format_tag.ba);
                    memory from = new memory(plain, ENGINE, matrix);
                    memory to = new memory(packing, ENGINE, weights);
                    reorder pack = new reorder(from, to);
                    stream stream = new stream(ENGINE)) {
                pack.execute(stream, from, to);
            }
            return null;
        });
        if (biased) {
            bias = new FloatPointer(biasValues).retainReference();
        }
    }

    /** The primitive for {@code rows} rows at a time. */
    Product product(int rows, ElementType destination, Epilogue epilogue) {
        return products.computeIfAbsent(
                new Key(rows, destination, epilogue), key -> new Product(this, rows, destination, epilogue));
    }

    int inputs() {
        return inputs;
    }

    int outputs() {
        return outputs;
    }

    boolean biased() {
        return biased;
    }

    ElementType operands() {
        return operands;
    }

    memory.desc packing() {
        return packing;
    }

    Pointer weights() {
        return weights;
    }

    FloatPointer bias() {
        return bias;
    }

    /** 0 without a bias, or without weights. */
    long biasAddress() {
        return bias == null ? 0 : bias.address();
    }

    /** Bytes of weights and bias as laid out. */
    long bytes() {
        return packing.get_size() + (biased ? (long) outputs * Float.BYTES : 0);
    }

    /** Floating-point operations for so many rows. */
    long flops(long rows) {
        return 2 * rows * inputs * outputs;
    }

    @Override
    public void close() {
        products.values().forEach(Product::close);
        products.clear();
        if (weights != null) {
            Pointer.free(weights);
        }
        if (bias != null) {
            bias.close();
        }
        packing.close();
    }
}
