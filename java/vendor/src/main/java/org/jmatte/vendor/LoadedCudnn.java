package org.jmatte.vendor;

import static org.bytedeco.cuda.global.cudnn.CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
import static org.bytedeco.cuda.global.cudnn.CUDNN_CROSS_CORRELATION;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_BFLOAT16;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_FLOAT;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_HALF;
import static org.bytedeco.cuda.global.cudnn.CUDNN_FMA_MATH;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TENSOR_NHWC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TENSOR_OP_MATH;
import static org.bytedeco.cuda.global.cudnn.cudnnConvolutionForward;
import static org.bytedeco.cuda.global.cudnn.cudnnCreate;
import static org.bytedeco.cuda.global.cudnn.cudnnCreateConvolutionDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnCreateFilterDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnCreateTensorDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnDestroy;
import static org.bytedeco.cuda.global.cudnn.cudnnDestroyConvolutionDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnDestroyFilterDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnDestroyTensorDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnGetConvolutionForwardWorkspaceSize;
import static org.bytedeco.cuda.global.cudnn.cudnnGetErrorString;
import static org.bytedeco.cuda.global.cudnn.cudnnSetConvolution2dDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnSetConvolutionMathType;
import static org.bytedeco.cuda.global.cudnn.cudnnSetFilter4dDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnSetStream;
import static org.bytedeco.cuda.global.cudnn.cudnnSetTensor4dDescriptorEx;

import java.util.HashMap;
import org.bytedeco.cuda.cudnn.cudnnContext;
import org.bytedeco.cuda.cudnn.cudnnConvolutionStruct;
import org.bytedeco.cuda.cudnn.cudnnFilterStruct;
import org.bytedeco.cuda.cudnn.cudnnTensorStruct;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.DeviceBuffer;
import org.jmatte.kernels.DeviceException;
import org.jmatte.kernels.ElementType;

/**
 * cuDNN 9 through JavaCPP, in the context that is current when it is made. By its older interface: the newer one, of graphs,
 * does the same for one convolution in many times the calls.
 */
@SuppressWarnings("deprecation")
final class LoadedCudnn implements Cudnn {
    private static final int TAPS = 3;
    private static final int PADDING = 1;
    /** The algorithm that uses the matrix units for maps whose channels lie together. */
    private static final int ALGORITHM = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;

    private final Device device;
    private final cudnnContext handle = new cudnnContext();
    private final cudnnTensorStruct in = new cudnnTensorStruct();
    private final cudnnTensorStruct out = new cudnnTensorStruct();
    private final cudnnFilterStruct filter = new cudnnFilterStruct();
    private final cudnnConvolutionStruct convolution = new cudnnConvolutionStruct();
    private final FloatPointer one = new FloatPointer(1f).retainReference(); // no scope of the caller frees it
    private final FloatPointer zero = new FloatPointer(0f).retainReference(); // no scope of the caller frees it
    /** By a stream's handle: convolutions on two streams may run at the same time. */
    private final HashMap<Long, DeviceBuffer> workspaces = new HashMap<>();

    private long stream;

    LoadedCudnn(Device device) {
        this.device = device;
        check(cudnnCreate(handle), "starting");
        check(cudnnCreateTensorDescriptor(in), "starting");
        check(cudnnCreateTensorDescriptor(out), "starting");
        check(cudnnCreateFilterDescriptor(filter), "starting");
        check(cudnnCreateConvolutionDescriptor(convolution), "starting");
    }

    @Override
    public void stream(long stream) {
        check(cudnnSetStream(handle, Address.stream(stream)), "taking a stream");
        this.stream = stream;
    }

    @Override
    public void convolution(ElementType elements, Map to, Map from, long weight, int stride) {
        int type = type(elements);
        String doing = "the convolution of " + from + " to " + to.channels() + " channels";
        describe(in, type, from, doing);
        describe(out, type, to, doing);
        check(
                cudnnSetFilter4dDescriptor(filter, type, CUDNN_TENSOR_NHWC, to.channels(), from.channels(), TAPS, TAPS),
                doing);
        check(
                cudnnSetConvolution2dDescriptor(
                        convolution, PADDING, PADDING, stride, stride, 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
                doing);
        int units = elements == ElementType.FP32 ? CUDNN_FMA_MATH : CUDNN_TENSOR_OP_MATH;
        check(cudnnSetConvolutionMathType(convolution, units), doing);
        DeviceBuffer workspace = workspace(doing);
        check(
                cudnnConvolutionForward(
                        handle,
                        one,
                        in,
                        Address.of(from.address()),
                        filter,
                        Address.of(weight),
                        convolution,
                        ALGORITHM,
                        Address.of(workspace.pointer()),
                        workspace.bytes(),
                        zero,
                        out,
                        Address.of(to.address())),
                doing);
    }

    private static void describe(cudnnTensorStruct tensor, int type, Map map, String doing) {
        int row = map.width() * map.pitch();
        check(
                cudnnSetTensor4dDescriptorEx(
                        tensor,
                        type,
                        1,
                        map.channels(),
                        map.height(),
                        map.width(),
                        map.height() * row,
                        1,
                        row,
                        map.pitch()),
                doing);
    }

    /** The stream's workspace, of what this convolution takes; earlier work may still be using a smaller one. */
    private DeviceBuffer workspace(String doing) {
        try (SizeTPointer bytes = new SizeTPointer(1)) {
            check(
                    cudnnGetConvolutionForwardWorkspaceSize(handle, in, filter, convolution, out, ALGORITHM, bytes),
                    doing);
            DeviceBuffer present = workspaces.get(stream);
            if (present != null && present.bytes() >= bytes.get()) {
                return present;
            }
            if (present != null) {
                device.synchronize();
                workspaces.remove(stream).close();
            }
            DeviceBuffer larger = device.allocate(bytes.get());
            workspaces.put(stream, larger);
            return larger;
        }
    }

    private static int type(ElementType type) {
        return switch (type) {
            case FP32 -> CUDNN_DATA_FLOAT;
            case FP16 -> CUDNN_DATA_HALF;
            case BF16 -> CUDNN_DATA_BFLOAT16;
            default -> throw new IllegalArgumentException("cuDNN: expected floating-point numbers, got " + type);
        };
    }

    private static void check(int status, String doing) {
        if (status != 0) {
            throw new DeviceException("cuDNN: " + doing + " failed: "
                    + cudnnGetErrorString(status).getString());
        }
    }

    @Override
    public void close() {
        workspaces.values().forEach(DeviceBuffer::close);
        cudnnDestroyConvolutionDescriptor(convolution);
        cudnnDestroyFilterDescriptor(filter);
        cudnnDestroyTensorDescriptor(out);
        cudnnDestroyTensorDescriptor(in);
        cudnnDestroy(handle);
        one.close();
        zero.close();
    }
}
