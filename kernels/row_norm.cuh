// Layer norm of one row by one warp, its elements in registers; for layer_norm.cu and merge_tokens.cu.
#pragma once

#include "device.cuh"

namespace jmatte {

/// Elements of a row that a lane holds: enough for 768 channels within 64 registers, the share of 1024 threads on an
/// SM.
constexpr int ROW_VALUES = 24;
/// Packs of N elements; lane l has the packs l, l + 32, ... of the row, zeros where there is none.
template <int N>
constexpr int ROW_PACKS = ROW_VALUES / N;

/// Whether rows of so many channels can be taken in packs of N.
template <int N>
JMATTE_DEVICE bool fits_registers(int channels) {
    return channels <= WARP * ROW_VALUES && channels % N == 0;
}

/// v = (v - mean) / sqrt(variance + eps): the mean, then the centred squares, never E[x^2] - mean^2, which cancels for
/// rows far from zero.
template <int N>
JMATTE_DEVICE void normalise(float (&v)[ROW_PACKS<N>][N], int channels, float eps) {
    const int packs = channels / N;
    float total = 0;
#pragma unroll
    for (int k = 0; k < ROW_PACKS<N>; k++)
#pragma unroll
        for (int i = 0; i < N; i++)
            total += v[k][i];
    const float mean = warp_sum(total) / float(channels);
    float squares = 0;
#pragma unroll
    for (int k = 0; k < ROW_PACKS<N>; k++)
        if (k * WARP + lane() < packs)
#pragma unroll
            for (int i = 0; i < N; i++) {
                v[k][i] -= mean;
                squares = fmaf(v[k][i], v[k][i], squares);
            }
    const float scale = rsqrtf(warp_sum(squares) / float(channels) + eps);
#pragma unroll
    for (int k = 0; k < ROW_PACKS<N>; k++)
#pragma unroll
        for (int i = 0; i < N; i++)
            v[k][i] *= scale;
}

/// N floats (a multiple of 4) from pack `at` on.
template <int N>
JMATTE_DEVICE void load_floats(const float* from, int at, float (&v)[N]) {
#pragma unroll
    for (int i = 0; i < N; i += 4) {
        auto four = reinterpret_cast<const Pack<float, 4>*>(from)[(at * N + i) / 4];
#pragma unroll
        for (int k = 0; k < 4; k++)
            v[i + k] = four[k];
    }
}

/// What normalises a row: (x - mean) * scale.
struct Moments {
    float mean;
    float scale;
};

/// Of a row of any length, read twice, one element a lane.
template <class X>
JMATTE_DEVICE Moments row_moments(const X* x, int channels, float eps) {
    float total = 0;
    for (int c = lane(); c < channels; c += WARP)
        total += to_float(x[c]);
    const float mean = warp_sum(total) / float(channels);
    float squares = 0;
    for (int c = lane(); c < channels; c += WARP) {
        float d = to_float(x[c]) - mean;
        squares = fmaf(d, d, squares);
    }
    return {mean, rsqrtf(warp_sum(squares) / float(channels) + eps)};
}

} // namespace jmatte
