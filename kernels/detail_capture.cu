// Detail capture: fusion of a map with details of twice its size, and the matting head.
//
//     fuse:   out = act(details + conv3x3(up(low)) + bias)
//     head:   alpha = sigmoid(w . max(conv3x3(in) + b, 0) + c), 32 -> 16 -> 1 channels
//     alpha:  alpha = clamp(conv3x3(in) + c, 0, 1), any -> 1 channels
//
//   out     [ring, W, pitch]   T  rows y0 to y1 - 1 (height, W, y0 and y1 are even), or listed blocks of 32 columns; on
//                                 entry it holds the details, except in fuse_photo, which computes conv3x3(photo) with
//                                 weights detail_weight [cout, 9, 4]
//   low     [ring, w, pitch]   T  h rows, followed by zeros to half the size of out, where that is larger; up() is
//                                 bilinear, twofold, with half-pixel centres, the edges of half of out's size clamped;
//                                 the convolution's padding is zero at the edges of out
//   weight  [cout, 9, cin]     T  of the convolution of up(low), batch norm folded in
//   bias    [cout]             fp32, or null: zeros;  act: identity, leaky ReLU (slope 0: ReLU)
//   in      [ring, W, pitch]   T  of both heads; alpha [height, width] may be smaller: the photo without its padding
//   alpha   [height, width]       bytes (x 255), 16 bits (x 65535) or floats; where `trimap` (or null) is 0 or 255 it
//                                 counts; results that are no numbers are counted in *not_numbers
//
// T is half or bfloat (sm_80 on) on the matrix units, or float on the FMA units. Sums in fp32.
//
// fuse. Upsampling and convolving commute: with G[tap] = low . weight[tap], a quarter of the products,
//     conv(up(low))[y, x] = sum over ky, kx of up(G[ky, kx])[y + ky - 1, x + kx - 1].
// Fine rows 2i and 2i + 1 need the low rows i - 1, i, i + 1:
//     row 2i      ky 0: 3/4 (i - 1) + 1/4 i    ky 1: 1/4 (i - 1) + 3/4 i    ky 2: 3/4 i + 1/4 (i + 1)
//     row 2i + 1  ky 0: 1/4 (i - 1) + 3/4 i    ky 1: 3/4 i + 1/4 (i + 1)    ky 2: 1/4 i + 3/4 (i + 1)
// and columns alike. A block makes 16 x 32 positions x 8 channels. Phases: (1) G of 10 x 18 low positions x 9 taps x 8
// channels stays in the accumulators; (2) twice, G of four channels goes to shared memory, in fp32 since it cancels
// between taps, and every thread combines six low columns vertically (9 FMAs per row and tap column) and four of them
// horizontally (6), for one channel, 2 rows and 8 columns; (3) details, act, store.
//
// Details of a map are convolved by conv3x3 into `out` before: as one kernel they would share no operand, and a tile of
// this one is the wrong shape for them. By arithmetic their way through memory takes less time than either kernel's
// products, beside which it runs. The photo's are made here, from its bytes: 40 of k, while full-resolution details in
// memory would be the largest map of all.
//
// head. A warp makes 64 positions x 16 hidden channels; its weights (k = 288) stay in 72 registers, so blocks go from
// tile to tile; the hidden channels are reduced to alpha in registers.
//
// Launch: 128 threads.
//     detail_capture_fuse_T, _fuse_photo_T   grid x = (blocks of 32 columns) * ceil(cout / 8), channels fastest;
//                                            y = ceil((y1 - y0) / 16)
//     detail_capture_head_T                  any grid x; tiles of 16 x 16 (fp32: 8 x 16) are shared among the blocks
//     detail_capture_alpha_T                 grid x = 16-column tiles, y = ceil((y1 - y0) / 8)
// The wrong choice: fuse for maps of a few positions, where the halo of low positions is most of the work.
#include "convolution.cuh"
#include "matting_head.cuh"
#include "photo.cuh"

namespace jmatte {

// ---------------------------------------------------------------- parameters

struct Fusion {
    void* out;
    const void* low;
    const void* weight;
    const void* detail_weight;
    const float* bias;
    const int* columns;
    unsigned* overflow;
    int height, width, out_ring, out_pitch; // of out
    int low_height, low_width, low_ring, low_pitch;
    int y0, y1;
    int column_count;
    int cin, cout;
    int activation;
    float slope;
    unsigned overflow_bit;
};

struct PhotoFusion {
    Photo photo;
    Fusion fusion;
};

// ---------------------------------------------------------------- fuse: products with the taps

constexpr int THREADS = CONVOLUTION_THREADS;
constexpr int WARPS = THREADS / WARP;

constexpr int FINE_ROWS = 16, FINE_COLUMNS = 32;
constexpr int LOW_ROWS = FINE_ROWS / 2 + 2, LOW_COLUMNS = FINE_COLUMNS / 2 + 2;
constexpr int LOW = LOW_ROWS * LOW_COLUMNS;
constexpr int GROUP = 8; // channels of a block
constexpr int TAPS = 9;
constexpr int ROUND = 4; // channels of G in shared memory at a time: 26 KB, so two blocks share an SM of sm_75

/// G of a position is 36 floats; with these rows, neither the eight low rows and four channels that a warp reads nor
/// the eight neighbours and four channels that it writes meet in a bank.
constexpr int G_COLUMN = TAPS * ROUND;
constexpr int G_ROW = LOW_COLUMNS * G_COLUMN + 12;

JMATTE_DEVICE int offset_in_g(int position) {
    return position / LOW_COLUMNS * G_ROW + position % LOW_COLUMNS * G_COLUMN;
}

/// A block's tile and channels.
struct FineTile {
    int y, x, n;

    JMATTE_DEVICE FineTile(const Fusion& p) {
        const int groups = ceil_div(p.cout, GROUP);
        n = block_x() % groups * GROUP;
        const int block = block_x() / groups;
        x = (p.columns == nullptr ? block : p.columns[block]) * FINE_COLUMNS;
        y = p.y0 + block_y() * FINE_ROWS;
    }

    /// The low position `i` of the patch, clamped to the upsampled size; null beyond the map.
    template <class T>
    JMATTE_DEVICE const T* low(const Fusion& p, int i) const {
        const int row = clamp(y / 2 - 1 + i / LOW_COLUMNS, p.height / 2 - 1);
        const int column = clamp(x / 2 - 1 + i % LOW_COLUMNS, p.width / 2 - 1);
        if (row >= p.low_height || column >= p.low_width)
            return nullptr;
        return static_cast<const T*>(p.low) + ((long long)(row % p.low_ring) * p.low_width + column) * p.low_pitch;
    }
    /// The weights of channel n + i % 8 and tap i / 8; null where there is no channel.
    template <class T>
    JMATTE_DEVICE const T* weight(const Fusion& p, int i) const {
        const int channel = n + i % GROUP;
        return channel < p.cout ? static_cast<const T*>(p.weight) + ((long long)channel * TAPS + i / GROUP) * p.cin
                                : nullptr;
    }

private:
    static JMATTE_DEVICE int clamp(int v, int most) { return v < 0 ? 0 : v > most ? most : v; }
};

/// On the matrix units: 192 (180 used) low positions x 72 columns, column = tap * 8 + channel.
template <class T>
class Products {
public:
    static constexpr int STEP = 16; // channels of the low map
    static constexpr int PLANES = STEP / CHUNK;
    static constexpr int MT = 3, NT = TAPS; // of a warp: 108 accumulators
    static constexpr int STAGES = ASYNC_COPIES ? 3 : 2;
    static_assert(MT * 16 * WARPS >= LOW, "the warps' tiles cover the patch");

    struct Stage {
        ChunkPlanes<PLANES, MT * 16 * WARPS> low;
        ChunkPlanes<PLANES, TAPS * GROUP> weights;
    };
    using Stages = Stage[STAGES];

    JMATTE_DEVICE void compute(const Fusion& p, const FineTile& tile, Stages& stages) {
        constexpr int REST = MT * 16 * WARPS - LOW;
        for (int i = thread(); i < STAGES * PLANES * REST; i += THREADS)
            stages[i / (PLANES * REST)].low.at(LOW + i % REST, i / REST % PLANES) = Chunk{};
        Load load(p, tile);
        pipeline(stages, ceil_div(p.cin, STEP), load, [&](Stage& stage) { multiply(stage); });
    }

    /// The channels of one parity to shared memory, where channel 2 q + parity is q; after a barrier.
    JMATTE_DEVICE void store(int parity, float* g) const {
#pragma unroll
        for (int m = 0; m < MT; m++)
#pragma unroll
            for (int i = 0; i < 2; i++) {
                const int position = (warp() * MT + m) * 16 + 8 * i + lane() / 4;
                if (position < LOW) {
                    float* at = g + offset_in_g(position) + lane() % 4;
#pragma unroll
                    for (int tap = 0; tap < TAPS; tap++)
                        at[tap * ROUND] = parity == 0 ? sums[m][tap][2 * i] : sums[m][tap][2 * i + 1];
                }
            }
    }

private:
    float sums[MT][NT][4] = {};

    /// The chunks of a step, shared among the threads: those of the low positions, then those of the weights.
    struct Load {
        static constexpr int LOW_CHUNKS = LOW * PLANES, CHUNKS = LOW_CHUNKS + TAPS * GROUP * PLANES;
        static constexpr int MINE = (CHUNKS + THREADS - 1) / THREADS;

        const T* from[MINE];
        Chunk staged[MINE];
        const T* base;
        int cin;
        bool wide;

        JMATTE_DEVICE Load(const Fusion& p, const FineTile& tile)
            : base(static_cast<const T*>(p.low)), cin(p.cin),
              wide(aligned16(p.low) && p.low_pitch % CHUNK == 0 && aligned16(p.weight) && p.cin % CHUNK == 0) {
#pragma unroll
            for (int i = 0; i < MINE; i++) {
                const int v = index(i);
                from[i] = nullptr;
                if (v < LOW_CHUNKS)
                    from[i] = tile.low<T>(p, v / PLANES);
                else if (v < CHUNKS)
                    from[i] = tile.weight<T>(p, (v - LOW_CHUNKS) / PLANES);
            }
        }
        static JMATTE_DEVICE int index(int i) { return i * THREADS + thread(); }
        static JMATTE_DEVICE Chunk& target(Stage& stage, int v) {
            return v < LOW_CHUNKS ? stage.low.at(v / PLANES, v % PLANES)
                                  : stage.weights.at((v - LOW_CHUNKS) / PLANES, v % PLANES);
        }
        /// How many of a chunk's elements exist.
        JMATTE_DEVICE int count(int i, int channel) const {
            return from[i] != nullptr && channel < cin ? cin - channel : 0;
        }
        JMATTE_DEVICE void copy(Stage& stage, int step) {
#pragma unroll
            for (int i = 0; i < MINE; i++)
                if (index(i) < CHUNKS) {
                    const int channel = step * STEP + index(i) % PLANES * CHUNK;
                    const bool valid = count(i, channel) > 0;
                    const T* at = valid ? from[i] + channel : base;
                    if (wide)
                        copy_async(&target(stage, index(i)), at, valid);
                    else
                        target(stage, index(i)) = load_narrow(at, count(i, channel));
                }
        }
        JMATTE_DEVICE void fetch(int step) {
#pragma unroll
            for (int i = 0; i < MINE; i++) {
                const int channel = step * STEP + index(i) % PLANES * CHUNK;
                const bool valid = count(i, channel) > 0;
                if (!wide)
                    staged[i] = load_narrow(valid ? from[i] + channel : base, count(i, channel));
                else if (valid)
                    staged[i] = *reinterpret_cast<const Chunk*>(from[i] + channel);
                else
                    staged[i] = Chunk{};
            }
        }
        JMATTE_DEVICE void put(Stage& stage) const {
#pragma unroll
            for (int i = 0; i < MINE; i++)
                if (index(i) < CHUNKS)
                    target(stage, index(i)) = staged[i];
        }
    };

    JMATTE_DEVICE void multiply(Stage& stage) {
        const int second = lane() / 16; // matrix of k, or tile
        const Chunk* a =
            &stage.low.at(warp() * MT * 16 + lane() % 16 + (MMA_K == 8 ? second * 16 : 0), MMA_K == 8 ? 0 : second);
#pragma unroll
        for (int k = 0; k < PLANES; k += MMA_K / CHUNK) {
            unsigned low[MT][A_REGISTERS];
            unsigned eight[NT - 1][B_REGISTERS], weights[NT][B_REGISTERS];
            load_rows<MT>(low, a + k * decltype(stage.low)::PITCH, 16);
            load_b(eight, [&](int row, int chunk) { return &stage.weights.at(row, k + chunk); });
            load_matrix<B_REGISTERS>(weights[NT - 1],
                                     &stage.weights.at((NT - 1) * 8 + lane() % 8, k + lane() / 8 % B_REGISTERS));
#pragma unroll
            for (int n = 0; n < NT - 1; n++)
#pragma unroll
                for (int i = 0; i < B_REGISTERS; i++)
                    weights[n][i] = eight[n][i];
            mma_tile<T>(sums, low, weights);
        }
    }
};

/// On the FMA units: a thread has 12 positions, 16 apart, of one channel.
template <>
class Products<float> {
public:
    static constexpr int STEP = 16;
    static constexpr int POSITIONS = 12;

    struct Stage {
        float low[STEP][POSITIONS * 16];
        float weights[STEP][TAPS * GROUP];
    };
    using Stages = Stage[1];

    JMATTE_DEVICE void compute(const Fusion& p, const FineTile& tile, Stages& stages) {
        Stage& s = stages[0];
        for (int first = 0; first < p.cin; first += STEP) {
            sync_block();
            const int channel = thread() % STEP;
            const bool exists = first + channel < p.cin;
            for (int i = thread() / STEP; i < POSITIONS * 16; i += THREADS / STEP) {
                const float* low = i < LOW ? tile.low<float>(p, i) : nullptr;
                s.low[channel][i] = exists && low != nullptr ? low[first + channel] : 0.0f;
            }
            for (int i = thread() / STEP; i < TAPS * GROUP; i += THREADS / STEP) {
                const float* weight = tile.weight<float>(p, i);
                s.weights[channel][i] = exists && weight != nullptr ? weight[first + channel] : 0.0f;
            }
            sync_block();
            for (int c = 0; c < STEP; c++)
#pragma unroll
                for (int i = 0; i < POSITIONS; i++)
#pragma unroll
                    for (int tap = 0; tap < TAPS; tap++)
                        sums[i][tap] = fmaf(s.low[c][thread() / GROUP + 16 * i],
                                            s.weights[c][tap * GROUP + thread() % GROUP], sums[i][tap]);
        }
    }

    JMATTE_DEVICE void store(int parity, float* g) const {
        if (thread() % 2 != parity)
            return;
#pragma unroll
        for (int i = 0; i < POSITIONS; i++) {
            const int position = thread() / GROUP + 16 * i;
            if (position < LOW)
#pragma unroll
                for (int tap = 0; tap < TAPS; tap++)
                    g[offset_in_g(position) + tap * ROUND + thread() % GROUP / 2] = sums[i][tap];
        }
    }

private:
    float sums[POSITIONS][TAPS] = {};
};

// ---------------------------------------------------------------- fuse: shift, interpolate, add

/// a / 4 + 3 b / 4 + sum
JMATTE_DEVICE float blend(float a, float b, float sum) { return fmaf(0.25f, a, fmaf(0.75f, b, sum)); }

/// One low column, combined vertically: [row 2i, row 2i + 1][kx].
struct Column {
    float at[2][3];

    /// g: channel q of the low row i - 1. Without top there is no fine row 2i - 1, without bottom none 2i + 2.
    JMATTE_DEVICE Column(const float* g, bool top, bool bottom) {
#pragma unroll
        for (int kx = 0; kx < 3; kx++) {
            const float *a = g + kx * ROUND, *b = a + G_ROW, *c = b + G_ROW;
            const float a0 = a[0], a1 = a[3 * ROUND];
            const float b0 = b[0], b1 = b[3 * ROUND], b2 = b[6 * ROUND];
            const float c1 = c[3 * ROUND], c2 = c[6 * ROUND];
            const float even = blend(a1, b1, blend(c2, b2, 0.0f)), odd = blend(a0, b0, blend(c1, b1, 0.0f));
            at[0][kx] = top ? blend(b0, a0, even) : even;
            at[1][kx] = bottom ? blend(b2, c2, odd) : odd;
        }
    }
};

/// What a thread makes: rows 2r and 2r + 1 (r = lane / 4) of the tile, columns 8 warp to 8 warp + 7, channels 2q and
/// 2q + 1 (q = lane % 4): [column][2 (row % 2) + channel % 2], which is how an mma leaves them.
using Fine = float[8][4];

JMATTE_DEVICE int fine_row(const FineTile& tile) { return tile.y + lane() / 4 * 2; }
JMATTE_DEVICE int fine_column(const FineTile& tile) { return tile.x + warp() * 8; }

JMATTE_DEVICE void combine(const Fusion& p, const FineTile& tile, const float* g, int parity, Fine& fine) {
    const int y = fine_row(tile), x = fine_column(tile);
    const bool top = y > 0, bottom = y + 2 < p.height;
    const float* at = g + lane() / 4 * G_ROW + warp() * 4 * G_COLUMN + lane() % 4;
    Column a(at, top, bottom), b(at + G_COLUMN, top, bottom);
#pragma unroll
    for (int c = 0; c < 8; c += 2) {
        const Column d(at + (c / 2 + 2) * G_COLUMN, top, bottom);
#pragma unroll
        for (int r = 0; r < 2; r++) {
            const int i = 2 * r + parity;
            float left = blend(a.at[r][1], b.at[r][1], blend(d.at[r][2], b.at[r][2], fine[c][i]));
            float right = blend(a.at[r][0], b.at[r][0], blend(d.at[r][1], b.at[r][1], fine[c + 1][i]));
            if (x + c > 0)
                left = blend(b.at[r][0], a.at[r][0], left);
            if (x + c + 2 < p.width)
                right = blend(b.at[r][2], d.at[r][2], right);
            fine[c][i] = left;
            fine[c + 1][i] = right;
        }
        a = b;
        b = d;
    }
}

/// f(address, column, 2 (row % 2)) for each pair of channels of this thread's that exists.
template <class T, class Function>
JMATTE_DEVICE void each_pair(const Fusion& p, const FineTile& tile, const Function& f) {
    const int y = fine_row(tile), x = fine_column(tile), channel = tile.n + lane() % 4 * 2;
#pragma unroll
    for (int r = 0; r < 2; r++) {
        if (y + r >= p.y1 || channel >= p.cout)
            continue;
        T* row = static_cast<T*>(p.out) + ((long long)((y + r) % p.out_ring) * p.width + x) * p.out_pitch + channel;
#pragma unroll
        for (int c = 0; c < 8; c++)
            if (x + c < p.width)
                f(row + (long long)c * p.out_pitch, c, 2 * r);
    }
}

/// The photo's part; a thread's rows and columns are those of an mma whose rows are 8 even and 8 odd rows of the tile.
template <class T, int COLUMNS>
JMATTE_DEVICE void convolve_details(const Fusion& p, const FineTile& tile, const Pack<T, 4>* patch, Fine& fine) {
    const PhotoFragments<T, COLUMNS> fragments;
    unsigned b[PHOTO_STEPS][1][B_REGISTERS];
    fragments.load_b(b, static_cast<const T*>(p.detail_weight), tile.n, p.cout);
#pragma unroll
    for (int c = 0; c < 8; c++) {
        float sums[1][1][4] = {};
        const Pack<T, 4>* at = patch + lane() / 4 * 2 * COLUMNS + warp() * 8 + c;
#pragma unroll
        for (int step = 0; step < PHOTO_STEPS; step++) {
            unsigned a[1][A_REGISTERS];
            fragments.load_a(a, at, at + COLUMNS, step);
            mma_tile<T>(sums, a, b[step]);
        }
#pragma unroll
        for (int i = 0; i < 4; i++)
            fine[c][i] = sums[0][0][i];
    }
}
template <int COLUMNS>
JMATTE_DEVICE void convolve_details_exactly(const Fusion& p, const FineTile& tile, const Pack<float, 4>* patch,
                                            Fine& fine) {
    const Pack<float, 4>* at = patch + lane() / 4 * 2 * COLUMNS + warp() * 8;
    for (int j = 0; j < 2; j++) {
        const int channel = tile.n + lane() % 4 * 2 + j;
        const float* weight = static_cast<const float*>(p.detail_weight) + (long long)channel * PHOTO_K;
        for (int tap = 0; tap < TAPS && channel < p.cout; tap++)
            for (int plane = 0; plane < PHOTO_PLANES; plane++) {
                const float w = weight[tap * PHOTO_PLANES + plane];
#pragma unroll
                for (int c = 0; c < 8; c++)
#pragma unroll
                    for (int r = 0; r < 2; r++) {
                        float& sum = j == 0 ? fine[c][2 * r] : fine[c][2 * r + 1];
                        sum = fmaf(w, at[(r + tap / 3) * COLUMNS + c + tap % 3][plane], sum);
                    }
            }
    }
}

// ---------------------------------------------------------------- fuse: kernel

template <class T, bool PHOTO>
struct FusionShared {
    static constexpr int PATCH_COLUMNS = FINE_COLUMNS + 2;
    static constexpr int PATCH = (FINE_ROWS + 2) * PATCH_COLUMNS;
    union {
        typename Products<T>::Stages stages;
        float g[LOW_ROWS * G_ROW];
    };
    Pack<T, 4> patch[PHOTO ? PATCH : 1];
};

template <class T, bool PHOTO>
JMATTE_DEVICE void fuse(const Fusion& p, const Photo* photo) {
    using Shared = FusionShared<T, PHOTO>;
    constexpr bool EXACT = sizeof(T) == 4;
    auto& s = shared<Shared>();
    const FineTile tile(p);
    if (tile.x >= p.width)
        return;
    if constexpr (PHOTO)
        load_photo<T, Shared::PATCH_COLUMNS>(*photo, tile.y - 1, tile.x - 1, Shared::PATCH, THREADS, s.patch);
    Products<T> products;
    products.compute(p, tile, s.stages);

    Fine fine = {};
    const bool pairs =
        reinterpret_cast<unsigned long long>(p.out) % (2 * sizeof(T)) == 0 && p.out_pitch % 2 == 0 && p.cout % 2 == 0;
    if constexpr (!PHOTO) {
        each_pair<T>(p, tile, [&](const T* from, int c, int i) {
            if (pairs) {
                const auto pair = *reinterpret_cast<const Pack<T, 2>*>(from);
                fine[c][i] = to_float(pair[0]);
                fine[c][i + 1] = to_float(pair[1]);
            } else {
                fine[c][i] = to_float(from[0]);
                fine[c][i + 1] = tile.n + lane() % 4 * 2 + 1 < p.cout ? to_float(from[1]) : 0.0f;
            }
        });
    } else if constexpr (EXACT) {
        convolve_details_exactly<Shared::PATCH_COLUMNS>(p, tile, s.patch, fine);
    } else {
        convolve_details<T, Shared::PATCH_COLUMNS>(p, tile, s.patch, fine);
    }

#pragma unroll
    for (int parity = 0; parity < 2; parity++) {
        sync_block(); // everyone has left what G takes the place of
        products.store(parity, s.g);
        sync_block();
        combine(p, tile, s.g, parity, fine);
    }

    bool overflown = false;
    const int channel = tile.n + lane() % 4 * 2;
    const float bias_0 = p.bias != nullptr && channel < p.cout ? p.bias[channel] : 0.0f;
    const float bias_1 = p.bias != nullptr && channel + 1 < p.cout ? p.bias[channel + 1] : 0.0f;
    const bool second = channel + 1 < p.cout;
    const LeakyRelu act(p.activation, p.slope);
    each_pair<T>(p, tile, [&](T* to, int c, int i) {
        const float v0 = act(fine[c][i] + bias_0), v1 = act(fine[c][i + 1] + bias_1);
        overflown |= !(fabsf(v0) < OVERFLOW_AT<T>) || (second && !(fabsf(v1) < OVERFLOW_AT<T>));
        if (pairs) {
            *reinterpret_cast<Pack<T, 2>*>(to) = {from_float<T>(v0), from_float<T>(v1)};
        } else {
            to[0] = from_float<T>(v0);
            if (second)
                to[1] = from_float<T>(v1);
        }
    });
    report_overflow(overflown, p.overflow, p.overflow_bit);
}

template <class T>
constexpr bool CAN_RUN = HAS_MMA<T>;
template <>
constexpr bool CAN_RUN<float> = true;

} // namespace jmatte

// ---------------------------------------------------------------- entry points

using namespace jmatte;

#define FUSE(suffix, T)                                                                                                \
    JMATTE_KERNEL(detail_capture_fuse_##suffix, Fusion, THREADS, sizeof(FusionShared<T, false>)) {                     \
        if constexpr (CAN_RUN<T>)                                                                                      \
            fuse<T, false>(p, nullptr);                                                                                \
    }                                                                                                                  \
    JMATTE_KERNEL(detail_capture_fuse_photo_##suffix, PhotoFusion, THREADS, sizeof(FusionShared<T, true>)) {           \
        if constexpr (CAN_RUN<T>)                                                                                      \
            fuse<T, true>(p.fusion, &p.photo);                                                                         \
    }                                                                                                                  \
    JMATTE_KERNEL(detail_capture_alpha_##suffix, Head, THREADS, 0) { plain_alpha<T>(p); }

FUSE(fp16, half)
FUSE(bf16, bfloat)
FUSE(fp32, float)

JMATTE_KERNEL(detail_capture_head_fp16, Head, THREADS, sizeof(HeadPatch)) { matting_head<half>(p); }
JMATTE_KERNEL(detail_capture_head_bf16, Head, THREADS, sizeof(HeadPatch)) { matting_head<bfloat>(p); }
JMATTE_KERNEL(detail_capture_head_fp32, Head, THREADS, sizeof(ExactHead)) { matting_head_exactly(p); }
