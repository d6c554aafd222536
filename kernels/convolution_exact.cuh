// The convolutions of convolution.cuh in float on the plain FMA units: the exact mode. Device code only.
//
// A block of 128 threads computes 8 x 16 positions and 32 channels, a thread 4 neighbouring positions and 8 channels.
#pragma once

#include "convolution.cuh"

namespace jmatte {

template <int KERNEL_, int STRIDE_>
struct ExactFrame {
    static constexpr int KERNEL = KERNEL_;
    static constexpr int STRIDE = STRIDE_;
    static constexpr int ROWS = 8;
    static constexpr int BLOCK_N = 32;
    static constexpr int CHANNELS = 8; // of a chunk
    static constexpr int TAPS = KERNEL * KERNEL;
    static constexpr int PADDING = KERNEL / 2 * (KERNEL % 2);
    static constexpr int PATCH_ROWS = (ROWS - 1) * STRIDE + KERNEL;
    static constexpr int PATCH_COLUMNS = 15 * STRIDE + KERNEL;
    static constexpr int POSITIONS = PATCH_ROWS * PATCH_COLUMNS;
    static constexpr int MINE = 4; // positions of a thread
    /// Channels of equal n are 4 banks apart, so the eight channels that are written together do not conflict.
    static constexpr int WEIGHT_PITCH = BLOCK_N + 4;

    struct Shared {
        alignas(16) float weights[TAPS][CHANNELS][WEIGHT_PITCH];
        float patch[CHANNELS][POSITIONS];
        long long rows[PATCH_ROWS];
    };
};

template <class F>
JMATTE_DEVICE void load_exact_chunk(const Convolution& p, const OutputTile& tile, int first, typename F::Shared& s) {
    const float* in = static_cast<const float*>(p.in);
    const float* weight = static_cast<const float*>(p.weight);
    const int channel = thread() % F::CHANNELS;
    const bool exists = first + channel < p.cin;
    for (int i = thread() / F::CHANNELS; i < F::POSITIONS; i += CONVOLUTION_THREADS / F::CHANNELS) {
        const int x = tile.x * F::STRIDE - F::PADDING + i % F::PATCH_COLUMNS;
        const long long row = s.rows[i / F::PATCH_COLUMNS];
        const bool inside = exists && row >= 0 && x >= 0 && x < p.in_width;
        s.patch[channel][i] = inside ? in[row + (long long)x * p.in_pitch + first + channel] : 0.0f;
    }
    for (int i = thread() / F::CHANNELS; i < F::BLOCK_N * F::TAPS; i += CONVOLUTION_THREADS / F::CHANNELS) {
        const int n = i % F::BLOCK_N, tap = i / F::BLOCK_N;
        const bool inside = exists && tile.n + n < p.cout;
        s.weights[tap][channel][n] =
            inside ? weight[((long long)(tile.n + n) * F::TAPS + tap) * p.cin + first + channel] : 0.0f;
    }
}

template <class F>
JMATTE_DEVICE void convolve_exactly(const Convolution& p) {
    auto& s = shared<typename F::Shared>();
    const OutputTile tile(p, F::ROWS, F::BLOCK_N);
    if (tile.empty)
        return;
    find_rows<F>(p, tile, s.rows);
    sync_block();

    const int group = thread() / 4; // four positions; the other bits of the thread choose channels
    const int row = group / 4, column = group % 4 * F::MINE;
    const int n = thread() % 4 * 4; // and 16 channels on
    float sums[F::MINE][8] = {};
    for (int first = 0; first < p.cin; first += F::CHANNELS) {
        load_exact_chunk<F>(p, tile, first, s);
        sync_block();
        for (int c = 0; c < F::CHANNELS; c++)
#pragma unroll
            for (int ky = 0; ky < F::KERNEL; ky++) {
                const float* at = &s.patch[c][(row * F::STRIDE + ky) * F::PATCH_COLUMNS + column * F::STRIDE];
#pragma unroll
                for (int kx = 0; kx < F::KERNEL; kx++) {
                    const float* weights = &s.weights[ky * F::KERNEL + kx][c][n];
                    const auto low = *reinterpret_cast<const Pack<float, 4>*>(weights);
                    const auto high = *reinterpret_cast<const Pack<float, 4>*>(weights + 16);
#pragma unroll
                    for (int i = 0; i < F::MINE; i++) {
                        const float v = at[i * F::STRIDE + kx];
#pragma unroll
                        for (int j = 0; j < 4; j++) {
                            sums[i][j] = fmaf(v, low[j], sums[i][j]);
                            sums[i][4 + j] = fmaf(v, high[j], sums[i][4 + j]);
                        }
                    }
                }
            }
        sync_block();
    }

    bool overflown = false;
    const int y = tile.y + row;
    const LeakyRelu act(p.activation, p.slope);
#pragma unroll
    for (int i = 0; i < F::MINE; i++)
#pragma unroll
        for (int j = 0; j < 8; j++) {
            const int x = tile.x + column + i;
            const int channel = tile.n + n + j % 4 + j / 4 * 16;
            if (y < p.y1 && x < p.out_width && channel < p.cout) {
                const float v = act(sums[i][j] + (p.bias != nullptr ? p.bias[channel] : 0.0f));
                overflown |= !(fabsf(v) < OVERFLOW_AT<float>);
                output_row<float>(p, y, x)[channel] = v;
            }
        }
    report_overflow(overflown, p.overflow, p.overflow_bit);
}

} // namespace jmatte
