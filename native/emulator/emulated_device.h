// The dialect in the emulator: the names of kernels/cuda_device.cuh, each with the same meaning. Every kernel file is
// compiled in a nameless namespace of its own, once per architecture, so nothing here has to be unique in a library.
#pragma once

#include "twins.h"

#define JMATTE_DEVICE inline __attribute__((always_inline))

#define JMATTE_KERNEL(name, Params, threads, shared_bytes)                                                             \
    static_assert((threads) % 32 == 0 && (threads) <= 1024, "whole warps, at most 1024 threads");                      \
    static_assert(sizeof(Params) <= 4096, "parameters take at most 4096 bytes");                                       \
    static JMATTE_DEVICE void name##_body(const Params& p);                                                            \
    static void name##_thread(const void* p) { name##_body(*static_cast<const Params*>(p)); }                          \
    static const ::emulator::Kernel name##_kernel(#name, JMATTE_ARCH, JMATTE_CHECKED, threads, long(shared_bytes),     \
                                                  long(sizeof(Params)), name##_thread);                                \
    static JMATTE_DEVICE void name##_body(const Params& p)

/// How many blocks run at a time makes no difference here.
#define JMATTE_KERNEL_BLOCKS(name, Params, threads, shared_bytes, blocks)                                              \
    JMATTE_KERNEL(name, Params, threads, shared_bytes)

namespace jmatte {

// ---------------------------------------------------------------- where a thread is

JMATTE_DEVICE int thread() { return ::emulator::here.thread; }
JMATTE_DEVICE int lane() { return thread() & 31; }
JMATTE_DEVICE int warp() { return thread() >> 5; }
JMATTE_DEVICE int block_x() { return ::emulator::here.block_x; }
JMATTE_DEVICE int block_y() { return ::emulator::here.block_y; }
JMATTE_DEVICE int block_z() { return ::emulator::here.block_z; }
JMATTE_DEVICE int grid_x() { return ::emulator::here.grid_x; }

JMATTE_DEVICE void sync_block() { ::emulator::sync_block(); }
JMATTE_DEVICE void sync_warp() { ::emulator::sync_warp(); }

template <class S>
JMATTE_DEVICE S& shared() {
    return *static_cast<S*>(::emulator::here.shared);
}

// ---------------------------------------------------------------- element types

struct half {
    unsigned short bits;
};
struct bfloat {
    unsigned short bits;
};

JMATTE_DEVICE unsigned float_bits(float v) {
    unsigned bits;
    __builtin_memcpy(&bits, &v, sizeof bits);
    return bits;
}
JMATTE_DEVICE float bits_float(unsigned v) {
    float f;
    __builtin_memcpy(&f, &v, sizeof f);
    return f;
}

JMATTE_DEVICE float to_float(float v) { return v; }
JMATTE_DEVICE float to_float(half v) { return _cvtsh_ss(v.bits); }
JMATTE_DEVICE float to_float(bfloat v) { return bits_float(unsigned(v.bits) << 16); }

template <class T>
JMATTE_DEVICE T from_float(float v);
template <>
JMATTE_DEVICE float from_float<float>(float v) {
    return v;
}
template <>
JMATTE_DEVICE half from_float<half>(float v) {
    constexpr unsigned short NOT_A_NUMBER = 0x7fff; // a card keeps no payload
    return {v == v ? _cvtss_sh(v, _MM_FROUND_TO_NEAREST_INT) : NOT_A_NUMBER};
}
template <>
JMATTE_DEVICE bfloat from_float<bfloat>(float v) {
    unsigned bits = float_bits(v);
    bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    unsigned rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
    return {(unsigned short)((nan ? bits | 0x400000u : rounded) >> 16)};
}

template <class T>
JMATTE_DEVICE unsigned pack2(float low, float high) {
    return unsigned(from_float<T>(low).bits) | unsigned(from_float<T>(high).bits) << 16;
}

// ---------------------------------------------------------------- functions

using ::fabsf;
using ::fmaf;
using ::fmaxf;
using ::fminf;
using ::sqrtf;

JMATTE_DEVICE float rsqrtf(float v) { return 1.0f / sqrtf(v); }

/// Like a card's, it knows no subnormal numbers.
JMATTE_DEVICE float exp2(float v) {
    float r = ::exp2f(v);
    return r < 0x1p-126f ? 0.0f : r;
}

JMATTE_DEVICE float reciprocal(float v) { return 1.0f / v; }

// ---------------------------------------------------------------- warps: every lane takes part

JMATTE_DEVICE int shuffle(int v, int from) { return int(::emulator::exchange(unsigned(v), from & 31)); }
JMATTE_DEVICE float shuffle(float v, int from) { return bits_float(::emulator::exchange(float_bits(v), from & 31)); }
JMATTE_DEVICE int shuffle_xor(int v, int mask) { return shuffle(v, lane() ^ mask); }
JMATTE_DEVICE float shuffle_xor(float v, int mask) { return shuffle(v, lane() ^ mask); }
JMATTE_DEVICE int shuffle_up(int v, int delta) { return shuffle(v, lane() < delta ? lane() : lane() - delta); }
JMATTE_DEVICE unsigned ballot(bool predicate) { return ::emulator::ballot(predicate); }
JMATTE_DEVICE int count_bits(unsigned v) { return __builtin_popcount(v); }

// ---------------------------------------------------------------- integer atomics, in shared or global memory

JMATTE_DEVICE unsigned atomic_add(unsigned* at, unsigned v) { return ::emulator::atomic_add(at, v); }
JMATTE_DEVICE unsigned atomic_or(unsigned* at, unsigned v) { return ::emulator::atomic_or(at, v); }

// ---------------------------------------------------------------- asynchronous copies to shared memory

constexpr bool ASYNC_COPIES = JMATTE_ARCH >= 80;

JMATTE_DEVICE void copy_async(void* to, const void* from, bool valid = true) {
    ::emulator::copy_async(to, from, valid, ASYNC_COPIES);
}
JMATTE_DEVICE void commit_async() {
    if (ASYNC_COPIES)
        ::emulator::commit_async();
}
template <int N>
JMATTE_DEVICE void wait_async() {
    if (ASYNC_COPIES)
        ::emulator::wait_async(N);
}

// ---------------------------------------------------------------- matrix units

constexpr int MMA_K = JMATTE_ARCH >= 80 ? 16 : 8;
constexpr int A_REGISTERS = MMA_K / 4;
constexpr int B_REGISTERS = MMA_K / 8;

template <int N>
JMATTE_DEVICE void load_matrix(unsigned* r, const void* row) {
    static_assert(N == 1 || N == 2 || N == 4, "1, 2 or 4 matrices");
    ::emulator::load_matrix(r, row, N, false);
}
template <int N>
JMATTE_DEVICE void load_matrix_transposed(unsigned* r, const void* row) {
    static_assert(N == 1 || N == 2 || N == 4, "1, 2 or 4 matrices");
    ::emulator::load_matrix(r, row, N, true);
}

/// The engine's name of an operand type.
template <class T>
struct MmaElement;
template <>
struct MmaElement<half> {
    static constexpr ::emulator::Element VALUE = ::emulator::Element::HALF;
};
#if JMATTE_ARCH >= 80
template <>
struct MmaElement<bfloat> {
    static constexpr ::emulator::Element VALUE = ::emulator::Element::BFLOAT;
};
#endif

template <class T, int MT, int NT>
JMATTE_DEVICE void mma_tile(float (&d)[MT][NT][4], const unsigned (&a)[MT][A_REGISTERS],
                            const unsigned (&b)[NT][B_REGISTERS]) {
    ::emulator::mma_tile(MmaElement<T>::VALUE, MMA_K, MT, NT, &d[0][0][0], &a[0][0], &b[0][0]);
}
template <class T>
JMATTE_DEVICE void mma(float* d, const unsigned* a, const unsigned* b) {
    ::emulator::mma_tile(MmaElement<T>::VALUE, MMA_K, 1, 1, d, a, b);
}

} // namespace jmatte
