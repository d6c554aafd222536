// The matting heads of detail_capture.cu, which says what they compute. Device code only.
#pragma once

#include "convolution.cuh"

namespace jmatte {

struct Head {
    void* alpha;
    const unsigned char* trimap; // or null
    const void* in;
    const void* weight;    // [HIDDEN, 9, HEAD_IN]; of the plain alpha [9, cin]
    const float* bias;     // [HIDDEN], or null: zeros
    const float* weight_2; // [HIDDEN]
    const int* columns;
    unsigned* not_numbers;
    int height, width; // of alpha
    int in_height, in_width, in_ring, in_pitch;
    int y0, y1;
    int column_count;
    int cin;
    int format;
    float bias_2;
};

/// How a value is stored: as a byte, x 255; as 16 bits, x 65535; as a float.
enum Format { BYTES, SHORTS, FLOATS };

constexpr int HEAD_IN = 32;
constexpr int HIDDEN = 16;
constexpr int HEAD_K = 9 * HEAD_IN;

/// Stores one result, unless the trimap knows better; whether what was stored is no number.
JMATTE_DEVICE bool store_alpha(const Head& p, int y, int x, float v) {
    const long long at = (long long)y * p.width + x;
    if (p.trimap != nullptr) {
        const int byte = p.trimap[at];
        v = byte == 0 ? 0.0f : byte == 255 ? 1.0f : v;
    }
    // Adding 1.5 * 2^23 leaves the number rounded to the nearest integer, to even on ties, in the low bits. No number
    // becomes 0.
    const float magic = 12582912.0f;
    const float number = v == v ? v : 0.0f;
    if (p.format == BYTES)
        static_cast<unsigned char*>(p.alpha)[at] = (unsigned char)float_bits(fmaf(number, 255.0f, magic));
    else if (p.format == SHORTS)
        static_cast<unsigned short*>(p.alpha)[at] = (unsigned short)float_bits(fmaf(number, 65535.0f, magic));
    else
        static_cast<float*>(p.alpha)[at] = v;
    return !(v == v);
}

/// Counts a warp's results that are no numbers.
JMATTE_DEVICE void count_not_numbers(int mine, unsigned* count) {
    if (ballot(mine > 0) == 0)
        return;
    for (int mask = WARP / 2; mask > 0; mask /= 2)
        mine += shuffle_xor(mine, mask);
    if (lane() == 0)
        atomic_add(count, unsigned(mine));
}

/// 1 / (1 + exp(-v))
JMATTE_DEVICE float sigmoid(float v) { return 1.0f / (1.0f + exp2(v * -LOG2E)); }

/// Tiles of `rows` x 16 pixels in the active columns, to be shared among the blocks.
struct HeadTiles {
    int across, count;

    JMATTE_DEVICE HeadTiles(const Head& p, int rows)
        : across(p.columns == nullptr ? ceil_div(p.width, 16) : p.column_count * (COLUMN_BLOCK / 16)),
          count(across * ceil_div(p.y1 - p.y0, rows)) {}
};

/// Where position `i` of a patch from (y, x) on begins, or null outside.
template <class T, int COLUMNS>
JMATTE_DEVICE const T* head_input(const Head& p, int y, int x, int i) {
    y += i / COLUMNS;
    x += i % COLUMNS;
    if (y < 0 || y >= p.in_height || x < 0 || x >= p.in_width)
        return nullptr;
    return static_cast<const T*>(p.in) + ((long long)(y % p.in_ring) * p.in_width + x) * p.in_pitch;
}

// ---------------------------------------------------------------- on the matrix units

constexpr int HEAD_ROWS = 16;
constexpr int HEAD_PATCH_COLUMNS = 18;
constexpr int HEAD_PATCH = (HEAD_ROWS + 2) * HEAD_PATCH_COLUMNS;
using HeadPatch = ChunkPlanes<HEAD_IN / CHUNK, HEAD_PATCH>;

template <class T>
JMATTE_DEVICE void load_head_patch(const Head& p, int y, int x, HeadPatch& patch) {
    constexpr int PLANES = HEAD_IN / CHUNK;
    const bool wide = aligned16(p.in) && p.in_pitch % CHUNK == 0;
    for (int i = thread(); i < HEAD_PATCH * PLANES; i += CONVOLUTION_THREADS) {
        const T* from = head_input<T, HEAD_PATCH_COLUMNS>(p, y, x, i / PLANES);
        const bool inside = from != nullptr;
        const T* at = inside ? from + i % PLANES * CHUNK : static_cast<const T*>(p.in);
        Chunk& to = patch.at(i / PLANES, i % PLANES);
        if (wide)
            copy_async(&to, at, inside);
        else
            to = load_narrow(at, inside ? CHUNK : 0);
    }
    commit_async();
}

/// A warp makes 4 rows of 16 pixels; a block's tiles follow each other, its weights stay in registers.
template <class T>
JMATTE_DEVICE void matting_head(const Head& p) {
    if constexpr (HAS_MMA<T>) {
        constexpr int MT = HEAD_ROWS / (CONVOLUTION_THREADS / WARP), NT = HIDDEN / 8;
        constexpr int STEPS = HEAD_K / MMA_K, TAP_STEPS = HEAD_IN / MMA_K;
        auto& patch = shared<HeadPatch>();
        const int q = lane() % 4;

        unsigned weights[STEPS][NT][B_REGISTERS];
        float bias[NT][2], weight_2[NT][2];
#pragma unroll
        for (int n = 0; n < NT; n++) {
            const T* row = static_cast<const T*>(p.weight) + (n * 8 + lane() / 4) * HEAD_K + 2 * q;
#pragma unroll
            for (int step = 0; step < STEPS; step++)
#pragma unroll
                for (int i = 0; i < B_REGISTERS; i++)
                    weights[step][n][i] = *reinterpret_cast<const unsigned*>(row + step * MMA_K + i * 8);
#pragma unroll
            for (int j = 0; j < 2; j++) {
                bias[n][j] = p.bias != nullptr ? p.bias[n * 8 + 2 * q + j] : 0.0f;
                weight_2[n][j] = p.weight_2[n * 8 + 2 * q + j];
            }
        }

        const HeadTiles tiles(p, HEAD_ROWS);
        const int lane_row = MMA_K == 16 ? 0 : lane() / 16, lane_plane = MMA_K == 16 ? lane() / 16 : 0;
        const Chunk* first = &patch.at((warp() * MT + lane_row) * HEAD_PATCH_COLUMNS + lane() % 16, lane_plane);
        int not_numbers = 0;
        for (int i = block_x(); i < tiles.count; i += grid_x()) {
            const int y = p.y0 + i / tiles.across * HEAD_ROWS, x = first_column(p.columns, i % tiles.across);
            if (x >= p.width)
                continue;
            load_head_patch<T>(p, y - 1, x - 1, patch);
            wait_async<0>();
            sync_block();
            float sums[MT][NT][4] = {};
#pragma unroll
            for (int step = 0; step < STEPS; step++) {
                const int tap = step / TAP_STEPS, plane = step % TAP_STEPS * (MMA_K / CHUNK);
                unsigned rows[MT][A_REGISTERS];
                load_rows<MT>(rows, first + tap / 3 * HEAD_PATCH_COLUMNS + tap % 3 + plane * HeadPatch::PITCH,
                              HEAD_PATCH_COLUMNS);
                mma_tile<T>(sums, rows, weights[step]);
            }
            sync_block(); // before the next patch

            // A lane's share of the sums of 4 x 2 pixels, then those of one tile's row for lane q of four.
            float mine[2] = {};
#pragma unroll
            for (int m = 0; m < MT; m++)
#pragma unroll
                for (int half_tile = 0; half_tile < 2; half_tile++) {
                    float sum = 0.0f;
#pragma unroll
                    for (int n = 0; n < NT; n++)
#pragma unroll
                        for (int j = 0; j < 2; j++) {
                            const float hidden = sums[m][n][2 * half_tile + j] + bias[n][j];
                            // In this form NaN stays NaN.
                            sum = fmaf(hidden < 0.0f ? 0.0f : hidden, weight_2[n][j], sum);
                        }
                    sum += shuffle_xor(sum, 1);
                    sum += shuffle_xor(sum, 2);
                    if (m == q)
                        mine[half_tile] = sum;
                }
#pragma unroll
            for (int half_tile = 0; half_tile < 2; half_tile++) {
                const int row = y + warp() * MT + q, column = x + half_tile * 8 + lane() / 4;
                if (row < p.y1 && column < p.width)
                    not_numbers += store_alpha(p, row, column, sigmoid(mine[half_tile] + p.bias_2));
            }
        }
        count_not_numbers(not_numbers, p.not_numbers);
    }
}

// ---------------------------------------------------------------- in float

struct ExactHead {
    static constexpr int ROWS = 8;
    static constexpr int COLUMNS = 18;
    static constexpr int POSITIONS = (ROWS + 2) * COLUMNS;

    alignas(16) float weights[9][HEAD_IN][HIDDEN];
    float patch[HEAD_IN][POSITIONS + 1];
};

/// A thread makes one pixel of a tile.
JMATTE_DEVICE void matting_head_exactly(const Head& p) {
    auto& s = shared<ExactHead>();
    for (int i = thread(); i < HIDDEN * HEAD_K; i += CONVOLUTION_THREADS)
        s.weights[i % HEAD_K / HEAD_IN][i % HEAD_IN][i / HEAD_K] = static_cast<const float*>(p.weight)[i];
    const HeadTiles tiles(p, ExactHead::ROWS);
    int not_numbers = 0;
    for (int i = block_x(); i < tiles.count; i += grid_x()) {
        const int y = p.y0 + i / tiles.across * ExactHead::ROWS, x = first_column(p.columns, i % tiles.across);
        if (x >= p.width)
            continue;
        for (int v = thread(); v < ExactHead::POSITIONS * HEAD_IN; v += CONVOLUTION_THREADS) {
            const float* from = head_input<float, ExactHead::COLUMNS>(p, y - 1, x - 1, v / HEAD_IN);
            s.patch[v % HEAD_IN][v / HEAD_IN] = from != nullptr ? from[v % HEAD_IN] : 0.0f;
        }
        sync_block();
        const int row = thread() / 16, column = thread() % 16;
        float hidden[HIDDEN];
#pragma unroll
        for (int n = 0; n < HIDDEN; n++)
            hidden[n] = p.bias != nullptr ? p.bias[n] : 0.0f;
        for (int tap = 0; tap < 9; tap++)
            for (int c = 0; c < HEAD_IN; c++) {
                const float v = s.patch[c][(row + tap / 3) * ExactHead::COLUMNS + column + tap % 3];
#pragma unroll
                for (int n = 0; n < HIDDEN; n++)
                    hidden[n] = fmaf(v, s.weights[tap][c][n], hidden[n]);
            }
        sync_block();
        float sum = 0.0f;
#pragma unroll
        for (int n = 0; n < HIDDEN; n++)
            sum = fmaf(hidden[n] < 0.0f ? 0.0f : hidden[n], p.weight_2[n], sum);
        if (y + row < p.y1 && x + column < p.width)
            not_numbers += store_alpha(p, y + row, x + column, sigmoid(sum + p.bias_2));
    }
    count_not_numbers(not_numbers, p.not_numbers);
}

// ---------------------------------------------------------------- plain alpha

/// A thread makes one pixel; its neighbours find the same rows of the map in the first cache.
template <class T>
JMATTE_DEVICE void plain_alpha(const Head& p) {
    constexpr int N = PACK<T>;
    const int y = p.y0 + block_y() * 8 + thread() / 16, x = first_column(p.columns, block_x()) + thread() % 16;
    int not_numbers = 0;
    if (y < p.y1 && x < p.width) {
        const bool wide = aligned16(p.in) && aligned16(p.weight) && p.in_pitch % N == 0 && p.cin % N == 0;
        float sum = p.bias_2;
        for (int tap = 0; tap < 9; tap++) {
            const T* from = head_input<T, 3>(p, y - 1, x - 1, tap);
            if (from == nullptr)
                continue;
            const T* weight = static_cast<const T*>(p.weight) + (long long)tap * p.cin;
            int c = 0;
            for (; wide && c < p.cin; c += N) {
                const auto v = *reinterpret_cast<const Pack<T, N>*>(from + c);
                const auto w = *reinterpret_cast<const Pack<T, N>*>(weight + c);
#pragma unroll
                for (int i = 0; i < N; i++)
                    sum = fmaf(to_float(v[i]), to_float(w[i]), sum);
            }
            for (; c < p.cin; c++)
                sum = fmaf(to_float(from[c]), to_float(weight[c]), sum);
        }
        // In this form NaN stays NaN.
        sum = sum < 0.0f ? 0.0f : sum > 1.0f ? 1.0f : sum;
        not_numbers = store_alpha(p, y, x, sum);
    }
    count_not_numbers(not_numbers, p.not_numbers);
}

} // namespace jmatte
