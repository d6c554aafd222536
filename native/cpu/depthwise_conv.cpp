// One row of a depthwise 5x5 convolution, GELU applied, and the channels' sums of the result.
//
// Lanes are channels. For one vector of channels the loop marches along x with the 25 weights in registers (on AVX2
// most of them are memory operands): the five values of an input column are loaded once and go into the five outputs
// that they reach, so an output costs 5 loads and 25 FMAs.
#include "simd.h"

namespace jmatte {
namespace JMATTE_ISA {
namespace {

constexpr int SIZE = 5, REACH = SIZE / 2;

/// row[ky] is the input row of tap row ky, lo .. hi - 1 those inside the map; pointers are at these lanes' channel.
template <class T, class Lanes>
JMATTE_INLINE void march(const T* const* row, int lo, int hi, int width, long channels, const float* weight,
                         const float* bias, int from, int columns, T* out, float* sums, Lanes m) {
    Vec w[SIZE * SIZE], part[SIZE], total = zero(), start = load(bias, m);
    for (int k = 0; k < SIZE * SIZE; k++)
        w[k] = load(weight + k * channels, m);
    for (int k = 0; k < SIZE; k++)
        part[k] = start; // of output x - REACH + k
    for (int x = from - REACH; x < from + columns + REACH; x++) {
        if (x >= 0 && x < width)
#pragma GCC unroll 5
            for (int ky = lo; ky < hi; ky++) {
                Vec v = load(row[ky] + x * channels, m);
#pragma GCC unroll 5
                for (int kx = 0; kx < SIZE; kx++)
                    part[SIZE - 1 - kx] = fma(v, w[ky * SIZE + kx], part[SIZE - 1 - kx]);
            }
        if (x >= from + REACH) {
            Vec v = gelu(part[0]);
            store(out + (x - REACH - from) * channels, v, m);
            total += v;
        }
#pragma GCC unroll 5
        for (int k = 0; k < SIZE - 1; k++)
            part[k] = part[k + 1];
        part[SIZE - 1] = start;
    }
    store(sums, load(sums, m) + total, m);
}

template <class T>
void convolve(const T* map, int ring, int height, int width, int channels, const float* weight, const float* bias,
              int y, int from, int columns, T* out, float* sums) {
    const T* rows[SIZE];
    int lo = y < REACH ? REACH - y : 0;
    int hi = height - y < SIZE - REACH ? height - y + REACH : SIZE;
    for (int ky = lo; ky < hi; ky++)
        rows[ky] = map + (long)((y + ky - REACH) % ring) * width * channels;
    each_vector(channels, [=](int c, auto m) {
        const T* row[SIZE];
        for (int ky = lo; ky < hi; ky++)
            row[ky] = rows[ky] + c;
        if (lo == 0 && hi == SIZE) // with these bounds known, the loop over ky unrolls
            march(row, 0, SIZE, width, channels, weight + c, bias + c, from, columns, out + c, sums + c, m);
        else
            march(row, lo, hi, width, channels, weight + c, bias + c, from, columns, out + c, sums + c, m);
    });
}

} // namespace

void depthwise5x5_gelu(const void* map, int type, int ring, int height, int width, int channels, const float* weight,
                       const float* bias, int y, int first, int columns, void* out, float* sums) {
    if (type == BF16)
        convolve((const bf16*)map, ring, height, width, channels, weight, bias, y, first, columns, (bf16*)out, sums);
    else
        convolve((const float*)map, ring, height, width, channels, weight, bias, y, first, columns, (float*)out, sums);
}

} // namespace JMATTE_ISA
} // namespace jmatte
