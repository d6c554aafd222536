// 3x3 convolution with zero padding 1 and stride 1 or 2, with bias, norm and activation:
//
//     out[y, x, n] = act(norm(bias[n] + sum over ky, kx, c of in[s y + ky - 1, s x + kx - 1, c] weight[n, ky, kx, c]))
//
//   out     [ring, out_width, pitch] T   rows y0 to y1 - 1, or listed blocks of 32 columns of them
//   in      [ring, in_width, pitch]  T   NHWC; of both maps row y lies in slot y % ring, and `pitch` elements lie
//                                        between neighbouring positions, so that a map may be part of a wider one
//   weight  [cout, 9, cin]           T   batch norm folded in
//   bias    [cout]                   fp32, or null: zeros
//   norm_weight, norm_bias [cout]    fp32: layer norm over the channels of a position, before act; only conv3x3_norm
//   act: identity, leaky ReLU (slope 0: ReLU), with a norm also GELU
// and the same of a photo's four planes (photo.cuh) that are made on the way in, weight [cout, 9, 4]: conv3x3_photo.
//
// T is half or bfloat (sm_80 on) on the matrix units, or float on the FMA units; sums, norm and act are in fp32, the
// result is rounded once. Any number of channels; 16-byte accesses where channels, pitches and addresses allow.
//
// Launch: 128 threads; grid x = (16-column tiles: two for each block of 32) * ceil(cout / N), tiles of n fastest so
// that a patch comes from DRAM once; grid y = ceil((y1 - y0) / rows).
//
//     kernel           stride  rows  N     for
//     conv3x3_n64      1       8     64    cout from 64 on: 128 positions x 64 channels
//     conv3x3_n48      1       8     48    cout 48, 96, 144
//     conv3x3_n32      1       16    32    cout to 32
//     conv3x3_n16      1       16    16    cout to 16
//     conv3x3_norm     1       4     192   cout to 192, with the norm, for which a block has all channels
//     conv3x3_stride2  2       4     96
//     conv3x3_stride2_norm 2   4     96    cout to 96
//     conv3x3_photo    1, 2    16    48    16 x 16 positions
//     conv3x3_fp32, conv3x3_stride2_fp32   8     32
//     conv3x3_photo_fp32       8     48
//
// Phases: see convolution.cuh; two stages of the weights and patches are 32 KB at most on sm_75, so two blocks share an
// SM; later cards have three stages.
//
// The wrong choice: kernels of 1x1 (a plain matrix product), cout of a few channels (most of an mma is then padding,
// which costs nothing where memory is the limit), the norm in fp32 (a separate layer norm is as exact).
#include "convolution_exact.cuh"
#include "photo.cuh"

namespace jmatte {

using Conv64 = Frame<3, 1, 8, 64, 2, 32, false>;
using Conv48 = Frame<3, 1, 8, 48, 4, 32, false>;
/// Few output channels: more positions, so that weights are worth their way; chunks of 16 keep two patches in 21 KB.
using Conv32 = Frame<3, 1, 16, 32, 4, 16, false>;
using Conv16 = Frame<3, 1, 16, 16, 4, 16, false>;
/// 64 positions x all channels: 96 accumulators a lane.
using ConvNorm = Frame<3, 1, 4, 192, 1, 16, true>;
/// A stride-2 patch has four times the positions: 64 outputs need 9 x 33.
using ConvStride2 = Frame<3, 2, 4, 96, 2, 16, false>;
using ConvStride2Norm = Frame<3, 2, 4, 96, 2, 16, true>;

using Conv = ExactFrame<3, 1>;
using ConvStride2Exact = ExactFrame<3, 2>;

// ---------------------------------------------------------------- from the photo

struct PhotoConvolution {
    Photo photo;
    void* out;
    const void* weight;
    const float* bias;
    const int* columns;
    unsigned* overflow;
    int out_height, out_width, out_ring, out_pitch;
    int y0, y1;
    int column_count;
    int cout;
    int stride;
    int activation;
    float slope;
    unsigned overflow_bit;
};

/// 16 columns and PHOTO_ROWS rows of the output; the patch has room for stride 2.
constexpr int PHOTO_N = 48;
constexpr int PHOTO_COLUMNS = 33;

template <class T, int ROWS>
struct PhotoShared {
    static constexpr int PITCH = (PHOTO_N / 8 | 1) * CHUNK;
    Pack<T, 4> patch[(2 * ROWS + 1) * PHOTO_COLUMNS];
    alignas(16) unsigned short strips[CONVOLUTION_THREADS / WARP][16 * PITCH];
};

JMATTE_DEVICE Convolution plain(const PhotoConvolution& p) {
    Convolution c{};
    c.out = p.out;
    c.bias = p.bias;
    c.columns = p.columns;
    c.out_width = p.out_width;
    c.out_ring = p.out_ring;
    c.out_pitch = p.out_pitch;
    c.y0 = p.y0;
    c.y1 = p.y1;
    c.cout = p.cout;
    return c;
}

/// A warp takes four rows of the tile, one m16 tile each; its B stays in registers (30 or 36).
template <class T>
JMATTE_DEVICE void convolve_photo(const PhotoConvolution& p) {
    if constexpr (HAS_MMA<T>) {
        constexpr int ROWS = 16, NT = PHOTO_N / 8;
        auto& s = shared<PhotoShared<T, ROWS>>();
        const Convolution c = plain(p);
        const OutputTile tile(c, ROWS, PHOTO_N);
        if (tile.empty)
            return;
        const int rows = (ROWS - 1) * p.stride + 3;
        load_photo<T, PHOTO_COLUMNS>(p.photo, tile.y * p.stride - 1, tile.x * p.stride - 1, rows * PHOTO_COLUMNS,
                                     CONVOLUTION_THREADS, s.patch);
        const PhotoFragments<T, PHOTO_COLUMNS> fragments;
        unsigned b[PHOTO_STEPS][NT][B_REGISTERS];
        fragments.load_b(b, static_cast<const T*>(p.weight), tile.n, p.cout);
        sync_block();

        const LeakyRelu act(p.activation, p.slope);
        bool overflown = false;
        const bool wide = aligned16(p.out) && p.out_pitch % CHUNK == 0;
        for (int row = warp(); row < ROWS && tile.y + row < p.y1; row += CONVOLUTION_THREADS / WARP) {
            float sums[1][NT][4] = {};
            const Pack<T, 4>* low = s.patch + (row * PHOTO_COLUMNS + lane() / 4) * p.stride;
#pragma unroll
            for (int step = 0; step < PHOTO_STEPS; step++) {
                unsigned a[1][A_REGISTERS];
                fragments.load_a(a, low, low + 8 * p.stride, step);
                mma_tile<T>(sums, a, b[step]);
            }
#pragma unroll
            for (int n = 0; n < NT; n++)
#pragma unroll
                for (int j = 0; j < 2; j++) {
                    const int channel = tile.n + n * 8 + lane() % 4 * 2 + j;
                    const float bias = p.bias != nullptr && channel < p.cout ? p.bias[channel] : 0.0f;
#pragma unroll
                    for (int i = 0; i < 2; i++) {
                        float& v = sums[0][n][2 * i + j];
                        v = act(v + bias);
                        overflown |= channel < p.cout && !(fabsf(v) < OVERFLOW_AT<T>);
                    }
                }
            store_row<T, NT, PhotoShared<T, ROWS>::PITCH>(output_row<T>(c, tile.y + row, tile.x) + tile.n, p.out_pitch,
                                                          p.out_width - tile.x, p.cout - tile.n, wide, sums[0],
                                                          s.strips[warp()]);
        }
        report_overflow(overflown, p.overflow, p.overflow_bit);
    }
}

/// A thread takes one position.
struct ExactPhotoShared {
    Pack<float, 4> weights[PHOTO_N][9];
    Pack<float, 4> patch[17 * PHOTO_COLUMNS];
};

JMATTE_DEVICE void convolve_photo_exactly(const PhotoConvolution& p) {
    constexpr int ROWS = 8;
    auto& s = shared<ExactPhotoShared>();
    const Convolution c = plain(p);
    const OutputTile tile(c, ROWS, PHOTO_N);
    if (tile.empty)
        return;
    const int rows = (ROWS - 1) * p.stride + 3;
    load_photo<float, PHOTO_COLUMNS>(p.photo, tile.y * p.stride - 1, tile.x * p.stride - 1, rows * PHOTO_COLUMNS,
                                     CONVOLUTION_THREADS, s.patch);
    const float* weight = static_cast<const float*>(p.weight) + (long long)tile.n * PHOTO_K;
    const int count = p.cout - tile.n < PHOTO_N ? p.cout - tile.n : PHOTO_N;
    for (int i = thread(); i < count * PHOTO_K; i += CONVOLUTION_THREADS)
        s.weights[i / PHOTO_K][i % PHOTO_K / 4][i % 4] = weight[i];
    sync_block();

    const int row = thread() / 16, column = thread() % 16;
    const int y = tile.y + row, x = tile.x + column;
    bool overflown = false;
    if (y < p.y1 && x < p.out_width) {
        Pack<float, 4> in[9];
#pragma unroll
        for (int tap = 0; tap < 9; tap++)
            in[tap] = s.patch[(row * p.stride + tap / 3) * PHOTO_COLUMNS + column * p.stride + tap % 3];
        float* out = output_row<float>(c, y, x) + tile.n;
        const LeakyRelu act(p.activation, p.slope);
        for (int n = 0; n < count; n++) {
            float sum = p.bias != nullptr ? p.bias[tile.n + n] : 0.0f;
#pragma unroll
            for (int tap = 0; tap < 9; tap++)
#pragma unroll
                for (int i = 0; i < 4; i++)
                    sum = fmaf(in[tap][i], s.weights[n][tap][i], sum);
            const float v = act(sum);
            overflown |= !(fabsf(v) < OVERFLOW_AT<float>);
            out[n] = v;
        }
    }
    report_overflow(overflown, p.overflow, p.overflow_bit);
}

} // namespace jmatte

// ---------------------------------------------------------------- entry points

using namespace jmatte;

#define CONV3X3(name, F, suffix, T)                                                                                    \
    JMATTE_KERNEL(conv3x3_##name##_##suffix, Convolution, CONVOLUTION_THREADS, sizeof(F::Shared)) { convolve<T, F>(p); }
#define CONV3X3_ALL(suffix, T)                                                                                         \
    CONV3X3(n64, Conv64, suffix, T)                                                                                    \
    CONV3X3(n48, Conv48, suffix, T)                                                                                    \
    CONV3X3(n32, Conv32, suffix, T)                                                                                    \
    CONV3X3(n16, Conv16, suffix, T)                                                                                    \
    CONV3X3(norm, ConvNorm, suffix, T)                                                                                 \
    CONV3X3(stride2, ConvStride2, suffix, T)                                                                           \
    CONV3X3(stride2_norm, ConvStride2Norm, suffix, T)                                                                  \
    JMATTE_KERNEL(conv3x3_photo_##suffix, PhotoConvolution, CONVOLUTION_THREADS, sizeof(PhotoShared<T, 16>)) {         \
        convolve_photo<T>(p);                                                                                          \
    }

CONV3X3_ALL(fp16, half)
CONV3X3_ALL(bf16, bfloat)

JMATTE_KERNEL(conv3x3_fp32, Convolution, CONVOLUTION_THREADS, sizeof(Conv::Shared)) { convolve_exactly<Conv>(p); }
JMATTE_KERNEL(conv3x3_stride2_fp32, Convolution, CONVOLUTION_THREADS, sizeof(ConvStride2Exact::Shared)) {
    convolve_exactly<ConvStride2Exact>(p);
}
JMATTE_KERNEL(conv3x3_photo_fp32, PhotoConvolution, CONVOLUTION_THREADS, sizeof(ExactPhotoShared)) {
    convolve_photo_exactly(p);
}
