package org.jmatte.kernels;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntSupplier;
import jcuda.CudaException;
import jcuda.NativePointerObject;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/** JCuda's driver API, started once, with errors as numbers whether its exceptions are on or off. */
final class Cuda {
    private static final Object LOCK = new Object();
    private static boolean started;
    private static String problem;
    private static Throwable cause;

    private Cuda() {}

    /**
     * Loads and starts the driver.
     *
     * @throws DeviceException if that cannot be done: why, and what to do
     */
    static void start() {
        synchronized (LOCK) {
            if (!started) {
                started = true;
                problem = tryStart();
            }
            if (problem != null) {
                throw new DeviceException(problem, cause);
            }
        }
    }

    private static String tryStart() {
        int[] version = new int[1];
        int result;
        try {
            result = call(() -> JCudaDriver.cuInit(0));
            call(() -> JCudaDriver.cuDriverGetVersion(version));
        } catch (LinkageError e) {
            cause = e;
            String text = e + (e.getCause() == null ? "" : "\n" + e.getCause());
            return CardProblems.notLoaded(text, System.getProperty("os.name"), System.getProperty("os.arch"));
        }
        if (result != CUresult.CUDA_SUCCESS) {
            return notStarted(result);
        }
        return CardProblems.oldDriver(version[0]);
    }

    /** What to say of an error of the start. */
    static String notStarted(int result) {
        return CardProblems.notStarted(result, describe(result), System.getenv("CUDA_VISIBLE_DEVICES"));
    }

    /** The call's result, also where someone in this process told JCuda to throw instead. */
    static int call(IntSupplier call) {
        try {
            return call.getAsInt();
        } catch (CudaException e) {
            return Names.CODES.getOrDefault(String.valueOf(e.getMessage()), CUresult.CUDA_ERROR_UNKNOWN);
        }
    }

    /** CUDA's own name and text: {@code CUDA_ERROR_NO_DEVICE (100): no CUDA-capable device is detected}. */
    static String describe(int result) {
        String[] name = new String[1];
        String[] text = new String[1];
        call(() -> JCudaDriver.cuGetErrorName(result, name));
        call(() -> JCudaDriver.cuGetErrorString(result, text));
        return (name[0] == null ? "error" : name[0]) + " (" + result + ")" + (text[0] == null ? "" : ": " + text[0]);
    }

    /** Errors after which nothing in the context works any more, and often in no other of the process either. */
    static boolean isSticky(int result) {
        return switch (result) {
            case CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
                    CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
                    CUresult.CUDA_ERROR_LAUNCH_FAILED,
                    CUresult.CUDA_ERROR_CONTEXT_IS_DESTROYED,
                    CUresult.CUDA_ERROR_ASSERT,
                    CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR,
                    CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION,
                    CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
                    CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE,
                    CUresult.CUDA_ERROR_INVALID_PC,
                    CUresult.CUDA_ERROR_ECC_UNCORRECTABLE,
                    CUresult.CUDA_ERROR_NVLINK_UNCORRECTABLE,
                    CUresult.CUDA_ERROR_UNKNOWN -> true;
            default -> false;
        };
    }

    /** A device address as JCuda wants it. */
    static CUdeviceptr address(long pointer) {
        return new CUdeviceptr().withByteOffset(pointer);
    }

    /** A stream that someone else made, as JCuda wants it: it offers no way in, so its field is set. */
    static CUstream stream(long handle) {
        CUstream stream = new CUstream();
        if (handle != 0) {
            try {
                Handle.FIELD.setLong(stream, handle);
            } catch (IllegalAccessException e) {
                throw new AssertionError(e);
            }
        }
        return stream;
    }

    private static final class Handle {
        static final Field FIELD = find();

        private static Field find() {
            try {
                Field field = NativePointerObject.class.getDeclaredField("nativePointer");
                field.setAccessible(true);
                return field;
            } catch (ReflectiveOperationException | RuntimeException e) {
                throw new DeviceException(
                        "stream: this JCuda cannot take a stream's address; use org.jcuda:jcuda:12.6.0, and on the"
                                + " module path add --add-opens for its package jcuda",
                        e);
            }
        }
    }

    private static final class Names {
        static final Map<String, Integer> CODES = new HashMap<>();

        static {
            for (Field field : CUresult.class.getFields()) {
                if (Modifier.isStatic(field.getModifiers()) && field.getType() == int.class) {
                    try {
                        int code = field.getInt(null);
                        CODES.put(CUresult.stringFor(code), code);
                    } catch (IllegalAccessException e) {
                        throw new AssertionError(e);
                    }
                }
            }
        }
    }
}
