// The norm of one row over its channels, in three passes over a row that the first leaves in the L1 cache: the mean,
// the centred squares (never E[x^2] - mean^2, which cancels), the result. Include it after simd.h's namespace rules.
#pragma once

#include "simd.h"

#include <math.h>

namespace jmatte {
namespace JMATTE_ISA {
namespace {

JMATTE_INLINE Vec only(Vec v, All) { return v; }
JMATTE_INLINE Vec only(Vec v, Mask m) { return select(m, v, zero()); }

/// The sum of term(c, lanes) over the channels, in four chains so that additions need not wait for each other.
template <class Term>
JMATTE_INLINE float total(int channels, Term term) {
    Vec part[4] = {zero(), zero(), zero(), zero()};
    int c = 0;
    for (; c <= channels - 4 * LANES; c += 4 * LANES)
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++)
            part[k] += term(c + k * LANES, All());
    each_vector(channels - c, [&](int rest, auto m) { part[0] += term(c + rest, m); });
    return sum((part[0] + part[1]) + (part[2] + part[3]));
}

template <class Out>
void normalise(const float* row, int channels, const float* weight, const float* bias, float eps, bool activate,
               Out* out) {
    float mean = total(channels, [=](int c, auto m) { return load(row + c, m); }) / channels;
    float squares = total(channels, [=](int c, auto m) {
        Vec d = only(load(row + c, m) - splat(mean), m);
        return d * d;
    });
    float scale = 1 / sqrtf(squares / channels + eps);
    each_vector(channels, [=](int c, auto m) {
        Vec v = fma((load(row + c, m) - splat(mean)) * splat(scale), load(weight + c, m), load(bias + c, m));
        store(out + c, activate ? gelu(v) : v, m);
    });
}

} // namespace
} // namespace JMATTE_ISA
} // namespace jmatte
