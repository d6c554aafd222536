// Depthwise convolution with small kernels (3x3, 5x5), stride 1: a warp marches down the rows of a map with the weights
// in registers. Included by depthwise_conv.cu and ltrm.cu.
//
// A lane has two neighbouring channels, so a warp reads 128 bytes (16-bit types) of a pixel; it computes 4 columns.
// Each input row goes into the K output rows that it reaches, whose sums are in registers, so an input value is loaded
// once per warp: 5x5 takes 8 loads for 200 multiply-adds and 128 registers.
#pragma once

#include "device.cuh"

namespace jmatte {

constexpr int MARCH_COLUMNS = 4;
/// A block: 8 neighbouring groups of 4 columns, the same 64 channels.
constexpr int MARCH_THREADS = 256;
/// Blocks at a time on a multiprocessor: 128 registers.
constexpr int MARCH_BLOCKS = 2;
constexpr int MARCH_WARPS = MARCH_THREADS / WARP;
constexpr int MARCH_BLOCK_COLUMNS = MARCH_WARPS * MARCH_COLUMNS;
constexpr int MARCH_CHANNELS = 2 * WARP;

/// A map [height, width, channels] of which row y lies at slot y % ring; rows outside are zeros. Channels are even.
template <class T>
struct MarchMap {
    const T* data;
    int ring;
    int height;
    int width;
    int channels;
};

/// Output rows y0 to y0 + rows - 1 of the columns x0 to x0 + 3 and channels c, c + 1; emit(row, sums[column][channel])
/// gets each. Weights are [K * K, channels], bias may be null.
template <class T, int K, class Emit>
JMATTE_DEVICE void march(const MarchMap<T>& map, const float* weight, const float* bias, int c, int x0, int y0,
                         int rows, Emit emit) {
    constexpr int REACH = K / 2;
    constexpr int INPUTS = MARCH_COLUMNS + K - 1;
    using Pair = Pack<float, 2>;
    Pair w[K * K], start = {};
    if (bias)
        start = *reinterpret_cast<const Pair*>(bias + c);
#pragma unroll
    for (int k = 0; k < K * K; k++)
        w[k] = *reinterpret_cast<const Pair*>(weight + (long long)k * map.channels + c);

    const int first = y0 - REACH, total = rows + K - 1;
    int slot = first < 0 ? 0 : first % map.ring;
    float sum[K][MARCH_COLUMNS][2]; // of output row o, counted from y0, at o % K
    for (int i = 0; i < total; i += K) {
#pragma unroll
        for (int k = 0; k < K; k++) { // unrolled, so that the indices of `sum` are constants
            const int y = first + i + k, o = i + k - (K - 1);
            if (i + k < total) {
#pragma unroll
                for (int column = 0; column < MARCH_COLUMNS; column++) {
                    sum[k][column][0] = start[0];
                    sum[k][column][1] = start[1];
                }
                if (y >= 0 && y < map.height) {
                    const T* row = map.data + ((long long)slot * map.width + x0 - REACH) * map.channels + c;
                    slot = slot + 1 == map.ring ? 0 : slot + 1;
                    Pack<T, 2> in[INPUTS]; // as stored: half the registers of floats
#pragma unroll
                    for (int j = 0; j < INPUTS; j++) {
                        int x = x0 - REACH + j;
                        in[j] = {};
                        if (x >= 0 && x < map.width)
                            in[j] = *reinterpret_cast<const Pack<T, 2>*>(row);
                        row += map.channels;
                    }
#pragma unroll
                    for (int j = 0; j < INPUTS; j++)
#pragma unroll
                        for (int h = 0; h < 2; h++) {
                            const float v = to_float(in[j][h]);
#pragma unroll
                            for (int column = 0; column < MARCH_COLUMNS; column++)
#pragma unroll
                                for (int ky = 0; ky < K; ky++) {
                                    const int kx = j - column;
                                    float& s = sum[(k - ky + K) % K][column][h];
                                    if (kx >= 0 && kx < K)
                                        s = fmaf(v, w[ky * K + kx][h], s);
                                }
                        }
                }
                if (o >= 0)
                    emit(y0 + o, sum[(k + 1) % K]);
            }
        }
    }
}

} // namespace jmatte
