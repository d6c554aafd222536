// The parts of attention on the matrix units that several kernels share: the fragments of a warp's queries, products
// with keys and values in shared memory, and the softmax that is kept up to date tile by tile. Device code only.
//
// A warp holds MT tiles of 16 queries of one head: q as A fragments, unscaled, and the output as accumulators. Scores
// of 16 keys (two n8 tiles of accumulators), packed to T, are the A fragment of the product with 16 values, so scores
// and weights stay in registers. All depths are 64, all sums float.
#pragma once

#include "gemm_tile.cuh"

namespace jmatte {

/// Channels of a head, and the same in chunks of 16 bytes.
constexpr int DEPTH = 64;
constexpr int DEPTH_CHUNKS = DEPTH / CHUNK;
/// Everything along the depth goes in steps of 16, two mma where MMA_K is 8.
constexpr int STEPS = DEPTH / 16;

/// Of q k' in the softmax, times log2(e): exp(x / 8) = exp2(x EXPONENT). Biases are added times 8.
constexpr float EXPONENT = 0.125f * LOG2E;
constexpr float BIAS_SCALE = 8.0f;

/// Less than any score; fmaxf, fmaf and exp2 take it without NaN as long as it meets no other infinity.
JMATTE_DEVICE float minus_infinity() { return bits_float(0xff800000u); }

/// Where a row of 64 elements has one of its eight chunks, in an array of chunks in shared memory. They are exchanged
/// by xor with a key: as long as the eight rows that ldmatrix reads at once have different keys, and keys from 0 to 7
/// are all the same to the array (its rows start at multiples of 8), it touches every bank once.
JMATTE_DEVICE int chunk_of(int row, int chunk, int key) { return row * DEPTH_CHUNKS + (chunk ^ key); }
JMATTE_DEVICE int chunk_of(int row, int chunk) { return chunk_of(row, chunk, unsigned(row) % DEPTH_CHUNKS); }

/// v, the same in all lanes or a function of lane(), such that the compiler does not know it: what follows from it is
/// then computed here, rather than before a loop to be kept in registers that the loop needs.
JMATTE_DEVICE int again(int v) { return shuffle(v, lane()); }

/// Two neighbouring elements of global memory as a register of a fragment.
template <class T>
JMATTE_DEVICE unsigned load_pair(const T* at) {
    return *reinterpret_cast<const unsigned*>(at);
}

// ---------------------------------------------------------------- products

/// D[16 MT, 8 NT] += A[16 MT, 16] B[16, 8 NT], fragments as of m16n8k16.
template <class T, int MT, int NT>
JMATTE_DEVICE void multiply(float (&d)[MT][NT][4], const unsigned (&a)[MT][4], const unsigned (&b)[NT][2]) {
    if constexpr (MMA_K == 16) {
        mma_tile<T>(d, a, b);
    } else {
#pragma unroll
        for (int k = 0; k < 2; k++) {
            unsigned half_a[MT][A_REGISTERS], half_b[NT][B_REGISTERS];
#pragma unroll
            for (int m = 0; m < MT; m++) {
                half_a[m][0] = a[m][2 * k];
                half_a[m][1] = a[m][2 * k + 1];
            }
#pragma unroll
            for (int n = 0; n < NT; n++)
                half_b[n][0] = b[n][k];
            mma_tile<T>(d, half_a, half_b);
        }
    }
}

/// The chunk that a lane addresses for ldmatrix among 16 keys or values: two times eight rows, two chunks each. Others
/// of the same rows lie at `xor 2`, `xor 4`, `xor 6`, which is done last, so that only two registers are kept for all.
struct Fetch {
    int keys, values;

    /// Of every 16 rows only the first `columns` exist; those beyond are replaced by the last, to be masked by score.
    JMATTE_DEVICE explicit Fetch(int columns = 16) {
        int i = lane() / 8;
        int key = i / 2 * 8 + lane() % 8, value = i % 2 * 8 + lane() % 8;
        key = key < columns ? key : columns - 1;
        value = value < columns ? value : columns - 1;
        keys = chunk_of(key, i % 2);
        values = chunk_of(value, i / 2);
    }
};

/// What a warp knows of its 16 MT queries. Lane 4g + t holds of tile m the rows g and g + 8 (index r).
template <class T, int MT>
struct Queries {
    unsigned q[STEPS][MT][4];
    float output[MT][DEPTH / 8][4]; // yet to be divided by the total
    float top[MT][2];               // the greatest score so far
    float total[MT][2];             // this lane's share of the sum of weights

    /// `row(m, i)`: where the i-th query of tile m lies in global memory; null: zeros, for a query that does not exist.
    template <class Row>
    JMATTE_DEVICE void load(const Row& row) {
#pragma unroll
        for (int m = 0; m < MT; m++)
#pragma unroll
            for (int r = 0; r < 2; r++) {
                const T* at = row(m, lane() / 4 + 8 * r);
#pragma unroll
                for (int step = 0; step < STEPS; step++)
#pragma unroll
                    for (int k = 0; k < 2; k++)
                        q[step][m][2 * k + r] = at != nullptr ? load_pair(at + 16 * step + 8 * k + lane() % 4 * 2) : 0u;
                top[m][r] = minus_infinity();
                total[m][r] = 0;
            }
#pragma unroll
        for (int m = 0; m < MT; m++)
#pragma unroll
            for (int n = 0; n < DEPTH / 8; n++)
#pragma unroll
                for (int e = 0; e < 4; e++)
                    output[m][n][e] = 0;
    }

    /// scores += q k' for NT / 2 groups of up to 16 keys, PITCH rows of shared memory apart; `keys` is Fetch's chunk in
    /// the first.
    template <int PITCH, int NT>
    JMATTE_DEVICE void add_scores(float (&scores)[MT][NT][4], const Chunk* memory, int keys) const {
#pragma unroll
        for (int step = 0; step < STEPS; step++) {
            unsigned b[NT][2];
#pragma unroll
            for (int n = 0; n < NT; n += 2)
                load_pairs<false>(b[n], b[n + 1], memory[(keys ^ 2 * step) + n / 2 * PITCH * DEPTH_CHUNKS]);
            multiply<T>(scores, q[step], b);
        }
    }

    /// Scores become weights, exp2((score - top) EXPONENT); what was summed before fades to the new top. The greatest
    /// score of a query's first keys must be above -inf; masked keys have -inf.
    template <int NT>
    JMATTE_DEVICE void weigh(float (&scores)[MT][NT][4]) {
#pragma unroll
        for (int m = 0; m < MT; m++)
#pragma unroll
            for (int r = 0; r < 2; r++) {
                float highest = fmaxf(scores[m][0][2 * r], scores[m][0][2 * r + 1]);
#pragma unroll
                for (int n = 1; n < NT; n++)
                    highest = fmaxf(highest, fmaxf(scores[m][n][2 * r], scores[m][n][2 * r + 1]));
                highest = fmaxf(highest, shuffle_xor(highest, 1));
                highest = fmaxf(highest, shuffle_xor(highest, 2));
                highest = fmaxf(highest, top[m][r]);
                float fade = exp2((top[m][r] - highest) * EXPONENT);
                top[m][r] = highest;
                float shift = -highest * EXPONENT, sum = 0;
#pragma unroll
                for (int n = 0; n < NT; n++)
#pragma unroll
                    for (int e = 0; e < 2; e++) {
                        float& score = scores[m][n][2 * r + e];
                        score = exp2(fmaf(score, EXPONENT, shift));
                        sum += score;
                    }
                total[m][r] = fmaf(total[m][r], fade, sum);
#pragma unroll
                for (int n = 0; n < DEPTH / 8; n++)
#pragma unroll
                    for (int e = 0; e < 2; e++)
                        output[m][n][2 * r + e] *= fade;
            }
    }

    /// output += weights v for NT / 2 groups of up to 16 values, as in add_scores.
    template <int PITCH, int NT>
    JMATTE_DEVICE void add_values(const float (&weights)[MT][NT][4], const Chunk* memory, int values) {
#pragma unroll
        for (int n = 0; n < NT; n += 2) {
            unsigned a[MT][4], b[DEPTH / 8][2];
#pragma unroll
            for (int m = 0; m < MT; m++)
#pragma unroll
                for (int r = 0; r < 4; r++)
                    a[m][r] = pack2<T>(weights[m][n + r / 2][r % 2 * 2], weights[m][n + r / 2][r % 2 * 2 + 1]);
#pragma unroll
            for (int d = 0; d < DEPTH / 8; d += 2)
                load_pairs<true>(b[d], b[d + 1], memory[(values ^ d) + n / 2 * PITCH * DEPTH_CHUNKS]);
            multiply<T>(output, a, b);
        }
    }

    /// Writes rows of output: `row(m, i)` as in load, null: none.
    template <class Row>
    JMATTE_DEVICE void store(const Row& row) {
#pragma unroll
        for (int m = 0; m < MT; m++)
#pragma unroll
            for (int r = 0; r < 2; r++) {
                float sum = total[m][r];
                sum += shuffle_xor(sum, 1);
                sum += shuffle_xor(sum, 2);
                float share = 1.0f / sum;
                T* at = row(m, lane() / 4 + 8 * r);
#pragma unroll
                for (int d = 0; d < DEPTH / 8; d += 4) {
                    Chunk chunk; // word n: this lane's pair of chunk d + n, then of chunk d + lane % 4 all pairs
#pragma unroll
                    for (int n = 0; n < 4; n++)
                        chunk[n] = pack2<T>(output[m][d + n][2 * r] * share, output[m][d + n][2 * r + 1] * share);
                    transpose(chunk);
                    if (at != nullptr)
                        *reinterpret_cast<Chunk*>(at + (d + lane() % 4) * CHUNK) = chunk;
                }
            }
    }

private:
    template <bool TRANSPOSED>
    JMATTE_DEVICE static void load_pairs(unsigned (&even)[2], unsigned (&odd)[2], const Chunk& row) {
        unsigned r[4];
        if constexpr (TRANSPOSED)
            load_matrix_transposed<4>(r, &row);
        else
            load_matrix<4>(r, &row);
#pragma unroll
        for (int i = 0; i < 2; i++) {
            even[i] = r[i];
            odd[i] = r[2 + i];
        }
    }

    /// Word n of lane t of a quad becomes word t of lane n.
    JMATTE_DEVICE static void transpose(Chunk& words) {
#pragma unroll
        for (int mask = 1; mask <= 2; mask *= 2) {
            bool upper = (lane() & mask) != 0;
#pragma unroll
            for (int i = 0; i < 4; i++)
                if ((i & mask) == 0) {
                    unsigned given = upper ? words[i] : words[i + mask];
                    unsigned taken = unsigned(shuffle_xor(int(given), mask));
                    words[i] = upper ? taken : words[i];
                    words[i + mask] = upper ? words[i + mask] : taken;
                }
        }
    }
};

// ---------------------------------------------------------------- relative position

/// products[m] += q_m rel' for 8 NT rows of a table in global memory, the n-th at table + row(n) * 64. They come
/// through the L1 cache: all warps of a block read the same few.
template <class T, int MT, int NT, class Row>
JMATTE_DEVICE void multiply_table(float (&products)[MT][NT][4], const Queries<T, MT>& queries, const T* table,
                                  const Row& row) {
    const T* at[NT];
    int l = again(lane());
#pragma unroll
    for (int n = 0; n < NT; n++)
        at[n] = table + row(8 * n + l / 4) * DEPTH + l % 4 * 2;
#pragma unroll
    for (int step = 0; step < STEPS; step++) {
        unsigned b[NT][2];
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int k = 0; k < 2; k++)
                b[n][k] = load_pair(at[n] + 16 * step + 8 * k);
        multiply<T>(products, queries.q[step], b);
    }
}

/// bias[m][n][e] = products[m] at column i + ORIGIN - c, where i = lane / 4 + 8 (e / 2) is this element's row and
/// c = 8 n + lane % 4 * 2 + e % 2 its column: a table of differences becomes a table of columns. Each lane has what one
/// other lane of its quad needs, which of its registers depends on the row alone.
template <int ORIGIN, int MT, int NT, int NP>
JMATTE_DEVICE void unskew(float (&bias)[MT][NT][4], const float (&products)[MT][NP][4]) {
    int l = again(lane());
#pragma unroll
    for (int e = 0; e < 2; e++) {
        int first = l / 4 + ORIGIN - e; // wanted by lane 0 of the quad for n = 0; eight more in the lower rows
        bool odd = first & 1;
        // Lane t wants the pair first / 2 - 4 n - t; so it holds, of the pairs first / 2 - 4 n - {0, 1, 2, 3}, the one
        // that is t modulo 4, wanted by the lane that it takes its own from.
        int partner = ((first >> 1) - l) & 3;
        int tile = ((first >> 1) - partner) >> 2;
        constexpr int LEAST = ((ORIGIN - 1) / 2 - 3) / 4, MOST = (ORIGIN + 7) / 8; // of tile
        static_assert(ORIGIN >= 7 && MOST + 1 < NP, "products of all differences");
#pragma unroll
        for (int m = 0; m < MT; m++)
#pragma unroll
            for (int n = 0; n < NT; n++)
#pragma unroll
                for (int r = 0; r < 2; r++) {
                    float mine = 0; // what is left of column 0 is for columns that nobody asks for
#pragma unroll
                    for (int p = LEAST; p <= MOST; p++) {
                        int at = p + r - n;
                        if (at < 0)
                            continue;
                        float pair = odd ? products[m][at][2 * r + 1] : products[m][at][2 * r];
                        mine = p == LEAST || tile == p ? pair : mine;
                    }
                    bias[m][n][2 * r + e] = shuffle(mine, (l & ~3) | partner);
                }
    }
}

} // namespace jmatte
