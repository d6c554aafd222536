// The dialect on a card: thin names for CUDA's built-ins and the PTX instructions that kernels use. Everything here has
// a twin of the same name in the emulator.
#pragma once

#define JMATTE_DEVICE __device__ __forceinline__

/// An entry point `name` with the parameter struct `Params`, launched with `threads` threads per block and
/// `shared_bytes` bytes of dynamic shared memory; `name##_launch` tells the host these three numbers.
#define JMATTE_KERNEL(name, Params, threads, shared_bytes) JMATTE_KERNEL_BLOCKS(name, Params, threads, shared_bytes, 1)

/// The same, in so few registers that `blocks` blocks run on a multiprocessor at a time.
#define JMATTE_KERNEL_BLOCKS(name, Params, threads, shared_bytes, blocks)                                              \
    extern "C" __device__ const int name##_launch[3] = {threads, int(shared_bytes), int(sizeof(Params))};              \
    static JMATTE_DEVICE void name##_body(const Params& p);                                                            \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name(const __grid_constant__ Params p) {             \
        name##_body(p);                                                                                                \
    }                                                                                                                  \
    static JMATTE_DEVICE void name##_body(const Params& p)

namespace jmatte {

// ---------------------------------------------------------------- where a thread is

JMATTE_DEVICE int thread() { return int(threadIdx.x); }
JMATTE_DEVICE int lane() { return int(threadIdx.x) % 32; }
JMATTE_DEVICE int warp() { return int(threadIdx.x) / 32; }
JMATTE_DEVICE int block_x() { return int(blockIdx.x); }
JMATTE_DEVICE int block_y() { return int(blockIdx.y); }
JMATTE_DEVICE int block_z() { return int(blockIdx.z); }
JMATTE_DEVICE int grid_x() { return int(gridDim.x); }

/// All threads of the block arrive, and see each other's writes to shared and global memory.
JMATTE_DEVICE void sync_block() { __syncthreads(); }
/// All lanes of the warp arrive, and see each other's writes.
JMATTE_DEVICE void sync_warp() { __syncwarp(0xffffffffu); }

/// The block's dynamic shared memory.
template <class S>
JMATTE_DEVICE S& shared() {
    extern __shared__ __align__(128) unsigned char block_memory[];
    return *reinterpret_cast<S*>(block_memory);
}

// ---------------------------------------------------------------- element types

/// IEEE binary16; only storage, arithmetic is in float.
struct half {
    unsigned short bits;
};
/// The upper half of a float; on cards from sm_80.
struct bfloat {
    unsigned short bits;
};

JMATTE_DEVICE float to_float(float v) { return v; }
JMATTE_DEVICE float to_float(half v) {
    float f;
    asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(v.bits));
    return f;
}
JMATTE_DEVICE float to_float(bfloat v) { return __uint_as_float(unsigned(v.bits) << 16); }

/// Rounds to nearest even; what is too large becomes infinite.
template <class T>
JMATTE_DEVICE T from_float(float v);
template <>
JMATTE_DEVICE float from_float<float>(float v) {
    return v;
}
template <>
JMATTE_DEVICE half from_float<half>(float v) {
    half h;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h.bits) : "f"(v));
    return h;
}
template <>
JMATTE_DEVICE bfloat from_float<bfloat>(float v) {
    unsigned bits = __float_as_uint(v);
    bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    unsigned rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
    bfloat b;
    b.bits = (unsigned short)((nan ? bits | 0x400000u : rounded) >> 16);
    return b;
}

/// Two values as one register of an mma fragment, `low` in the lower half.
template <class T>
JMATTE_DEVICE unsigned pack2(float low, float high) {
    return unsigned(from_float<T>(low).bits) | unsigned(from_float<T>(high).bits) << 16;
}
template <>
JMATTE_DEVICE unsigned pack2<half>(float low, float high) {
    unsigned r;
#if __CUDA_ARCH__ >= 800
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
#else
    asm("{ .reg .f16 l, h; cvt.rn.f16.f32 l, %1; cvt.rn.f16.f32 h, %2; mov.b32 %0, {l, h}; }"
        : "=r"(r)
        : "f"(low), "f"(high));
#endif
    return r;
}
#if __CUDA_ARCH__ >= 800
template <>
JMATTE_DEVICE unsigned pack2<bfloat>(float low, float high) {
    unsigned r;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
    return r;
}
#endif

/// The bits of a float and back.
JMATTE_DEVICE unsigned float_bits(float v) { return __float_as_uint(v); }
JMATTE_DEVICE float bits_float(unsigned v) { return __uint_as_float(v); }

// ---------------------------------------------------------------- functions

using ::fabsf;
using ::fmaf;
using ::fmaxf;
using ::fminf;
using ::rsqrtf;
using ::sqrtf;

/// 2^v, about 2 units in the last place; 0 for very negative v.
JMATTE_DEVICE float exp2(float v) {
    float r;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(v));
    return r;
}

/// 1 / v, about 1 unit in the last place: an exact division takes ten instructions and a call.
JMATTE_DEVICE float reciprocal(float v) {
    float r;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(v));
    return r;
}

// ---------------------------------------------------------------- warps: every lane takes part

JMATTE_DEVICE float shuffle(float v, int from) { return __shfl_sync(0xffffffffu, v, from); }
JMATTE_DEVICE int shuffle(int v, int from) { return __shfl_sync(0xffffffffu, v, from); }
JMATTE_DEVICE float shuffle_xor(float v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }
JMATTE_DEVICE int shuffle_xor(int v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }
JMATTE_DEVICE int shuffle_up(int v, int delta) { return __shfl_up_sync(0xffffffffu, v, delta); }
/// Bit i: lane i's predicate.
JMATTE_DEVICE unsigned ballot(bool predicate) { return __ballot_sync(0xffffffffu, predicate); }
JMATTE_DEVICE int count_bits(unsigned v) { return __popc(v); }

// ---------------------------------------------------------------- integer atomics, in shared or global memory

JMATTE_DEVICE unsigned atomic_add(unsigned* at, unsigned v) { return atomicAdd(at, v); }
JMATTE_DEVICE unsigned atomic_or(unsigned* at, unsigned v) { return atomicOr(at, v); }

// ---------------------------------------------------------------- asynchronous copies to shared memory

JMATTE_DEVICE unsigned shared_address(const void* p) { return unsigned(__cvta_generic_to_shared(p)); }

/// Copies 16 bytes (both 16-byte aligned), or clears them where not `valid`; visible to this thread after wait_async,
/// to others after the next barrier. Before sm_80 the copy is done at once.
JMATTE_DEVICE void copy_async(void* to, const void* from, bool valid = true) {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from),
                 "r"(valid ? 16 : 0)
                 : "memory");
#else
    *reinterpret_cast<uint4*>(to) = valid ? *reinterpret_cast<const uint4*>(from) : make_uint4(0, 0, 0, 0);
#endif
}
/// Closes a group of copies.
JMATTE_DEVICE void commit_async() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
/// Waits until at most N groups are under way.
template <int N>
JMATTE_DEVICE void wait_async() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#endif
}
/// Whether copies run beside computation: worth more than two stages.
#if __CUDA_ARCH__ >= 800
constexpr bool ASYNC_COPIES = true;
#else
constexpr bool ASYNC_COPIES = false;
#endif

// ---------------------------------------------------------------- matrix units

/// Fragments of D[16, 8] += A[16, K] B[K, 8] for one warp, distributed as PTX defines it for mma.m16n8kK.
#if __CUDA_ARCH__ >= 800
constexpr int MMA_K = 16;
#else
constexpr int MMA_K = 8;
#endif
constexpr int A_REGISTERS = MMA_K / 4; // two elements each
constexpr int B_REGISTERS = MMA_K / 8;

/// Loads N (1, 2, 4) 8x8 matrices of 16-bit elements from shared memory: lanes 8i to 8i + 7 give the addresses of the
/// rows of matrix i, 16-byte aligned.
template <int N>
JMATTE_DEVICE void load_matrix(unsigned* r, const void* row) {
    unsigned at = shared_address(row);
    if constexpr (N == 1)
        asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(r[0]) : "r"(at) : "memory");
    else if constexpr (N == 2)
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                     : "=r"(r[0]), "=r"(r[1])
                     : "r"(at)
                     : "memory");
    else
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                     : "r"(at)
                     : "memory");
}
/// The same, each matrix transposed.
template <int N>
JMATTE_DEVICE void load_matrix_transposed(unsigned* r, const void* row) {
    unsigned at = shared_address(row);
    if constexpr (N == 1)
        asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];" : "=r"(r[0]) : "r"(at) : "memory");
    else if constexpr (N == 2)
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                     : "=r"(r[0]), "=r"(r[1])
                     : "r"(at)
                     : "memory");
    else
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                     : "r"(at)
                     : "memory");
}

template <class T>
JMATTE_DEVICE void mma(float* d, const unsigned* a, const unsigned* b);
template <>
JMATTE_DEVICE void mma<half>(float* d, const unsigned* a, const unsigned* b) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(b[0]));
#endif
}
#if __CUDA_ARCH__ >= 800
template <>
JMATTE_DEVICE void mma<bfloat>(float* d, const unsigned* a, const unsigned* b) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#endif

/// D += A B for MT x NT tiles of 16x8: one call for the whole of a warp's step, so that an emulator meets once.
template <class T, int MT, int NT>
JMATTE_DEVICE void mma_tile(float (&d)[MT][NT][4], const unsigned (&a)[MT][A_REGISTERS],
                            const unsigned (&b)[NT][B_REGISTERS]) {
#pragma unroll
    for (int m = 0; m < MT; m++)
#pragma unroll
        for (int n = 0; n < NT; n++)
            mma<T>(d[m][n], a[m], b[n]);
}

} // namespace jmatte
