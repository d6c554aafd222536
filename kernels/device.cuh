// The dialect that all kernels are written in: CUDA C++ reduced to what runs unchanged on a card (nvcc, NVRTC) and in
// the emulator (any host compiler). Kernels include this file and nothing else; inline PTX, architecture differences
// and CUDA's own built-ins live here alone.
//
// A kernel is a function template over a const parameter struct and is named in a table of entry points:
//
//     struct Scale { half* out; const half* in; float factor; int count; };
//     template <class T> JMATTE_DEVICE void scale(const Scale& p) { ... }
//     JMATTE_KERNEL(scale_fp16, Scale, 256, 0) { scale<half>(p); }
//
// Shared memory is one struct per kernel, `Shared& s = shared<Shared>()`, whose size the entry point names.
#pragma once

#ifdef JMATTE_EMULATOR
#include "emulated_device.h"
#else
#include "cuda_device.cuh"
#endif

namespace jmatte {

// ---------------------------------------------------------------- numbers

constexpr int WARP = 32;
constexpr float LOG2E = 1.4426950408889634f;

/// Smallest integer not below a / b.
JMATTE_DEVICE constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }
JMATTE_DEVICE constexpr long long ceil_div(long long a, long long b) { return (a + b - 1) / b; }

/// N elements that travel as one load or store; N * sizeof(T) is 4, 8 or 16.
template <class T, int N>
struct alignas(N * sizeof(T)) Pack {
    T v[N];

    JMATTE_DEVICE T& operator[](int i) { return v[i]; }
    JMATTE_DEVICE const T& operator[](int i) const { return v[i]; }
};

/// Elements in 16 bytes.
template <class T>
constexpr int PACK = 16 / int(sizeof(T));

/// x * Phi(x) by Abramowitz & Stegun 7.1.26, without branch or cancellation; largest absolute error 3.3e-7.
JMATTE_DEVICE float gelu(float x) {
    float a = fabsf(x);
    float t = reciprocal(fmaf(a, 0.3275911f * 0.70710678f, 1.0f));
    float p = 1.061405429f;
    p = fmaf(p, t, -1.453152027f);
    p = fmaf(p, t, 1.421413741f);
    p = fmaf(p, t, -0.284496736f);
    p = fmaf(p, t, 0.254829592f);
    float erfc = p * t * exp2(x * x * -0.72134752f);
    return fmaf(-0.5f * a, erfc, fmaxf(x, 0.0f));
}

// ---------------------------------------------------------------- warps

/// Sum over the warp's lanes, the same in every lane; always added in the same order.
JMATTE_DEVICE float warp_sum(float v) {
    for (int mask = WARP / 2; mask > 0; mask /= 2)
        v += shuffle_xor(v, mask);
    return v;
}

JMATTE_DEVICE float warp_max(float v) {
    for (int mask = WARP / 2; mask > 0; mask /= 2)
        v = fmaxf(v, shuffle_xor(v, mask));
    return v;
}

} // namespace jmatte
