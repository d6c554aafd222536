package org.jmatte.kernels;

import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentHashMap;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The kernels of one operator, loaded on a card. */
final class CudaModule {
    private static final Logger LOG = LoggerFactory.getLogger(CudaModule.class);

    /** What a block may have without asking, on every architecture. */
    private static final int SHARED_BYTES_UNASKED = 48 * 1024;

    private final CudaDevice device;
    private final String operator;
    private final CUmodule module;
    private final ConcurrentHashMap<String, Kernel> kernels = new ConcurrentHashMap<>();

    private CudaModule(CudaDevice device, String operator, CUmodule module) {
        this.device = device;
        this.operator = operator;
        this.module = module;
    }

    /** An entry point and what it was compiled for. */
    record Kernel(CUfunction function, int threads, int sharedBytes, int parameterBytes) {}

    /**
     * Loads the machine code from the jar; where the jar has none, or none for this card, compiles the sources.
     *
     * @throws InvalidArgumentException if there is no such operator
     */
    static CudaModule load(CudaDevice device, String operator) {
        if (!KernelFiles.exists(operator)) {
            throw BaseDevice.noSuchOperator(operator);
        }
        CUmodule module = new CUmodule();
        byte[] fatBinary = KernelFiles.fatBinary(operator);
        String missing = "this jar was built without nvcc and has no machine code";
        if (fatBinary != null) {
            int result = load(device, module, fatBinary);
            if (!lacksCode(result)) {
                device.check(result, "loading the kernels of " + operator);
                return new CudaModule(device, operator, module);
            }
            missing = "its machine code is not for this card and driver (" + Cuda.describe(result)
                    + "); a driver for CUDA " + KernelFiles.cudaVersion() + " or newer may take it";
        }
        LOG.info("{}: {}; compiling it for {}", operator, missing, device.name());
        byte[] compiled;
        try {
            compiled = KernelCompiler.compile(operator, device.architecture());
        } catch (DeviceException e) {
            throw new DeviceException(operator + ": " + missing + ", and " + e.getMessage(), e);
        }
        device.check(
                load(device, module, compiled),
                operator + ": " + missing + ", and loading what NVRTC made of its sources");
        return new CudaModule(device, operator, module);
    }

    private static int load(CudaDevice device, CUmodule module, byte[] image) {
        // PTX is text and ends with a zero byte; the others do not mind one.
        ByteBuffer memory = ByteBuffer.allocateDirect(image.length + 1).put(0, image);
        return device.driver(() -> JCudaDriver.cuModuleLoadDataEx(module, Pointer.to(memory), 0, null, null));
    }

    private static boolean lacksCode(int result) {
        return switch (result) {
            case CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU,
                    CUresult.CUDA_ERROR_INVALID_IMAGE,
                    CUresult.CUDA_ERROR_INVALID_PTX,
                    CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
                    CUresult.CUDA_ERROR_JIT_COMPILER_NOT_FOUND,
                    CUresult.CUDA_ERROR_JIT_COMPILATION_DISABLED -> true;
            default -> false;
        };
    }

    Kernel kernel(Launch launch) {
        Kernel known = kernels.get(launch.kernel());
        return known != null ? known : kernels.computeIfAbsent(launch.kernel(), name -> find(launch));
    }

    private Kernel find(Launch launch) {
        String name = launch.kernel();
        CUfunction function = new CUfunction();
        int result = device.driver(() -> JCudaDriver.cuModuleGetFunction(function, module, name));
        if (result == CUresult.CUDA_ERROR_NOT_FOUND) {
            throw BaseDevice.noSuchKernel(launch);
        }
        device.check(result, "looking for " + name);

        CUdeviceptr symbol = new CUdeviceptr();
        long[] bytes = new long[1];
        device.check(
                device.driver(() -> JCudaDriver.cuModuleGetGlobal(symbol, bytes, module, name + "_launch")),
                "looking for the launch numbers of " + name);
        int[] numbers = new int[3];
        if (bytes[0] != 4L * numbers.length) {
            throw new DeviceException(name + "_launch: expected 12 bytes, got " + bytes[0]
                    + "; the machine code is of another version of JMatte");
        }
        device.check(
                device.driver(() -> JCudaDriver.cuMemcpyDtoH(Pointer.to(numbers), symbol, bytes[0])),
                "reading the launch numbers of " + name);
        Kernel kernel = new Kernel(function, numbers[0], numbers[1], numbers[2]);
        allowShared(kernel, name);
        return kernel;
    }

    private void allowShared(Kernel kernel, String name) {
        int bytes = kernel.sharedBytes();
        if (bytes <= SHARED_BYTES_UNASKED) {
            return;
        }
        if (bytes > device.sharedBytesPerBlock()) {
            throw new DeviceException(name + " needs " + bytes + " bytes of shared memory per block, " + device.name()
                    + " has " + device.sharedBytesPerBlock());
        }
        device.check(
                device.driver(() -> JCudaDriver.cuFuncSetAttribute(
                        kernel.function(),
                        CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                        bytes)),
                "asking for " + bytes + " bytes of shared memory per block for " + name);
    }

    void unload() {
        if (!device.isBroken()) {
            device.driver(() -> JCudaDriver.cuModuleUnload(module));
            LOG.debug("{} unloaded", operator);
        }
    }
}
