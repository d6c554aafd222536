package org.jmatte.cpu;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Pointer;
import org.jmatte.cpu.Linear.Epilogue;
import org.jmatte.cpu.NativeMemory.Address;
import org.jmatte.network.PamArchitecture;

/** A {@link Linear} applied to a fixed number of dense rows, on one thread. Any number of threads may run it at once. */
final class Product implements AutoCloseable {
    /** Practically 0. With 0 itself oneDNN takes max(x, 0), which makes NaN a 0: broken weights would go unnoticed. */
    private static final float RELU_SLOPE = 1e-30f;

    private final Linear linear;
    private final matmul.primitive_desc desc;
    private final long scratchBytes;
    /** Argument lists that no thread uses at the moment; as many as threads ever ran this at once. */
    private final Queue<Call> idle = new ConcurrentLinkedQueue<>();

    private volatile matmul primitive;

    Product(Linear linear, int rows, ElementType destination, Epilogue epilogue) {
        this.linear = linear;
        this.desc = WorkerPool.SHARED.call(() -> describe(linear, rows, destination, epilogue, linear.packing()));
        try (memory.desc scratch = desc.scratchpad_desc()) {
            this.scratchBytes = scratch.get_size();
        }
    }

    static matmul.primitive_desc describe(
            Linear linear, int rows, ElementType destination, Epilogue epilogue, memory.desc weights) {
        try (memory.desc source =
                        rowMajor(rows, linear.inputs(), linear.operands().oneDnn());
                memory.desc bias = rowMajor(1, linear.outputs(), memory.data_type.f32);
                memory.desc target = rowMajor(rows, linear.outputs(), destination.oneDnn());
                primitive_attr attributes = attributes(epilogue)) {
            return linear.biased()
                    ? new matmul.primitive_desc(Linear.ENGINE, source, weights, bias, target, attributes, false)
                    : new matmul.primitive_desc(Linear.ENGINE, source, weights, target, attributes, false);
        }
    }

    private static memory.desc rowMajor(int rows, int columns, memory.data_type type) {
        return new memory.desc(new long[] {rows, columns}, type, memory.format_tag.ab);
    }

    private static primitive_attr attributes(Epilogue epilogue) {
        primitive_attr attributes = new primitive_attr();
        attributes.set_scratchpad_mode(dnnl.scratchpad_mode.user);
        try (post_ops operations = new post_ops()) {
            switch (epilogue) {
                case NONE -> {}
                case GELU -> operations.append_eltwise(dnnl.algorithm.eltwise_gelu_erf, 0, 0);
                case RELU -> operations.append_eltwise(dnnl.algorithm.eltwise_relu, RELU_SLOPE, 0);
                case LEAKY -> operations.append_eltwise(dnnl.algorithm.eltwise_relu, PamArchitecture.LEAK, 0);
                case ADD -> operations.append_sum();
            }
            attributes.set_post_ops(operations);
        }
        return attributes;
    }

    /** Bytes that {@link #run} needs as scratch. */
    long scratchBytes() {
        return scratchBytes;
    }

    /**
     * destination [rows, outputs] = f(source [rows, inputs] W' + b).
     *
     * @param scratch address of {@link #scratchBytes()} bytes
     */
    void run(long source, long destination, long scratch) {
        run(source, destination, scratch, linear.biasAddress());
    }

    /** The same with another bias [outputs] than the layer's own. */
    void run(long source, long destination, long scratch, long bias) {
        Call call = idle.poll();
        if (call == null) {
            call = new Call();
        }
        call.run(source, destination, scratch, bias);
        idle.add(call);
    }

    private matmul primitive() {
        matmul created = primitive;
        if (created == null) {
            synchronized (this) {
                if (primitive == null) {
                    primitive = new matmul(desc);
                }
                created = primitive;
            }
        }
        return created;
    }

    /** The arguments of one run at a time. */
    private final class Call {
        private final stream stream = new stream(Linear.ENGINE);
        private final dnnl_primitive callee = primitive().get();
        private final dnnl_stream where = stream.get();
        private final Address address = new Address();
        private final memory source;
        private final memory weights;
        private final memory bias;
        private final memory destination;
        private final memory scratch;
        private final dnnl_exec_arg_t arguments;
        private final int count;

        Call() {
            source = new memory(desc.src_desc(), Linear.ENGINE, address);
            weights = new memory(desc.weights_desc(), Linear.ENGINE, linear.weights());
            destination = new memory(desc.dst_desc(), Linear.ENGINE, address);
            scratch = new memory(desc.scratchpad_desc(), Linear.ENGINE, address);
            bias = linear.biased() ? new memory(desc.bias_desc(), Linear.ENGINE, linear.bias()) : null;
            count = bias == null ? 4 : 5;
            arguments = new dnnl_exec_arg_t(count);
            argument(0, dnnl.DNNL_ARG_SRC, source);
            argument(1, dnnl.DNNL_ARG_WEIGHTS, weights);
            argument(2, dnnl.DNNL_ARG_DST, destination);
            argument(3, dnnl.DNNL_ARG_SCRATCHPAD, scratch);
            if (bias != null) {
                argument(4, dnnl.DNNL_ARG_BIAS, bias);
            }
        }

        private void argument(int position, int kind, memory value) {
            arguments.getPointer(position).arg(kind).memory(value.get());
        }

        void run(long from, long to, long scratchpad, long biasAt) {
            if (bias != null) {
                bias.set_data_handle(address.at(biasAt));
            }
            source.set_data_handle(address.at(from));
            destination.set_data_handle(address.at(to));
            scratch.set_data_handle(address.at(scratchpad));
            NativeLibraries.check(dnnl.dnnl_primitive_execute(callee, where, count, arguments), "a matrix product");
        }

        void close() {
            for (Pointer p : new Pointer[] {arguments, source, weights, destination, scratch, stream}) {
                p.close();
            }
            if (bias != null) {
                bias.close();
            }
        }
    }

    @Override
    public void close() {
        idle.forEach(Call::close);
        if (primitive != null) {
            primitive.close();
        }
        desc.close();
    }
}
