// What a card's arithmetic reaches without memory: the other kernels are compared with it.
//
//     d += a b, `iterations` times, in registers alone; out[thread] = sum of the thread's d
//
//     out  [blocks 256]  float
//
// For half and bfloat (sm_80 on) a and b are 64 x 16 and 16 x 32 matrices of a warp, all of a lane's elements the same
// multiple of 1/16, and d is float; for float they are numbers of a thread, with 64 d.
//
// Launch: 256 threads, any number of blocks; as many as the card holds at a time, or a multiple, keep all of it busy.
//
// Phases: the loop, which the matrix units or the FMA units fill with 16 or 64 independent sums; one store. Not zeros
// and not all the same: numbers decide how much power the units draw, and so their clock.
#include "gemm_tile.cuh"

namespace jmatte {

struct Ceiling {
    float* out;
    int iterations;
};

constexpr int THREADS = 256;
/// Tiles of 16 x 8 of d: enough independent sums to hide the latency of the matrix units.
constexpr int ROWS = 4, COLUMNS = 4;
constexpr int DEPTH = 16;
constexpr int SUMS = 64;

/// From -15/16 to 15/16.
JMATTE_DEVICE float value(int seed) { return float(seed * 5 % 16 * 2 - 15) / 16; }

template <class T>
JMATTE_DEVICE float matrix_units(int iterations) {
    unsigned a[ROWS][A_REGISTERS], b[COLUMNS][B_REGISTERS];
    const float x = value(lane()), y = value(lane() + 7);
#pragma unroll
    for (int m = 0; m < ROWS; m++)
#pragma unroll
        for (int r = 0; r < A_REGISTERS; r++)
            a[m][r] = pack2<T>(x, x);
#pragma unroll
    for (int n = 0; n < COLUMNS; n++)
#pragma unroll
        for (int r = 0; r < B_REGISTERS; r++)
            b[n][r] = pack2<T>(y, y);
    float d[ROWS][COLUMNS][4] = {};
    for (int i = 0; i < iterations; i++)
#pragma unroll
        for (int k = 0; k < DEPTH; k += MMA_K)
            mma_tile<T>(d, a, b);
    float sum = 0;
#pragma unroll
    for (int m = 0; m < ROWS; m++)
#pragma unroll
        for (int n = 0; n < COLUMNS; n++)
#pragma unroll
            for (int e = 0; e < 4; e++)
                sum += d[m][n][e];
    return sum;
}

JMATTE_DEVICE float fma_units(int iterations) {
    const float x = value(lane()), y = value(lane() + 7);
    float d[SUMS];
#pragma unroll
    for (int i = 0; i < SUMS; i++)
        d[i] = float(i);
    for (int i = 0; i < iterations; i++)
#pragma unroll
        for (int j = 0; j < SUMS; j++)
            d[j] = fmaf(d[j], x, y); // of the sum itself, so that nothing can be taken out of the loop
    float sum = 0;
#pragma unroll
    for (int i = 0; i < SUMS; i++)
        sum += d[i];
    return sum;
}

template <class T>
JMATTE_DEVICE void repeat(const Ceiling& p) {
    float* out = p.out + (long long)block_x() * THREADS + thread();
    if constexpr (sizeof(T) == 4)
        *out = fma_units(p.iterations);
    else if constexpr (HAS_MMA<T>)
        *out = matrix_units<T>(p.iterations);
}

// ---------------------------------------------------------------- entry points

JMATTE_KERNEL(ceilings_fp32, Ceiling, THREADS, 0) { repeat<float>(p); }
JMATTE_KERNEL(ceilings_fp16, Ceiling, THREADS, 0) { repeat<half>(p); }
JMATTE_KERNEL(ceilings_bf16, Ceiling, THREADS, 0) { repeat<bfloat>(p); }

} // namespace jmatte
