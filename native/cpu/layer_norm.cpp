#include "simd.h"

#include <math.h>

namespace jmatte {
namespace JMATTE_ISA {
namespace {

template <class Out>
void normalise(const float* row, int channels, const float* weight, const float* bias, float eps, bool activate,
               Out* out) {
    Vec total = zero();
    for (int c = 0; c < channels; c += LANES)
        total += load(row + c, first(channels - c));
    float mean = sum(total) / channels;
    Vec squares = zero();
    for (int c = 0; c < channels; c += LANES) {
        Mask m = first(channels - c);
        Vec d = select(m, load(row + c, m) - splat(mean), zero());
        squares = fma(d, d, squares);
    }
    float scale = 1 / sqrtf(sum(squares) / channels + eps);
    for (int c = 0; c < channels; c += LANES) {
        Mask m = first(channels - c);
        Vec v = fma((load(row + c, m) - splat(mean)) * splat(scale), load(weight + c, m), load(bias + c, m));
        store(out + c, activate ? gelu(v) : v, m);
    }
}

template <class Out>
void rows_of(const float* x, const int* index, long rows, int channels, const float* weight, const float* bias,
             float eps, bool activate, Out* out) {
    for (long r = 0; r < rows; r++)
        normalise(x + (index ? index[r] : r) * channels, channels, weight, bias, eps, activate, out + r * channels);
}

} // namespace

void layer_norm(const float* x, const int* index, long rows, int channels, const float* weight, const float* bias,
                float eps, int gelu, void* out, int type) {
    if (type == BF16)
        rows_of(x, index, rows, channels, weight, bias, eps, gelu, (bf16*)out);
    else
        rows_of(x, index, rows, channels, weight, bias, eps, gelu, (float*)out);
}

} // namespace JMATTE_ISA
} // namespace jmatte
