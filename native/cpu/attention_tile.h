// What both attention kernels are made of: softmax(q k' / 8 + bias) v for a block of queries and a tile of keys.
//
// Everything is transposed: a query is a *lane*, so maxima, sums and biases are plain vector arithmetic, and the keys'
// rows are read element by element (broadcast), so that k and v need no transposing. A block is SPAN queries =
// three vectors; a register tile of ROWS x 3 vectors of sums takes 24 of AVX-512's 32 registers, 12 of AVX2's 16.
//   scores [keys][SPAN] = k [keys][64] * q' [64][SPAN],   output [64][SPAN] += v' [64][keys] * weights [keys][SPAN]
//
// Operands are 32-bit words. With PAIRS a word is two bf16 that the dot-product instruction multiplies and adds at
// once: neighbours in depth for q and k, neighbouring keys for v and the weights. Sums are always fp32.
#pragma once

#include "simd.h"

namespace jmatte {
namespace JMATTE_ISA {
namespace {

#ifdef __AVX512BF16__
constexpr bool HAS_PAIRS = true;
#else
constexpr bool HAS_PAIRS = false;
#endif

constexpr int DEPTH = 64;             // channels of a head
constexpr int SPAN = 3 * LANES;       // queries of a block
constexpr int ROWS = LANES / 2;       // keys, or channels of v, of a register tile
constexpr float SCALE = 0.125f;       // of q k'
constexpr float LOG2_E = 1.44269504f; // exp(x) = exp2(x log2 e)

/// Words in a row of q or k.
constexpr int words(bool pairs) { return pairs ? DEPTH / 2 : DEPTH; }

template <bool PAIRS>
JMATTE_INLINE Vec multiply_add(Vec a, Vec b, Vec c) {
#ifdef __AVX512BF16__
    if constexpr (PAIRS)
        return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b);
#endif
    return fma(a, b, c);
}

/// sums[r][v] = sum over steps of a[r * ROW + step * STEP] * b[step][v]
template <bool PAIRS, int R, int V, int ROW, int STEP>
JMATTE_INLINE void multiply(const float* a, const float* b, int steps, Vec (&sums)[R][V]) {
#pragma GCC unroll 8
    for (int r = 0; r < R; r++)
#pragma GCC unroll 3
        for (int v = 0; v < V; v++)
            sums[r][v] = zero();
    for (int step = 0; step < steps; step++, a += STEP, b += SPAN) {
        Vec column[V];
#pragma GCC unroll 3
        for (int v = 0; v < V; v++)
            column[v] = load(b + v * LANES);
#pragma GCC unroll 8
        for (int r = 0; r < R; r++) {
            Vec element = splat(a[r * ROW]);
#pragma GCC unroll 3
            for (int v = 0; v < V; v++)
                sums[r][v] = multiply_add<PAIRS>(element, column[v], sums[r][v]);
        }
    }
}

#ifdef __AVX512F__

JMATTE_INLINE void transpose(Vec (&t)[16]) {
    Vec u[16];
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
        u[i] = _mm512_unpacklo_ps(t[i], t[i + 1]);
        u[i + 1] = _mm512_unpackhi_ps(t[i], t[i + 1]);
    }
    // t[4 i + j]: column j of each 128-bit lane's four columns, rows 4 i to 4 i + 3
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        t[i] = (Vec)_mm512_unpacklo_pd((__m512d)u[i], (__m512d)u[i + 2]);
        t[i + 1] = (Vec)_mm512_unpackhi_pd((__m512d)u[i], (__m512d)u[i + 2]);
        t[i + 2] = (Vec)_mm512_unpacklo_pd((__m512d)u[i + 1], (__m512d)u[i + 3]);
        t[i + 3] = (Vec)_mm512_unpackhi_pd((__m512d)u[i + 1], (__m512d)u[i + 3]);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        Vec even01 = _mm512_shuffle_f32x4(t[j], t[j + 4], 0x88), odd01 = _mm512_shuffle_f32x4(t[j], t[j + 4], 0xdd);
        Vec even23 = _mm512_shuffle_f32x4(t[j + 8], t[j + 12], 0x88);
        Vec odd23 = _mm512_shuffle_f32x4(t[j + 8], t[j + 12], 0xdd);
        u[j] = _mm512_shuffle_f32x4(even01, even23, 0x88);
        u[j + 4] = _mm512_shuffle_f32x4(odd01, odd23, 0x88);
        u[j + 8] = _mm512_shuffle_f32x4(even01, even23, 0xdd);
        u[j + 12] = _mm512_shuffle_f32x4(odd01, odd23, 0xdd);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
        t[i] = u[i];
}

#else

JMATTE_INLINE void transpose(Vec (&t)[8]) {
    Vec u[8];
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
        u[i] = _mm256_unpacklo_ps(t[i], t[i + 1]);
        u[i + 1] = _mm256_unpackhi_ps(t[i], t[i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
        t[i] = (Vec)_mm256_unpacklo_pd((__m256d)u[i], (__m256d)u[i + 2]);
        t[i + 1] = (Vec)_mm256_unpackhi_pd((__m256d)u[i], (__m256d)u[i + 2]);
        t[i + 2] = (Vec)_mm256_unpacklo_pd((__m256d)u[i + 1], (__m256d)u[i + 3]);
        t[i + 3] = (Vec)_mm256_unpackhi_pd((__m256d)u[i + 1], (__m256d)u[i + 3]);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        Vec low = t[j], high = t[j + 4];
        t[j] = _mm256_permute2f128_ps(low, high, 0x20);
        t[j + 4] = _mm256_permute2f128_ps(low, high, 0x31);
    }
}

#endif

/// LANES words of a row of q or k.
template <bool PAIRS>
JMATTE_INLINE Vec load_words(const float* row, int word) {
    return load(row + word);
}
template <bool PAIRS>
JMATTE_INLINE Vec load_words(const bf16* row, int word) {
    if constexpr (PAIRS)
        return load((const float*)row + word);
    else
        return load(row + word);
}

/// One row of q or k, of fp32 or bf16, as words.
template <bool PAIRS, class In>
JMATTE_INLINE void pack_row(const In* row, float* out) {
    for (int w = 0; w < words(PAIRS); w += LANES)
        store(out + w, load_words<PAIRS>(row, w));
}

/// The rows of v of keys 2 i and 2 i + 1, each as its words without PAIRS, else as DEPTH words of one element each.
template <bool PAIRS, class In>
JMATTE_INLINE void pack_values(const In* even, const In* odd, float* out) {
#ifdef __AVX512BF16__
    if constexpr (PAIRS) {
        alignas(64) static const bf16 order[32] = {0, 32, 1, 33, 2,  34, 3,  35, 4,  36, 5,  37, 6,  38, 7,  39,
                                                   8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
        __m512i low = _mm512_load_si512(order), high = _mm512_add_epi16(low, _mm512_set1_epi16(16));
        for (int c = 0; c < DEPTH; c += 32) {
            __m512i a = _mm512_loadu_si512(even + c), b = _mm512_loadu_si512(odd + c);
            store(out + c, (Vec)_mm512_permutex2var_epi16(a, low, b));
            store(out + c + LANES, (Vec)_mm512_permutex2var_epi16(a, high, b));
        }
        return;
    }
#endif
    pack_row<false>(even, out);
    pack_row<false>(odd, out + DEPTH);
}

/// Rows of q, `stride` elements apart, into lanes: out [words][SPAN], zero from `count` on.
template <bool PAIRS, class In>
void load_queries(const In* q, long stride, int count, float* out) {
    for (int lane = 0; lane < SPAN; lane += LANES)
        for (int w = 0; w < words(PAIRS); w += LANES) {
            Vec t[LANES];
            for (int i = 0; i < LANES; i++)
                t[i] = lane + i < count ? load_words<PAIRS>(q + (lane + i) * stride, w) : zero();
            transpose(t);
            for (int i = 0; i < LANES; i++)
                store(out + (w + i) * SPAN + lane, t[i]);
        }
}

/// out[query][64] = output[64][query] / total[query], rows `stride` elements apart.
template <class Out>
void store_queries(const float* output, const float* total, int count, Out* out, long stride) {
    for (int lane = 0; lane < count; lane += LANES) {
        Vec share = splat(1) / load(total + lane);
        for (int c = 0; c < DEPTH; c += LANES) {
            Vec t[LANES];
            for (int i = 0; i < LANES; i++)
                t[i] = load(output + (c + i) * SPAN + lane) * share;
            transpose(t);
            for (int i = 0; i < LANES && lane + i < count; i++)
                store(out + (lane + i) * stride + c, t[i]);
        }
    }
}

/// Eight times q in fp32, [64][SPAN]: the biases are added to q k', which is yet to be divided by eight.
template <bool PAIRS>
void queries_for_bias(const float* q, float* out) {
    for (int i = 0; i < words(PAIRS) * SPAN; i += LANES) {
#ifdef __AVX512BF16__
        if constexpr (PAIRS) {
            __m512i word = (__m512i)load(q + i);
            float* even = out + i / SPAN * SPAN + i;
            store(even, (Vec)_mm512_slli_epi32(word, 16) * splat(1 / SCALE));
            store(even + SPAN, (Vec)_mm512_and_si512(word, _mm512_set1_epi32(0xffff0000)) * splat(1 / SCALE));
            continue;
        }
#endif
        store(out + i, load(q + i) * splat(1 / SCALE));
    }
}

/// strip[k][query] = q . rel[position(query) - k + extent - 1] for k < extent, q from queries_for_bias. The products
/// with all needed rows of rel come first (in `products`, at most 2 * extent - 1 rows), then each lane takes its own.
template <int V>
void relative(const float* q, const float* rel, int extent, const int* position, float* products, float* strip) {
    int low = position[0], high = position[0];
    for (int lane = 1; lane < V * LANES; lane++) {
        low = position[lane] < low ? position[lane] : low;
        high = position[lane] > high ? position[lane] : high;
    }
    int rows = high - low + extent;
    const float* table = rel + (long)low * DEPTH;
    for (int next = 0; next < rows;) {
        if (rows >= ROWS) {
            int row = next + ROWS <= rows ? next : rows - ROWS; // the last tile may repeat rows
            Vec sums[ROWS][V];
            multiply<false, ROWS, V, DEPTH, 1>(table + (long)row * DEPTH, q, DEPTH, sums);
            for (int r = 0; r < ROWS; r++)
                for (int v = 0; v < V; v++)
                    store(products + (long)(row + r) * SPAN + v * LANES, sums[r][v]);
            next = row + ROWS;
        } else {
            Vec sums[1][V];
            multiply<false, 1, V, DEPTH, 1>(table + (long)next * DEPTH, q, DEPTH, sums);
            for (int v = 0; v < V; v++)
                store(products + (long)next * SPAN + v * LANES, sums[0][v]);
            next++;
        }
    }
    long source[V * LANES];
    for (int lane = 0; lane < V * LANES; lane++)
        source[lane] = (long)(position[lane] - low + extent - 1) * SPAN + lane;
    for (int k = 0; k < extent; k++)
        for (int lane = 0; lane < V * LANES; lane++)
            strip[(long)k * SPAN + lane] = products[source[lane] - (long)k * SPAN];
}

/// A block of queries, in scratch memory.
struct Block {
    float* q;       // [words][SPAN]
    float* output;  // [64][SPAN], yet to be divided by `total`
    float* top;     // [SPAN], the greatest score so far, scaled for exp2
    float* total;   // [SPAN], the sum of the weights so far
    float* strip_h; // [grid height][SPAN], eight times the bias by a key's row
    float* strip_w; // [grid width][SPAN], by its column
    static constexpr int FLOATS = (DEPTH + DEPTH + 2) * SPAN; // without the strips
};

/// Scratch memory from its first whole vector on; 64 spare bytes are asked for.
JMATTE_INLINE float* aligned(void* scratch) { return (float*)(((uintptr_t)scratch + 63) & ~(uintptr_t)63); }

/// Lays a block out in memory and returns what follows it.
JMATTE_INLINE float* place(Block& block, float* memory, long grid_height, long grid_width) {
    block.q = memory;
    block.output = block.q + DEPTH * SPAN;
    block.top = block.output + DEPTH * SPAN;
    block.total = block.top + SPAN;
    block.strip_h = block.total + SPAN;
    block.strip_w = block.strip_h + grid_height * SPAN;
    return block.strip_w + grid_width * SPAN;
}

/// Before the first tile.
JMATTE_INLINE void clear(const Block& block) {
    for (int i = 0; i < DEPTH * SPAN; i += LANES)
        store(block.output + i, zero());
    for (int i = 0; i < SPAN; i += LANES) {
        store(block.total + i, zero());
        store(block.top + i, splat(-__builtin_inff()));
    }
}

/// exp2 to a relative error of 8e-5: a fortieth of the rounding of a weight to bf16.
JMATTE_INLINE Vec coarse_exp2(Vec v) {
#ifdef __AVX512BF16__
    Vec whole = _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    Vec x = v - whole;
    Vec p = splat(0.055171644f);
    p = fma(p, x, splat(0.24261114f));
    p = fma(p, x, splat(0.69326099f));
    p = fma(p, x, splat(0.99992807f));
    return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(v, splat(-126), _CMP_NLT_UQ), p, whole);
#else
    return exp2(v);    // not called: there are no PAIRS
#endif
}

/// One pair of weights per word.
JMATTE_INLINE Vec to_pairs(Vec even, Vec odd) {
#ifdef __AVX512BF16__
    alignas(64) static const bf16 order[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                               8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return (Vec)_mm512_permutexvar_epi16(_mm512_load_si512(order), (__m512i)_mm512_cvtne2ps_pbh(odd, even));
#else
    return even + odd; // likewise
#endif
}

/// Adds `count` keys to a block, of which V vectors are in use. keys [count][words], readable up to a multiple of
/// ROWS; values [count][64], or [count / 2][64] of PAIRS, where a missing last key is zero. With GRID the first key
/// lies at (y, x) of a grid of that width. scores [count rounded up to even][SPAN] is the workplace.
template <bool PAIRS, bool GRID, int V>
void attend(const float* keys, const float* values, int count, const Block& block, int y, int x, int width,
            float* scores) {
    Vec top[V], scaled[V], fade[V], total[V];
    for (int v = 0; v < V; v++)
        top[v] = splat(-__builtin_inff());
    const float* h = GRID ? block.strip_h + (long)y * SPAN : nullptr;
    const float* w = GRID ? block.strip_w + (long)x * SPAN : nullptr;
    for (int key = 0; key < count; key += ROWS) {
        Vec sums[ROWS][V];
        multiply<PAIRS, ROWS, V, words(PAIRS), 1>(keys + (long)key * words(PAIRS), block.q, words(PAIRS), sums);
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++) {
            if (key + r == count)
                break;
#pragma GCC unroll 3
            for (int v = 0; v < V; v++) {
                Vec score = sums[r][v];
                if constexpr (GRID)
                    score += load(h + v * LANES) + load(w + v * LANES);
                top[v] = max(score, top[v]);
                store(scores + (key + r) * SPAN + v * LANES, score);
            }
            if constexpr (GRID) {
                w += SPAN;
                if (++x == width) {
                    x = 0;
                    w = block.strip_w;
                    h += SPAN;
                }
            }
        }
    }

    const Vec scale = splat(SCALE * LOG2_E);
    for (int v = 0; v < V; v++) {
        // The greatest score is kept after scaling: `fade` is then exactly 1 as long as it stays the greatest.
        Vec before = load(block.top + v * LANES);
        scaled[v] = max(top[v] * scale, before);
        fade[v] = exp2(before - scaled[v]);
        store(block.top + v * LANES, scaled[v]);
        total[v] = zero();
    }
    if constexpr (PAIRS) {
        for (int key = 0; key < count; key += 2)
#pragma GCC unroll 3
            for (int v = 0; v < V; v++) {
                const float* score = scores + key * SPAN + v * LANES;
                Vec even = coarse_exp2(fma(load(score), scale, -scaled[v]));
                Vec odd = key + 1 < count ? coarse_exp2(fma(load(score + SPAN), scale, -scaled[v])) : zero();
                total[v] += even + odd;
                store(scores + key / 2 * SPAN + v * LANES, to_pairs(even, odd));
            }
    } else {
        for (int key = 0; key < count; key++)
#pragma GCC unroll 3
            for (int v = 0; v < V; v++) {
                float* score = scores + key * SPAN + v * LANES;
                Vec weight = exp2(fma(load(score), scale, -scaled[v]));
                total[v] += weight;
                store(score, weight);
            }
    }
    for (int v = 0; v < V; v++)
        store(block.total + v * LANES, fma(load(block.total + v * LANES), fade[v], total[v]));

    for (int c = 0; c < DEPTH; c += ROWS) {
        Vec sums[ROWS][V];
        multiply<PAIRS, ROWS, V, 1, DEPTH>(values + c, scores, PAIRS ? (count + 1) / 2 : count, sums);
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 3
            for (int v = 0; v < V; v++) {
                float* output = block.output + (c + r) * SPAN + v * LANES;
                store(output, fma(load(output), fade[v], sums[r][v]));
            }
    }
}

} // namespace
} // namespace JMATTE_ISA
} // namespace jmatte
