// One vector of floats as wide as the instruction set's registers, and what the kernels do with it.
//
// Compiled once per instruction set, inside that set's namespace: include it after opening nothing, use it inside
// `namespace jmatte::JMATTE_ISA`. Everything here is force-inlined.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "jmatte_cpu.h"

#define JMATTE_INLINE static inline __attribute__((always_inline))

namespace jmatte {
namespace JMATTE_ISA {

typedef uint16_t bf16; // the upper half of an IEEE float

#ifdef __AVX512F__

constexpr int LANES = 16;
typedef __m512 Vec;
typedef __mmask16 Mask;

JMATTE_INLINE Vec zero() { return _mm512_setzero_ps(); }
JMATTE_INLINE Vec splat(float v) { return _mm512_set1_ps(v); }
/// Lanes 0 to n - 1; n may pass LANES or be negative.
JMATTE_INLINE Mask first(int n) { return n >= LANES ? Mask(0xffff) : n <= 0 ? Mask(0) : Mask((1u << n) - 1); }
JMATTE_INLINE Vec load(const float* p) { return _mm512_loadu_ps(p); }
JMATTE_INLINE Vec load(const float* p, Mask m) { return _mm512_maskz_loadu_ps(m, p); }
JMATTE_INLINE void store(float* p, Vec v) { _mm512_storeu_ps(p, v); }
JMATTE_INLINE void store(float* p, Vec v, Mask m) { _mm512_mask_storeu_ps(p, m, v); }
JMATTE_INLINE Vec widen(__m256i v) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(v), 16)); }
JMATTE_INLINE Vec load(const bf16* p) { return widen(_mm256_loadu_si256((const __m256i*)p)); }
JMATTE_INLINE Vec load(const bf16* p, Mask m) { return widen(_mm256_maskz_loadu_epi16(m, p)); }

/// Rounded to nearest, ties to even; NaN stays NaN.
JMATTE_INLINE __m256i narrow(Vec v) {
#ifdef __AVX512BF16__
    return (__m256i)_mm512_cvtneps_pbh(v);
#else
    __m512i bits = _mm512_castps_si512(v);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    rounded = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
#endif
}
JMATTE_INLINE void store(bf16* p, Vec v) { _mm256_storeu_si256((__m256i*)p, narrow(v)); }
JMATTE_INLINE void store(bf16* p, Vec v, Mask m) { _mm256_mask_storeu_epi16(p, m, narrow(v)); }

JMATTE_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
JMATTE_INLINE Vec max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
JMATTE_INLINE Vec min(Vec a, Vec b) { return _mm512_min_ps(a, b); }
JMATTE_INLINE Vec abs(Vec a) { return _mm512_abs_ps(a); }
JMATTE_INLINE Vec select(Mask m, Vec yes, Vec no) { return _mm512_mask_blend_ps(m, no, yes); }
JMATTE_INLINE float sum(Vec v) { return _mm512_reduce_add_ps(v); }
JMATTE_INLINE float maximum(Vec v) { return _mm512_reduce_max_ps(v); }

/// 2^v for v at most 127; zero below -126.
JMATTE_INLINE Vec exp2(Vec v) {
    Vec whole = _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    Vec x = v - whole;
    Vec p = splat(1.5353362e-4f);
    p = fma(p, x, splat(1.3398874e-3f));
    p = fma(p, x, splat(9.6184373e-3f));
    p = fma(p, x, splat(5.5503324e-2f));
    p = fma(p, x, splat(2.4022647e-1f));
    p = fma(p, x, splat(6.9314720e-1f));
    p = fma(p, x, splat(1.0f));
    return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(v, splat(-126), _CMP_NLT_UQ), p, whole);
}

#else

constexpr int LANES = 8;
typedef __m256 Vec;
typedef __m256i Mask;

JMATTE_INLINE Vec zero() { return _mm256_setzero_ps(); }
JMATTE_INLINE Vec splat(float v) { return _mm256_set1_ps(v); }
/// Lanes 0 to n - 1; n may pass LANES or be negative.
JMATTE_INLINE Mask first(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
JMATTE_INLINE Vec load(const float* p) { return _mm256_loadu_ps(p); }
JMATTE_INLINE Vec load(const float* p, Mask m) { return _mm256_maskload_ps(p, m); }
JMATTE_INLINE void store(float* p, Vec v) { _mm256_storeu_ps(p, v); }
JMATTE_INLINE void store(float* p, Vec v, Mask m) { _mm256_maskstore_ps(p, m, v); }
JMATTE_INLINE Vec widen(__m128i v) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(v), 16)); }
JMATTE_INLINE Vec load(const bf16* p) { return widen(_mm_loadu_si128((const __m128i*)p)); }
JMATTE_INLINE int count(Mask m) { return __builtin_popcount(_mm256_movemask_ps(_mm256_castsi256_ps(m))); }
JMATTE_INLINE Vec load(const bf16* p, Mask m) {
    bf16 lanes[LANES] = {};
    for (int i = 0, n = count(m); i < n; i++)
        lanes[i] = p[i];
    return load(lanes);
}

/// Rounded to nearest, ties to even; NaN stays NaN.
JMATTE_INLINE __m128i narrow(Vec v) {
    __m256i bits = _mm256_castps_si256(v);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    rounded = _mm256_blendv_epi8(rounded, _mm256_or_si256(bits, _mm256_set1_epi32(0x400000)), nan);
    rounded = _mm256_srli_epi32(rounded, 16);
    return _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
}
JMATTE_INLINE void store(bf16* p, Vec v) { _mm_storeu_si128((__m128i*)p, narrow(v)); }
JMATTE_INLINE void store(bf16* p, Vec v, Mask m) {
    bf16 lanes[LANES];
    store(lanes, v);
    for (int i = 0, n = count(m); i < n; i++)
        p[i] = lanes[i];
}

JMATTE_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
JMATTE_INLINE Vec max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
JMATTE_INLINE Vec min(Vec a, Vec b) { return _mm256_min_ps(a, b); }
JMATTE_INLINE Vec abs(Vec a) { return _mm256_andnot_ps(splat(-0.0f), a); }
JMATTE_INLINE Vec select(Mask m, Vec yes, Vec no) { return _mm256_blendv_ps(no, yes, _mm256_castsi256_ps(m)); }
JMATTE_INLINE float sum(Vec v) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
JMATTE_INLINE float maximum(Vec v) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

/// 2^v for v at most 127; zero below -126.
JMATTE_INLINE Vec exp2(Vec v) {
    Vec whole = _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    Vec x = v - whole;
    Vec p = splat(1.5353362e-4f);
    p = fma(p, x, splat(1.3398874e-3f));
    p = fma(p, x, splat(9.6184373e-3f));
    p = fma(p, x, splat(5.5503324e-2f));
    p = fma(p, x, splat(2.4022647e-1f));
    p = fma(p, x, splat(6.9314720e-1f));
    p = fma(p, x, splat(1.0f));
    __m256i power = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(whole), _mm256_set1_epi32(127)), 23);
    Vec normal = _mm256_cmp_ps(v, splat(-126), _CMP_NLT_UQ);
    return _mm256_and_ps(p * _mm256_castsi256_ps(power), normal);
}

#endif

/// All lanes, where a template also takes a Mask: plain loads and stores, as AVX2's masked ones are slow.
struct All {};
JMATTE_INLINE Vec load(const float* p, All) { return load(p); }
JMATTE_INLINE Vec load(const bf16* p, All) { return load(p); }
JMATTE_INLINE void store(float* p, Vec v, All) { store(p, v); }
JMATTE_INLINE void store(bf16* p, Vec v, All) { store(p, v); }

/// Calls body(c, lanes) for c = 0, LANES, 2 LANES, ...: the lanes are All but for a last vector that n does not fill.
template <class Body>
JMATTE_INLINE void each_vector(int n, Body body) {
    int c = 0;
    for (; c <= n - LANES; c += LANES)
        body(c, All());
    if (c < n)
        body(c, first(n - c));
}

/// memcpy without the call: rows here are short, and mostly multiples of the vector.
JMATTE_INLINE void copy_bytes(void* out, const void* in, long bytes) {
    constexpr long STEP = sizeof(Vec);
    char* to = (char*)out;
    const char* from = (const char*)in;
    if (bytes < STEP) { // two copies that may overlap, but for the shortest
        if (bytes >= 32) {
            __builtin_memcpy(to, from, 32);
            __builtin_memcpy(to + bytes - 32, from + bytes - 32, 32);
        } else if (bytes >= 16) {
            __builtin_memcpy(to, from, 16);
            __builtin_memcpy(to + bytes - 16, from + bytes - 16, 16);
        } else
            __builtin_memcpy(to, from, bytes);
        return;
    }
    long i = 0;
    for (; i <= bytes - STEP; i += STEP)
        store((float*)(to + i), load((const float*)(from + i)));
    if (i < bytes)
        store((float*)(to + bytes - STEP), load((const float*)(from + bytes - STEP)));
}

/// x * Phi(x), Phi the normal distribution, by Abramowitz & Stegun 7.1.26 without cancellation in the tail:
/// max(x, 0) - |x| / 2 * erfc(|x| / sqrt 2). Largest absolute error 3.3e-7.
JMATTE_INLINE Vec gelu(Vec x) {
    Vec a = abs(x);
    Vec t = splat(1) / fma(a, splat(0.3275911f * 0.70710678f), splat(1));
    Vec p = splat(1.061405429f);
    p = fma(p, t, splat(-1.453152027f));
    p = fma(p, t, splat(1.421413741f));
    p = fma(p, t, splat(-0.284496736f));
    p = fma(p, t, splat(0.254829592f));
    Vec erfc = p * t * exp2(x * x * splat(-0.72134752f));
    return fma(a * splat(-0.5f), erfc, max(x, zero()));
}

} // namespace JMATTE_ISA
} // namespace jmatte
