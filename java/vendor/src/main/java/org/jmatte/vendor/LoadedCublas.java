package org.jmatte.vendor;

import static org.bytedeco.cuda.global.cublas.CUBLAS_COMPUTE_32F;
import static org.bytedeco.cuda.global.cublas.CUBLAS_GEMM_DEFAULT;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_N;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_T;
import static org.bytedeco.cuda.global.cublas.cublasCreate_v2;
import static org.bytedeco.cuda.global.cublas.cublasDestroy_v2;
import static org.bytedeco.cuda.global.cublas.cublasGemmEx;
import static org.bytedeco.cuda.global.cublas.cublasGetStatusString;
import static org.bytedeco.cuda.global.cublas.cublasSetStream_v2;
import static org.bytedeco.cuda.global.cudart.CUDA_R_16BF;
import static org.bytedeco.cuda.global.cudart.CUDA_R_16F;
import static org.bytedeco.cuda.global.cudart.CUDA_R_32F;

import org.bytedeco.cuda.cublas.cublasContext;
import org.bytedeco.javacpp.FloatPointer;
import org.jmatte.kernels.DeviceException;
import org.jmatte.kernels.ElementType;

/** cuBLAS through JavaCPP, in the context that is current when it is made. */
final class LoadedCublas implements Cublas {
    private final cublasContext handle = new cublasContext();
    private final FloatPointer one = new FloatPointer(1f).retainReference(); // no scope of the caller frees it
    private final FloatPointer beta = new FloatPointer(0f).retainReference(); // no scope of the caller frees it

    LoadedCublas() {
        check(cublasCreate_v2(handle), "starting");
    }

    @Override
    public void stream(long stream) {
        check(cublasSetStream_v2(handle, Address.stream(stream)), "taking a stream");
    }

    @Override
    public void gemm(
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            ElementType operands,
            long a,
            int lda,
            long b,
            int ldb,
            float scale,
            ElementType result,
            long c,
            int ldc) {
        beta.put(scale);
        check(
                cublasGemmEx(
                        handle,
                        transposeA ? CUBLAS_OP_T : CUBLAS_OP_N,
                        transposeB ? CUBLAS_OP_T : CUBLAS_OP_N,
                        m,
                        n,
                        k,
                        one,
                        Address.of(a),
                        type(operands),
                        lda,
                        Address.of(b),
                        type(operands),
                        ldb,
                        beta,
                        Address.of(c),
                        type(result),
                        ldc,
                        CUBLAS_COMPUTE_32F,
                        CUBLAS_GEMM_DEFAULT),
                "the product [" + m + ", " + k + "] x [" + k + ", " + n + "]");
    }

    private static int type(ElementType type) {
        return switch (type) {
            case FP32 -> CUDA_R_32F;
            case FP16 -> CUDA_R_16F;
            case BF16 -> CUDA_R_16BF;
            default -> throw new IllegalArgumentException("cuBLAS: expected floating-point numbers, got " + type);
        };
    }

    private static void check(int status, String doing) {
        if (status != 0) {
            throw new DeviceException("cuBLAS: " + doing + " failed: "
                    + cublasGetStatusString(status).getString());
        }
    }

    @Override
    public void close() {
        cublasDestroy_v2(handle);
        one.close();
        beta.close();
    }
}
