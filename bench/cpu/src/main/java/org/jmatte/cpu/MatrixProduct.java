package org.jmatte.cpu;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.jmatte.Isa;
import org.jmatte.Precision;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.cpu.Linear.Epilogue;

/** One matrix product of the kind that networks consist of, on the thread that made it: the ceiling of arithmetic. */
public final class MatrixProduct implements AutoCloseable {
    private static final int ROWS = 128;
    private static final int CHANNELS = 768;
    /** Floating-point operations of a {@link #run}. */
    public static final long FLOPS = 2L * ROWS * CHANNELS * CHANNELS;

    private final Linear linear;
    private final Product product;
    private final BytePointer source;
    private final BytePointer result = new BytePointer((long) ROWS * CHANNELS * Float.BYTES);
    private final BytePointer scratch;

    /** @param dtype {@code fp32} or {@code bf16} */
    public MatrixProduct(String dtype) {
        NativeLibraries.load(Isa.AUTO);
        CpuKernels.use_one_thread();
        ElementType type = ElementType.of(Precision.valueOf(dtype.toUpperCase()));
        linear = new Linear(CHANNELS, CHANNELS, false, type);
        try (FloatPointer ones = new FloatPointer((long) CHANNELS * CHANNELS)) {
            for (long i = 0; i < ones.capacity(); i++) {
                ones.put(i, 1);
            }
            linear.load(ones, null);
        }
        product = linear.product(ROWS, ElementType.FP32, Epilogue.NONE);
        source = new BytePointer(type.bytes((long) ROWS * CHANNELS)).fill(0);
        scratch = new BytePointer(Math.max(1, product.scratchBytes()));
    }

    /** [128, 768] times [768, 768]. */
    public void run() {
        product.run(source.address(), result.address(), scratch.address());
    }

    @Override
    public void close() {
        linear.close();
        source.deallocate();
        result.deallocate();
        scratch.deallocate();
    }
}
