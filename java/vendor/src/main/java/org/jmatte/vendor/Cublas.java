package org.jmatte.vendor;

import org.jmatte.kernels.ElementType;

/** The one call of cuBLAS that is used; its matrices are column-major. */
interface Cublas extends AutoCloseable {
    /** Queues later calls on a stream. */
    void stream(long handle);

    /**
     * C = op(A) op(B) + beta C with op(A) [m, k], op(B) [k, n] and C [m, n], all sums in fp32; addresses on the device.
     *
     * @param transposeA whether A is [k, m]
     * @param transposeB whether B is [n, k]
     * @param lda the leading dimension: elements from one column to the next
     */
    void gemm(
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
            float beta,
            ElementType result,
            long c,
            int ldc);

    @Override
    void close();
}
