// The decoder's fusion of a low-resolution map with details, and the matting head.
//
// Upsampling twofold and convolving commute: with G[ky, kx] the products of the low-resolution map L with the nine
// taps (a quarter of the multiplications),
//   conv(up(L))[y, x] = sum over ky, kx of up(G[ky, kx])[y + ky - 1, x + kx - 1],
// where up() weighs two neighbours per axis by 1/4 and 3/4. Fine rows 2i and 2i + 1 need the low rows i - 1, i, i + 1:
//   row 2i      ky 0: 3/4 (i - 1) + 1/4 i    ky 1: 1/4 (i - 1) + 3/4 i    ky 2: 3/4 i + 1/4 (i + 1)
//   row 2i + 1  ky 0: 1/4 (i - 1) + 3/4 i    ky 1: 3/4 i + 1/4 (i + 1)    ky 2: 1/4 i + 3/4 (i + 1)
// and columns alike. For both rows at once and one vector of channels the loop marches along x: it combines the three
// tap columns of a low column vertically (36 FMAs), then four outputs horizontally from those of the last three
// (24 FMAs), all in registers.
#include "simd.h"

#include <math.h>

namespace jmatte {
namespace JMATTE_ISA {
namespace {

/// a / 4 + 3 b / 4 + sum
JMATTE_INLINE Vec blend(Vec a, Vec b, Vec total) { return fma(a, splat(0.25f), fma(b, splat(0.75f), total)); }

/// One low column, combined vertically: [row 2i, row 2i + 1][kx].
struct Column {
    Vec at[2][3];
};

/// g: the products at low row i - 1. Without TOP there is no fine row 2i - 1, without BOTTOM none 2i + 2.
template <bool TOP, bool BOTTOM, class Lanes>
JMATTE_INLINE Column vertical(const float* g, long low_row, long channels, Lanes m) {
    Column v;
#pragma GCC unroll 3
    for (int kx = 0; kx < 3; kx++) {
        const float *above = g + kx * channels, *centre = above + low_row, *below = centre + low_row;
        Vec a0 = load(above, m), a1 = load(above + 3 * channels, m);
        Vec b0 = load(centre, m), b1 = load(centre + 3 * channels, m), b2 = load(centre + 6 * channels, m);
        Vec c1 = load(below + 3 * channels, m), c2 = load(below + 6 * channels, m);
        Vec even = blend(a1, b1, blend(c2, b2, zero())), odd = blend(a0, b0, blend(c1, b1, zero()));
        v.at[0][kx] = TOP ? blend(b0, a0, even) : even;
        v.at[1][kx] = BOTTOM ? blend(b2, c2, odd) : odd;
    }
    return v;
}

/// The fine rows 2i and 2i + 1. All pointers are at the first column and these lanes' channel.
template <bool TOP, bool BOTTOM, class T, class Lanes>
JMATTE_INLINE void fuse_pair(const float* g, long low_row, const float* detail, T* const* out, int x0, int columns,
                             int width, long channels, float slope, Lanes m) {
    Column a = vertical<TOP, BOTTOM>(g, low_row, channels, m);
    Column b = vertical<TOP, BOTTOM>(g + 9 * channels, low_row, channels, m);
    for (int c = 0; c < columns; c += 2) {
        Column d = vertical<TOP, BOTTOM>(g + (c / 2 + 2) * 9 * channels, low_row, channels, m);
#pragma GCC unroll 2
        for (int r = 0; r < 2; r++) {
            const float* add = detail + (r * columns + c) * channels;
            Vec left = blend(a.at[r][1], b.at[r][1], blend(d.at[r][2], b.at[r][2], load(add, m)));
            Vec right = blend(a.at[r][0], b.at[r][0], blend(d.at[r][1], b.at[r][1], load(add + channels, m)));
            if (x0 + c > 0)
                left = blend(b.at[r][0], a.at[r][0], left);
            if (x0 + c + 2 < width)
                right = blend(b.at[r][2], d.at[r][2], right);
            // In this order NaN stays NaN.
            store(out[r] + c * channels, max(splat(slope) * left, left), m);
            store(out[r] + (c + 1) * channels, max(splat(slope) * right, right), m);
        }
        a = b;
        b = d;
    }
}

template <class T>
void fuse(const float* products, const float* detail, int y0, int x0, int rows, int columns, int height, int width,
          int channels, float slope, T* out, int ring) {
    long low_row = (columns / 2 + 2) * 9L * channels;
    for (int r = 0; r < rows; r += 2) {
        int y = y0 + r;
        each_vector(channels, [=](int c, auto m) {
            const float* g = products + r / 2 * low_row + c;
            const float* add = detail + (long)r * columns * channels + c;
            T* const to[] = {out + ((long)(y % ring) * width + x0) * channels + c,
                             out + ((long)((y + 1) % ring) * width + x0) * channels + c};
            bool top = y > 0, bottom = y + 2 < height;
            if (top && bottom)
                fuse_pair<true, true>(g, low_row, add, to, x0, columns, width, channels, slope, m);
            else if (top)
                fuse_pair<true, false>(g, low_row, add, to, x0, columns, width, channels, slope, m);
            else if (bottom)
                fuse_pair<false, true>(g, low_row, add, to, x0, columns, width, channels, slope, m);
            else
                fuse_pair<false, false>(g, low_row, add, to, x0, columns, width, channels, slope, m);
        });
    }
}

// ------------------------------------------------------------------------------------------------ head

constexpr int HIDDEN = 16;

struct Head {
    __m256 weight[2];
    Vec bias;
};

/// The sum of each of eight vectors.
JMATTE_INLINE __m256 sums8(const __m256* v) {
    __m256 low = _mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));
    __m256 high = _mm256_hadd_ps(_mm256_hadd_ps(v[4], v[5]), _mm256_hadd_ps(v[6], v[7]));
    return _mm256_permute2f128_ps(low, high, 0x20) + _mm256_permute2f128_ps(low, high, 0x31);
}

/// The products of eight pixels' hidden vectors with the weight; pixels from n on repeat the last.
JMATTE_INLINE __m256 products8(const float* hidden, int n, const Head& head) {
    __m256 v[8];
    for (int i = 0; i < 8; i++) {
        const float* h = hidden + (i < n ? i : n - 1) * HIDDEN;
        v[i] = _mm256_fmadd_ps(_mm256_loadu_ps(h), head.weight[0], _mm256_loadu_ps(h + 8) * head.weight[1]);
    }
    return sums8(v);
}

/// 1 / (1 + exp(-x)) of n pixels.
JMATTE_INLINE Vec alphas(const float* hidden, int n, const Head& head) {
#ifdef __AVX512F__
    __m256 low = products8(hidden, n, head);
    __m256 high = n > 8 ? products8(hidden + 8 * HIDDEN, n - 8, head) : low;
    Vec x = _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
#else
    Vec x = products8(hidden, n, head);
#endif
    // In this order min() passes NaN on. Beyond 127 exp2 would overflow.
    Vec power = min(splat(127), (x + head.bias) * splat(-1.44269504f));
    return splat(1) / (splat(1) + exp2(power));
}

/// n results to alpha, those of known pixels replaced; how many are NaN.
JMATTE_INLINE int write(float* a, int n, const unsigned char* trimap, void* alpha, long at, int format) {
    if (trimap)
        for (int i = 0; i < n; i++)
            a[i] = trimap[at + i] == 0 ? 0 : trimap[at + i] == 255 ? 1 : a[i];
    int invalid = 0;
    for (int i = 0; i < n; i++)
        invalid += a[i] != a[i];
    // What a NaN becomes as a number does not matter, but the conversion must be defined: 0.
    if (format == 0)
        for (int i = 0; i < n; i++)
            ((uint8_t*)alpha)[at + i] = a[i] > 0 ? (uint8_t)(int)rintf(a[i] * 255) : 0;
    else if (format == 1)
        for (int i = 0; i < n; i++)
            ((uint16_t*)alpha)[at + i] = a[i] > 0 ? (uint16_t)(int)rintf(a[i] * 65535) : 0;
    else
        for (int i = 0; i < n; i++)
            ((float*)alpha)[at + i] = a[i];
    return invalid;
}

// ------------------------------------------------------------------------------------------------ alpha convolution

/// The lanes added up in pairs of halves until eight are left.
JMATTE_INLINE __m256 eight(Vec v) {
#ifdef __AVX512F__
    return _mm512_castps512_ps256(v) + _mm512_extractf32x8_ps(v, 1);
#else
    return v;
#endif
}

/// The nine taps' products with the HIDDEN channels around column x; row[ky] is null where there is none.
template <class T>
JMATTE_INLINE __m256 taps(const T* const* row, const float* weight, int x, int width) {
    Vec part = zero();
    for (int ky = 0; ky < 3; ky++) {
        if (!row[ky])
            continue;
#pragma GCC unroll 3
        for (int kx = 0; kx < 3; kx++) {
            int at = x + kx - 1;
            if (at >= 0 && at < width)
#pragma GCC unroll 2
                for (int c = 0; c < HIDDEN; c += LANES)
                    part = fma(load(row[ky] + (long)at * HIDDEN + c), load(weight + (ky * 3 + kx) * HIDDEN + c), part);
        }
    }
    return eight(part);
}

template <class T>
int convolve_alpha(const T* map, int ring, int height, int width, const float* weight, float bias,
                   const unsigned char* trimap, int y, int x0, int columns, int alpha_width, void* alpha, int format) {
    const T* row[3];
    for (int ky = 0; ky < 3; ky++) {
        int at = y + ky - 1;
        row[ky] = at >= 0 && at < height ? map + (long)(at % ring) * width * HIDDEN : nullptr;
    }
    int invalid = 0;
    for (int c = 0; c < columns; c += 8) {
        int n = columns - c < 8 ? columns - c : 8;
        __m256 v[8];
        for (int i = 0; i < 8; i++)
            v[i] = taps(row, weight, x0 + c + (i < n ? i : n - 1), width);
        __m256 raw = sums8(v) + _mm256_set1_ps(bias);
        // In this order NaN stays NaN.
        __m256 clamped = _mm256_min_ps(_mm256_set1_ps(1), _mm256_max_ps(_mm256_setzero_ps(), raw));
        float a[8];
        _mm256_storeu_ps(a, clamped);
        invalid += write(a, n, trimap, alpha, (long)y * alpha_width + x0 + c, format);
    }
    return invalid;
}

} // namespace

void fuse_upsampled(const float* products, const float* detail, int y0, int x0, int rows, int columns, int height,
                    int width, int channels, float slope, void* out, int type, int ring) {
    if (type == BF16)
        fuse(products, detail, y0, x0, rows, columns, height, width, channels, slope, (bf16*)out, ring);
    else
        fuse(products, detail, y0, x0, rows, columns, height, width, channels, slope, (float*)out, ring);
}

int matting_head(const float* hidden, const float* weight, float bias, const unsigned char* trimap, int y0, int x0,
                 int rows, int columns, int width, void* alpha, int format) {
    Head head = {{_mm256_loadu_ps(weight), _mm256_loadu_ps(weight + 8)}, splat(bias)};
    int invalid = 0;
    for (int r = 0; r < rows; r++) {
        const float* row = hidden + (long)r * columns * HIDDEN;
        long at = (long)(y0 + r) * width + x0;
        for (int c = 0; c < columns; c += LANES) {
            int n = columns - c < LANES ? columns - c : LANES;
            float a[LANES];
            store(a, alphas(row + (long)c * HIDDEN, n, head));
            invalid += write(a, n, trimap, alpha, at + c, format);
        }
    }
    return invalid;
}

int alpha_convolution(const void* map, int type, int ring, int height, int width, const float* weight, float bias,
                      const unsigned char* trimap, int y, int x0, int columns, int alpha_width, void* alpha,
                      int format) {
    return type == BF16 ? convolve_alpha((const bf16*)map, ring, height, width, weight, bias, trimap, y, x0, columns,
                                         alpha_width, alpha, format)
                        : convolve_alpha((const float*)map, ring, height, width, weight, bias, trimap, y, x0, columns,
                                         alpha_width, alpha, format);
}

} // namespace JMATTE_ISA
} // namespace jmatte
