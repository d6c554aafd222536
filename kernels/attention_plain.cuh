// Attention in fp32 on the plain FMA units, the exact mode of both attention kernels: a block of 128 threads takes 64
// queries of one head over tiles of 32 keys. Device code only.
//
// Queries and keys are patches of a grid, as the caller's `Problem` tells:
//     QUERY_WIDTH x QUERY_HEIGHT <= 64 queries from `first` on, KEY_WIDTH x KEY_HEIGHT <= 32 keys, where
//     RELATIVE at most 16 x 4
//     height, width        the keys' grid
//     query(y, x)          a row of 64 floats in global memory, or null for a query that does not exist
//     key(y, x), value(y, x)   the same within the grid, never null
//     result(y, x)         where the result goes, or null
//     rel_h(), rel_w()     tables [2 height - 1, 64], [2 width - 1, 64] where RELATIVE
// All rows start at multiples of 16 bytes.
#pragma once

#include "device.cuh"

namespace jmatte {

namespace plain {

constexpr int THREADS = 128;
constexpr int DEPTH = 64;
constexpr int QUERIES = 64;
constexpr int KEYS = 32;
/// A thread computes 8 queries by 2 keys of the scores (keys 16 apart) and 8 queries by 4 channels of the output.
constexpr int COLUMNS = 16;
constexpr int ROWS = QUERIES / (THREADS / COLUMNS);
constexpr int KEYS_EACH = KEYS / COLUMNS;

using Four = Pack<float, 4>;
constexpr int FOURS = DEPTH / 4;

/// Rows that 16 threads read at once at the same depth are an odd number of packs apart.
struct Shared {
    Four q[QUERIES][FOURS];
    Four k[KEYS][FOURS + 1];
    Four v[KEYS][FOURS];
    Four weights[QUERIES][KEYS / 4 + 1];
    float rows[QUERIES][4];     // bias by a key's row in the tile, where RELATIVE
    float columns[QUERIES][16]; // by its column
};

JMATTE_DEVICE float dot(const Four& a, const Four& b, float sum) {
#pragma unroll
    for (int i = 0; i < 4; i++)
        sum = fmaf(a[i], b[i], sum);
    return sum;
}

/// bias[query][key] = q . table[first + query position - key position], for keys of one row or column of a tile.
template <int SIZE, int WIDTH, class Position>
JMATTE_DEVICE void add_table(float (&bias)[QUERIES][WIDTH], const Shared& s, const float* table, int first, int most,
                             const Position& position) {
    for (int i = thread(); i < QUERIES * SIZE; i += THREADS) {
        int query = i / SIZE, key = i % SIZE;
        int row = first + position(query) - key;
        row = row < 0 ? 0 : row < most ? row : most; // differences that no pair of the grid has
        const Four* with = reinterpret_cast<const Four*>(table + row * DEPTH);
        float sum = 0;
        for (int c = 0; c < FOURS; c++) {
            Four a = s.q[query][c], b = with[c];
            sum = dot(a, b, sum);
        }
        bias[query][key] = sum;
    }
}

template <class Problem>
JMATTE_DEVICE void attend(Shared& s, const Problem& p) {
    const int column = thread() % COLUMNS, row = thread() / COLUMNS * ROWS;
    const Four zeros{};
    for (int i = thread(); i < QUERIES * FOURS; i += THREADS) {
        int query = i / FOURS;
        const float* from =
            query < Problem::QUERY_WIDTH * Problem::QUERY_HEIGHT
                ? p.query(p.first_y + query / Problem::QUERY_WIDTH, p.first_x + query % Problem::QUERY_WIDTH)
                : nullptr;
        s.q[query][i % FOURS] = from != nullptr ? reinterpret_cast<const Four*>(from)[i % FOURS] : zeros;
    }

    float output[ROWS][4] = {}, top[ROWS], total[ROWS] = {};
#pragma unroll
    for (int r = 0; r < ROWS; r++)
        top[r] = bits_float(0xff800000u);

    for (int x = 0; x < p.width; x += Problem::KEY_WIDTH)
        for (int y = 0; y < p.height; y += Problem::KEY_HEIGHT) {
            sync_block(); // q is there, and nobody reads the tile before
            for (int i = thread(); i < KEYS * FOURS; i += THREADS) {
                int key = i / FOURS, c = i % FOURS;
                int key_y = y + key / Problem::KEY_WIDTH, key_x = x + key % Problem::KEY_WIDTH;
                bool exists = key < Problem::KEY_WIDTH * Problem::KEY_HEIGHT && key_y < p.height && key_x < p.width;
                s.k[key][c] = exists ? reinterpret_cast<const Four*>(p.key(key_y, key_x))[c] : zeros;
                s.v[key][c] = exists ? reinterpret_cast<const Four*>(p.value(key_y, key_x))[c] : zeros;
            }
            if constexpr (Problem::RELATIVE) {
                add_table<Problem::KEY_HEIGHT>(s.rows, s, p.rel_h(), p.first_y - y + p.height - 1, 2 * p.height - 2,
                                               [](int query) { return query / Problem::QUERY_WIDTH; });
                if (y == 0)
                    add_table<Problem::KEY_WIDTH>(s.columns, s, p.rel_w(), p.first_x - x + p.width - 1, 2 * p.width - 2,
                                                  [](int query) { return query % Problem::QUERY_WIDTH; });
            }
            sync_block();

            float scores[ROWS][KEYS_EACH] = {};
            for (int c = 0; c < FOURS; c++) {
                Four keys[KEYS_EACH];
#pragma unroll
                for (int k = 0; k < KEYS_EACH; k++)
                    keys[k] = s.k[column + COLUMNS * k][c];
#pragma unroll
                for (int r = 0; r < ROWS; r++) {
                    Four query = s.q[row + r][c];
#pragma unroll
                    for (int k = 0; k < KEYS_EACH; k++)
                        scores[r][k] = dot(query, keys[k], scores[r][k]);
                }
            }
#pragma unroll
            for (int k = 0; k < KEYS_EACH; k++) {
                int key = column + COLUMNS * k, key_y = key / Problem::KEY_WIDTH, key_x = key % Problem::KEY_WIDTH;
                bool exists = key_y < Problem::KEY_HEIGHT && y + key_y < p.height && x + key_x < p.width;
#pragma unroll
                for (int r = 0; r < ROWS; r++) {
                    scores[r][k] *= 0.125f;
                    if constexpr (Problem::RELATIVE)
                        if (exists)
                            scores[r][k] += s.rows[row + r][key_y] + s.columns[row + r][key_x];
                    if (!exists)
                        scores[r][k] = bits_float(0xff800000u);
                }
            }

            // The first key of a tile always exists, so `top` is finite from the first tile on.
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                float highest = fmaxf(scores[r][0], scores[r][1]);
                for (int mask = COLUMNS / 2; mask > 0; mask /= 2)
                    highest = fmaxf(highest, shuffle_xor(highest, mask));
                highest = fmaxf(highest, top[r]);
                float fade = exp2((top[r] - highest) * LOG2E);
                top[r] = highest;
                total[r] *= fade;
#pragma unroll
                for (int e = 0; e < 4; e++)
                    output[r][e] *= fade;
#pragma unroll
                for (int k = 0; k < KEYS_EACH; k++) {
                    float weight = exp2((scores[r][k] - highest) * LOG2E);
                    total[r] += weight;
                    int key = column + COLUMNS * k;
                    s.weights[row + r][key / 4][key % 4] = weight;
                }
            }
            sync_warp(); // a row of weights stays within half a warp
            for (int k = 0; k < KEYS / 4; k++) {
                Four values[4];
#pragma unroll
                for (int i = 0; i < 4; i++)
                    values[i] = s.v[4 * k + i][column];
#pragma unroll
                for (int r = 0; r < ROWS; r++) {
                    Four weights = s.weights[row + r][k];
#pragma unroll
                    for (int i = 0; i < 4; i++)
#pragma unroll
                        for (int e = 0; e < 4; e++)
                            output[r][e] = fmaf(weights[i], values[i][e], output[r][e]);
                }
            }
        }

#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        float sum = total[r];
        for (int mask = COLUMNS / 2; mask > 0; mask /= 2)
            sum += shuffle_xor(sum, mask);
        int query = row + r;
        float share = 1.0f / sum;
        float* to = query < Problem::QUERY_WIDTH * Problem::QUERY_HEIGHT
                        ? p.result(p.first_y + query / Problem::QUERY_WIDTH, p.first_x + query % Problem::QUERY_WIDTH)
                        : nullptr;
        if (to != nullptr) {
            Four result;
#pragma unroll
            for (int e = 0; e < 4; e++)
                result[e] = output[r][e] * share;
            reinterpret_cast<Four*>(to)[column] = result;
        }
    }
}

} // namespace plain

} // namespace jmatte
