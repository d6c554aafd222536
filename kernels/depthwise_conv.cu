// Depthwise convolution with square odd kernels, 3x3 to 31x31, of channels-last maps, and what commonly follows it:
//
//     v[y, x]   = bias + sum over the taps of weight[ky * K + kx] * x[y * stride + ky - K/2, x * stride + kx - K/2]
//     out[y, x] = act(v)  or  act((v - mean) / sqrt(variance + eps) * norm_weight + norm_bias), over the channels
//
//   out  [images, rows, ceil(width/stride), C] T       the result's rows from first_row on
//   x    [images, height, width, C] T                  zeros outside
//   weight [K * K, C] fp32;  bias, norm_weight, norm_bias [C] fp32, bias may be null
//   act: 0 none, 1 GELU, 2 leaky ReLU (v > 0 ? v : slope * v)
//
// Accumulation and norm in fp32, the variance from centred values.
//
// | entry points        | K    | stride | C                                   | blocks x, y, z              | threads |
// |---------------------|------|--------|-------------------------------------|-----------------------------|---------|
// | march3, march5      | 3, 5 | 1      | even                                | ceil(width/32), ceil(C/64), | 256     |
// |                     |      |        |                                     | images * ceil(rows/march)   |         |
// | 7                   | 7    | 1      | a multiple of 4                     | ceil(tiles/10), G, images   | 320     |
// | any, stride2        | any  | 1, 2   | any                                 | the same                    | 320     |
// | norm7               | 7    | 1      | a multiple of 4, at most 320        | ceil(tiles/floor(10/G)), 1, | 320     |
// |                     |      |        |                                     | images                      |         |
// | norm, norm_stride2  | any  | 1, 2   | at most 640, and K * 64 G at most 4480 | the same                 | 320     |
//
//   G = ceil(C/64);  tiles = ceil(out width / 8) * ceil(rows / R), R = 2 rows at stride 1, one at stride 2.
//   Shared memory: none for the march, 5 KB for 7, 17 KB for any, 19 KB for norm7, 37 KB for norm.
//
// Phases. march: depthwise_march.cuh. All others: a warp has a tile of 8 x R outputs and 64 channels, two a lane. The
// weights come through shared memory one kernel row at a time, the next row being loaded meanwhile; an output row takes
// 8 + K - 1 columns of an input row for 8 K multiply-adds a channel. With a norm, a block has all channels of its
// tiles: 16 sums at a time go through a warp by halves (16 shuffles), then over the warps through shared memory.
//
// Wrong choice: kernels past about 13x13 on large maps, where a transform would take fewer multiplications.
#include "depthwise_march.cuh"

namespace jmatte {

struct DepthwiseConv {
    void* out;
    const void* x;
    const float* weight;
    const float* bias;
    const float* norm_weight;
    const float* norm_bias;
    int height;
    int width;
    int channels;
    int kernel;
    int first_row;
    int rows;
    int march; // output rows of a block of the march
    int activation;
    float slope;
    float eps;
};

enum Activation { NONE, GELU, LEAKY_RELU };

JMATTE_DEVICE float activate(float v, const DepthwiseConv& p) {
    if (p.activation == GELU)
        return gelu(v);
    return p.activation == LEAKY_RELU && v < 0 ? v * p.slope : v;
}

// ---------------------------------------------------------------- 3x3 and 5x5

template <class T, int K>
JMATTE_DEVICE void march_rows(const DepthwiseConv& p) {
    const int blocks = ceil_div(p.rows, p.march);
    const int image = block_z() / blocks, top = block_z() % blocks * p.march;
    const int rows = p.rows - top < p.march ? p.rows - top : p.march;
    const int x0 = block_x() * MARCH_BLOCK_COLUMNS + warp() * MARCH_COLUMNS;
    const int c = block_y() * MARCH_CHANNELS + 2 * lane();
    if (x0 >= p.width || c >= p.channels)
        return;
    const long long at = (long long)image * p.height * p.width * p.channels;
    const MarchMap<T> map = {static_cast<const T*>(p.x) + at, p.height, p.height, p.width, p.channels};
    const long long above = (long long)image * p.rows - p.first_row;
    T* first = static_cast<T*>(p.out) + (above * p.width + x0) * p.channels + c;
    march<T, K>(map, p.weight, p.bias, c, x0, p.first_row + top, rows, [&](int y, const float(&sum)[MARCH_COLUMNS][2]) {
        T* out = first + (long long)y * p.width * p.channels;
#pragma unroll
        for (int column = 0; column < MARCH_COLUMNS; column++)
            if (x0 + column < p.width) {
                Pack<T, 2> v = {from_float<T>(activate(sum[column][0], p)), from_float<T>(activate(sum[column][1], p))};
                *reinterpret_cast<Pack<T, 2>*>(out + column * p.channels) = v;
            }
    });
}

// ---------------------------------------------------------------- tiles

constexpr int TILE_WARPS = 10;
constexpr int TILE_THREADS = TILE_WARPS * WARP;
constexpr int COLUMNS = 8;
constexpr int CHANNELS = 2 * WARP;

/// W weights in each of two kernel rows.
template <int W>
struct TileShared {
    float weight[2][W];
    float sum[TILE_WARPS][16];
    float total[TILE_WARPS][16]; // of a tile: its sums over all channels
};

/// Two channels of a pixel; the second may not exist, or the pair not be aligned, where their number is odd.
template <class T>
JMATTE_DEVICE Pack<float, 2> load_pair(const T* from, bool even, bool second) {
    Pack<float, 2> v = {};
    if (even) {
        auto in = *reinterpret_cast<const Pack<T, 2>*>(from);
        v[0] = to_float(in[0]);
        v[1] = to_float(in[1]);
    } else {
        v[0] = to_float(from[0]);
        if (second)
            v[1] = to_float(from[1]);
    }
    return v;
}

/// v[i] summed over the warp's lanes, P of them together; lane l gets the sum of i = l / (32 / P). MASK is the warp's
/// half, a quarter, ...
template <int MASK = WARP / 2, int P>
JMATTE_DEVICE float warp_sums(float (&v)[P]) {
    if constexpr (P == 1) {
        float sum = v[0];
#pragma unroll
        for (int mask = MASK; mask > 0; mask /= 2)
            sum += shuffle_xor(sum, mask);
        return sum;
    } else {
        const bool upper = lane() & MASK;
        float halved[P / 2];
#pragma unroll
        for (int i = 0; i < P / 2; i++) {
            const float mine = upper ? v[i + P / 2] : v[i], other = upper ? v[i] : v[i + P / 2];
            halved[i] = mine + shuffle_xor(other, MASK);
        }
        return warp_sums<MASK / 2>(halved);
    }
}

/// K: the kernel's size where it is known, else 0. S: stride. W: weights of a kernel row that fit shared memory.
template <class T, int K, int S, bool NORM, int W>
JMATTE_DEVICE void convolve_tiles(const DepthwiseConv& p) {
    constexpr int CHUNK = K ? K : 8; // taps of a kernel row at a time
    constexpr int ROWS = S == 1 ? 2 : 1;
    constexpr int PIXELS = ROWS * COLUMNS;
    constexpr int INPUTS = (COLUMNS - 1) * S + CHUNK;
    constexpr int STAGED = ceil_div(W / 4, TILE_THREADS); // packs of weights that a thread loads ahead
    using Weights = Pack<float, 4>;
    auto& s = shared<TileShared<W>>();

    const int size = K ? K : p.kernel, reach = size / 2;
    const int out_width = ceil_div(p.width, S);
    const int groups = NORM ? ceil_div(p.channels, CHANNELS) : 1;
    const int tiles_x = ceil_div(out_width, COLUMNS), tiles = TILE_WARPS / groups;
    const int first_channel = NORM ? 0 : block_y() * CHANNELS;
    const int group = warp() % groups;
    const int tile = block_x() * tiles + warp() / groups;
    const int x0 = tile % tiles_x * COLUMNS, y0 = tile / tiles_x * ROWS;
    const int c = first_channel + group * CHANNELS + 2 * lane();
    const bool even = K || p.channels % 2 == 0, second = K || c + 1 < p.channels;
    const bool active = warp() < tiles * groups && y0 < p.rows && c < p.channels;
    const T* x = static_cast<const T*>(p.x) + (long long)block_z() * p.height * p.width * p.channels + c;

    // The weights of a kernel row, [size][groups * 64 channels], four channels a pack. Where copies run beside
    // computation they need no registers on their way; the channels are then a multiple of four.
    constexpr bool COPIED = K && ASYNC_COPIES;
    const int row_packs = groups * CHANNELS / 4, packs = size * row_packs;
    Weights staged[COPIED ? 1 : STAGED];
    auto load_weights = [&](int ky) {
#pragma unroll
        for (int i = 0; i < STAGED; i++) {
            const int at = thread() + i * TILE_THREADS;
            const int channel = first_channel + at % row_packs * 4;
            const float* from = p.weight + (ky * size + at / row_packs) * (long long)p.channels + channel;
            if constexpr (COPIED) {
                const bool there = channel < p.channels;
                if (at < packs)
                    copy_async(reinterpret_cast<Weights*>(s.weight[ky % 2]) + at, there ? from : p.weight, there);
            } else {
                staged[i] = {};
                if (at >= packs)
                    continue;
                if ((K || p.channels % 4 == 0) && channel < p.channels)
                    staged[i] = *reinterpret_cast<const Weights*>(from);
                else if (!K)
#pragma unroll
                    for (int k = 0; k < 4; k++)
                        if (channel + k < p.channels)
                            staged[i][k] = from[k];
            }
        }
        commit_async();
    };
    auto store_weights = [&](int ky) {
        if constexpr (COPIED) {
            wait_async<0>();
        } else {
#pragma unroll
            for (int i = 0; i < STAGED; i++) {
                const int at = thread() + i * TILE_THREADS;
                if (at < packs)
                    reinterpret_cast<Weights*>(s.weight[ky % 2])[at] = staged[i];
            }
        }
    };

    float sum[ROWS][COLUMNS][2] = {};
    load_weights(0);
    store_weights(0);
    sync_block();
#pragma unroll 1
    for (int ky = 0; ky < size; ky++) {
        if (ky + 1 < size)
            load_weights(ky + 1);
        if (active) {
            const float* weight = s.weight[ky % 2] + group * CHANNELS + 2 * lane();
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                const int y = (y0 + r) * S + ky - reach + p.first_row * S;
                if (unsigned(y) >= unsigned(p.height)) // or negative
                    continue;
                for (int kx0 = 0; kx0 < size; kx0 += CHUNK) {
                    const int left = x0 * S + kx0 - reach;
                    const T* from = x + ((long long)y * p.width + left) * p.channels;
                    Pack<float, 2> in[INPUTS];
#pragma unroll
                    for (int j = 0; j < INPUTS; j++) {
                        in[j] = {};
                        if (unsigned(left + j) < unsigned(p.width))
                            in[j] = load_pair(from, even, second);
                        from += p.channels;
                    }
#pragma unroll
                    for (int kx = 0; kx < CHUNK; kx++)
                        if (K || kx0 + kx < size) {
                            const auto w =
                                *reinterpret_cast<const Pack<float, 2>*>(weight + (kx0 + kx) * groups * CHANNELS);
#pragma unroll
                            for (int column = 0; column < COLUMNS; column++)
#pragma unroll
                                for (int h = 0; h < 2; h++)
                                    sum[r][column][h] = fmaf(in[column * S + kx][h], w[h], sum[r][column][h]);
                        }
                }
            }
        }
        if (ky + 1 < size)
            store_weights(ky + 1);
        sync_block();
    }

    if (active && p.bias) {
        const auto bias = load_pair(p.bias + c, even, second);
#pragma unroll
        for (int i = 0; i < PIXELS; i++)
#pragma unroll
            for (int h = 0; h < 2; h++)
                sum[i / COLUMNS][i % COLUMNS][h] += bias[h];
    }
    Pack<float, 2> scale = {1, 1}, shift = {};
    if constexpr (NORM) {
        // Twice: the mean, and the mean of the centred squares.
        for (int pass = 0; pass < 2; pass++) {
            float part[PIXELS];
#pragma unroll
            for (int i = 0; i < PIXELS; i++) {
                const float a = sum[i / COLUMNS][i % COLUMNS][0], b = sum[i / COLUMNS][i % COLUMNS][1];
                part[i] = !active ? 0 : pass == 0 ? a + (second ? b : 0) : fmaf(a, a, second ? b * b : 0);
            }
            const float part_sum = warp_sums(part);
            if (lane() % (WARP / PIXELS) == 0)
                s.sum[warp()][lane() / (WARP / PIXELS)] = part_sum;
            sync_block();
            if (thread() < tiles * PIXELS) {
                float all = 0;
                for (int g = 0; g < groups; g++)
                    all += s.sum[thread() / PIXELS * groups + g][thread() % PIXELS];
                s.total[thread() / PIXELS][thread() % PIXELS] = all / float(p.channels);
            }
            sync_block();
            if (active)
#pragma unroll
                for (int i = 0; i < PIXELS; i++) {
                    const float total = s.total[warp() / groups][i];
                    const float factor = pass == 0 ? 1 : rsqrtf(total + p.eps);
#pragma unroll
                    for (int h = 0; h < 2; h++) {
                        float& v = sum[i / COLUMNS][i % COLUMNS][h];
                        v = pass == 0 ? v - total : v * factor;
                    }
                }
        }
        if (active) {
            scale = load_pair(p.norm_weight + c, even, second);
            shift = load_pair(p.norm_bias + c, even, second);
        }
    }
    if (!active)
        return;
    T* out = static_cast<T*>(p.out) + (long long)block_z() * p.rows * out_width * p.channels + c;
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int column = 0; column < COLUMNS; column++) {
            if (y0 + r >= p.rows || x0 + column >= out_width)
                continue;
            Pack<T, 2> v;
#pragma unroll
            for (int h = 0; h < 2; h++) {
                float u = sum[r][column][h];
                if constexpr (NORM)
                    u = fmaf(u, scale[h], shift[h]);
                v[h] = from_float<T>(activate(u, p));
            }
            T* to = out + ((long long)(y0 + r) * out_width + x0 + column) * p.channels;
            if (even) {
                *reinterpret_cast<Pack<T, 2>*>(to) = v;
            } else {
                to[0] = v[0];
                if (second)
                    to[1] = v[1];
            }
        }
}

// ---------------------------------------------------------------- entry points

/// Weights of a kernel row: 64 channels of 7 and of the largest kernel; all channels of 7, and of any.
constexpr int WEIGHTS_7 = 7 * CHANNELS, WEIGHTS = 31 * CHANNELS;
constexpr int NORM_WEIGHTS_7 = 7 * 320, NORM_WEIGHTS = 4480;

#define JMATTE_DEPTHWISE(type, T)                                                                                      \
    JMATTE_KERNEL_BLOCKS(depthwise_conv_march3_##type, DepthwiseConv, MARCH_THREADS, 0, MARCH_BLOCKS) {                \
        march_rows<T, 3>(p);                                                                                           \
    }                                                                                                                  \
    JMATTE_KERNEL_BLOCKS(depthwise_conv_march5_##type, DepthwiseConv, MARCH_THREADS, 0, MARCH_BLOCKS) {                \
        march_rows<T, 5>(p);                                                                                           \
    }                                                                                                                  \
    JMATTE_KERNEL_BLOCKS(depthwise_conv_7_##type, DepthwiseConv, TILE_THREADS, sizeof(TileShared<WEIGHTS_7>), 2) {     \
        convolve_tiles<T, 7, 1, false, WEIGHTS_7>(p);                                                                  \
    }                                                                                                                  \
    JMATTE_KERNEL_BLOCKS(depthwise_conv_norm7_##type, DepthwiseConv, TILE_THREADS, sizeof(TileShared<NORM_WEIGHTS_7>), \
                         2) {                                                                                          \
        convolve_tiles<T, 7, 1, true, NORM_WEIGHTS_7>(p);                                                              \
    }                                                                                                                  \
    JMATTE_KERNEL(depthwise_conv_any_##type, DepthwiseConv, TILE_THREADS, sizeof(TileShared<WEIGHTS>)) {               \
        convolve_tiles<T, 0, 1, false, WEIGHTS>(p);                                                                    \
    }                                                                                                                  \
    JMATTE_KERNEL(depthwise_conv_stride2_##type, DepthwiseConv, TILE_THREADS, sizeof(TileShared<WEIGHTS>)) {           \
        convolve_tiles<T, 0, 2, false, WEIGHTS>(p);                                                                    \
    }                                                                                                                  \
    JMATTE_KERNEL(depthwise_conv_norm_##type, DepthwiseConv, TILE_THREADS, sizeof(TileShared<NORM_WEIGHTS>)) {         \
        convolve_tiles<T, 0, 1, true, NORM_WEIGHTS>(p);                                                                \
    }                                                                                                                  \
    JMATTE_KERNEL(depthwise_conv_norm_stride2_##type, DepthwiseConv, TILE_THREADS, sizeof(TileShared<NORM_WEIGHTS>)) { \
        convolve_tiles<T, 0, 2, true, NORM_WEIGHTS>(p);                                                                \
    }

JMATTE_DEPTHWISE(fp32, float)
JMATTE_DEPTHWISE(fp16, half)
JMATTE_DEPTHWISE(bf16, bfloat)

} // namespace jmatte
