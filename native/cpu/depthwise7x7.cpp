// A depthwise 7x7 convolution of one row of a map, and the norm over the channels of each of its positions.
//
// Lanes are channels. A tile of columns is kept in registers while the seven kernel rows go by: seven weights are
// loaded per row, and every input value once, for up to seven of the tile's outputs. The tile's channels are then
// normalised from the L1 cache.
#include "row_norm.h"

namespace jmatte {
namespace JMATTE_ISA {
namespace {

constexpr int SIZE = 7, REACH = SIZE / 2;
/// With the weights of a kernel row and an input these fill the registers.
constexpr int TILE = LANES == 16 ? 16 : 6;
/// So that a tile of all channels fits the L1 cache.
constexpr int MOST_CHANNELS = 512;

/// out[i] = bias + the convolution at column x0 + i; row[ky] for ky in lo .. hi - 1 is the input row of that kernel
/// row. With INSIDE no column is beyond the map. Pointers are at these lanes' channel.
template <bool INSIDE, class T, class Lanes>
JMATTE_INLINE void convolve(const T* const* row, int lo, int hi, int x0, int width, long channels, const float* weight,
                            const float* bias, float* out, Lanes m) {
    Vec part[TILE], start = load(bias, m);
#pragma GCC unroll 16
    for (int i = 0; i < TILE; i++)
        part[i] = start;
    for (int ky = lo; ky < hi; ky++) {
        Vec w[SIZE];
#pragma GCC unroll 7
        for (int k = 0; k < SIZE; k++)
            w[k] = load(weight + (ky * SIZE + k) * channels, m);
#pragma GCC unroll 22
        for (int i = 0; i < TILE + SIZE - 1; i++) {
            int x = x0 + i - REACH;
            if (INSIDE || (x >= 0 && x < width)) {
                Vec v = load(row[ky] + x * channels, m);
#pragma GCC unroll 7
                for (int k = 0; k < SIZE; k++)
                    if (i - k >= 0 && i - k < TILE)
                        part[i - k] = fma(v, w[k], part[i - k]);
            }
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < TILE; i++)
        store(out + i * channels, part[i], m);
}

struct Norm {
    const float *weight, *bias;
    float eps;
};

template <class T>
void row(const T* map, int height, int width, int channels, const float* weight, const float* bias, const Norm& norm,
         int y, int first, int columns, T* out) {
    const T* rows[SIZE];
    int lo = y < REACH ? REACH - y : 0;
    int hi = height - y < SIZE - REACH ? height - y + REACH : SIZE;
    for (int ky = lo; ky < hi; ky++)
        rows[ky] = map + (long)(y + ky - REACH) * width * channels;
    alignas(64) float tile[TILE * MOST_CHANNELS];
    for (int i = 0; i < columns; i += TILE) {
        int x = first + i;
        bool inside = x >= REACH && x + TILE + REACH <= width;
        each_vector(channels, [&](int c, auto m) {
            const T* at[SIZE];
            for (int ky = lo; ky < hi; ky++)
                at[ky] = rows[ky] + c;
            if (inside)
                convolve<true>(at, lo, hi, x, width, channels, weight + c, bias + c, tile + c, m);
            else
                convolve<false>(at, lo, hi, x, width, channels, weight + c, bias + c, tile + c, m);
        });
        for (int k = 0; k < TILE && i + k < columns; k++)
            normalise(tile + k * channels, channels, norm.weight, norm.bias, norm.eps, false,
                      out + (long)(i + k) * channels);
    }
}

} // namespace

void depthwise7x7_norm(const void* map, int type, int height, int width, int channels, const float* weight,
                       const float* bias, const float* norm_weight, const float* norm_bias, float eps, int y, int first,
                       int columns, void* out) {
    Norm norm = {norm_weight, norm_bias, eps};
    if (type == BF16)
        row((const bf16*)map, height, width, channels, weight, bias, norm, y, first, columns, (bf16*)out);
    else
        row((const float*)map, height, width, channels, weight, bias, norm, y, first, columns, (float*)out);
}

} // namespace JMATTE_ISA
} // namespace jmatte
