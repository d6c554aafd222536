// The frame of the convolutions with small kernels: maps of which a ring of rows is in memory, and the implicit matrix
// product over a patch with halo. Device code only; conv3x3.cu and conv2x2.cu say what is computed and how to launch.
//
// A block computes ROWS x 16 positions and BLOCK_N channels of the output: D[position, n] += A[position, k] W[n, k]'
// with k = (chunk of input channels, ky, kx, channel). The input patch of a chunk is loaded once; the taps are offsets
// into it. A step is one tap of one chunk: while it is computed, the weights of a later one and a piece of the next
// chunk's patch are on their way.
#pragma once

#include "gemm_tile.cuh"

namespace jmatte {

enum Activation { IDENTITY, GELU, LEAKY_RELU };

/// Columns of the output that a list of active columns counts as one.
constexpr int COLUMN_BLOCK = 32;

/// out = act(norm(convolution(in) + bias)), GELU only after a norm, for the rows y0 to y1 - 1, or the listed blocks of
/// columns of them.
struct Convolution {
    void* out;
    const void* in;
    const void* weight;       // [cout][taps][cin]
    const float* bias;        // [cout] or null: zeros
    const float* norm_weight; // [cout]
    const float* norm_bias;   // [cout]
    const int* columns;       // [column_count] numbers of blocks of COLUMN_BLOCK columns, or null: all
    unsigned* overflow;       // or-ed with overflow_bit where a result is not finite; or null
    int in_height, in_width, in_ring, in_pitch;
    int out_height, out_width, out_ring, out_pitch;
    int y0, y1;
    int column_count;
    int cin, cout;
    int activation;
    float slope; // of the leaky ReLU; 0: ReLU
    float eps;   // of the norm
    unsigned overflow_bit;
};

/// The leaky ReLU, or with slope 1 the identity; NaN stays NaN.
struct LeakyRelu {
    float slope;

    JMATTE_DEVICE LeakyRelu(int activation, float slope) : slope(activation == LEAKY_RELU ? slope : 1.0f) {}
    JMATTE_DEVICE float operator()(float v) const { return v < 0.0f ? v * slope : v; }
};

/// The first column of the width-16 tile `i` in the active columns; the output's width or more: nothing to do.
JMATTE_DEVICE int first_column(const int* columns, int i) {
    constexpr int TILES = COLUMN_BLOCK / 16;
    return columns == nullptr ? i * 16 : columns[i / TILES] * COLUMN_BLOCK + i % TILES * 16;
}

JMATTE_DEVICE bool aligned16(const void* at) { return reinterpret_cast<unsigned long long>(at) % 16 == 0; }

/// The smallest magnitude that rounds to infinity.
template <class T>
constexpr float OVERFLOW_AT = 0x1.fffffep127f; // the largest float: NVRTC has no constant for infinity
template <>
constexpr float OVERFLOW_AT<half> = 65520.0f;
template <>
constexpr float OVERFLOW_AT<bfloat> = 0x1.ffp127f;

/// Reports what a warp's lanes have seen.
JMATTE_DEVICE void report_overflow(bool seen, unsigned* overflow, unsigned bit) {
    if (overflow == nullptr)
        return;
    bool any = ballot(seen) != 0;
    if (any && lane() == 0)
        atomic_or(overflow, bit);
}

// ---------------------------------------------------------------- operands in shared memory

/// N rows of PLANES * 8 elements, the chunks of equal index together: eight consecutive rows of a plane are the 128
/// bytes of all banks, whatever the first (so any tap of a patch is read without conflicts), and planes are 128 /
/// PLANES bytes apart in the banks, so eight lanes that write whole rows touch each bank once, too.
template <int PLANES, int N>
struct ChunkPlanes {
    static constexpr int APART = 8 / PLANES;
    static constexpr int PITCH = N + (APART - N % 8 + 8) % 8;
    Chunk chunks[PLANES * PITCH];

    JMATTE_DEVICE Chunk& at(int row, int plane) { return chunks[plane * PITCH + row]; }
};

/// Fragments of MT tiles of 16 rows that are `step` chunks apart. `at` is this lane's address in the first tile: with
/// k = 16 that of row lane() % 16 in plane lane() / 16, otherwise of that row in tile lane() / 16.
template <int MT>
JMATTE_DEVICE void load_rows(unsigned (&a)[MT][A_REGISTERS], const Chunk* at, int step) {
    if constexpr (MMA_K == 16) {
#pragma unroll
        for (int m = 0; m < MT; m++)
            load_matrix<4>(a[m], at + m * step);
    } else {
#pragma unroll
        for (int m = 0; m + 1 < MT; m += 2) {
            unsigned r[4];
            load_matrix<4>(r, at + m * step);
#pragma unroll
            for (int i = 0; i < 4; i++)
                a[m + i / 2][i % 2] = r[i];
        }
        if constexpr (MT % 2 == 1)
            load_matrix<2>(a[MT - 1], at + (lane() < 16 ? (MT - 1) * step : 0));
    }
}

// ---------------------------------------------------------------- frame

constexpr int CONVOLUTION_THREADS = 128;

/// Tile shapes. CHANNELS: input channels of a chunk; NORM: the norm over the output's channels, which are in one block.
template <int KERNEL_, int STRIDE_, int ROWS_, int BLOCK_N_, int WARPS_M_, int CHANNELS_, bool NORM_>
struct Frame {
    static constexpr int KERNEL = KERNEL_;
    static constexpr int STRIDE = STRIDE_;
    static constexpr int ROWS = ROWS_;
    static constexpr int BLOCK_N = BLOCK_N_;
    static constexpr int WARPS_M = WARPS_M_;
    static constexpr int CHANNELS = CHANNELS_;
    static constexpr bool NORM = NORM_;

    static constexpr int TAPS = KERNEL * KERNEL;
    static constexpr int PADDING = KERNEL / 2 * (KERNEL % 2);
    static constexpr int PATCH_ROWS = (ROWS - 1) * STRIDE + KERNEL;
    static constexpr int PATCH_COLUMNS = 15 * STRIDE + KERNEL;
    static constexpr int POSITIONS = PATCH_ROWS * PATCH_COLUMNS;
    /// With stride 2 the even columns of a patch's row come first, so that those of a tap are neighbours.
    static constexpr int EVEN_COLUMNS = (PATCH_COLUMNS + 1) / 2;

    static constexpr int PLANES = CHANNELS / CHUNK;
    static constexpr int WARPS = CONVOLUTION_THREADS / WARP;
    static constexpr int WARPS_N = WARPS / WARPS_M;
    static constexpr int MT = ROWS / WARPS_M; // a tile of 16 is a row of the output's
    static constexpr int NT = BLOCK_N / WARPS_N / 8;
    static constexpr int STAGES = ASYNC_COPIES ? 3 : 2;

    /// The pieces of a patch travel with all steps of the chunk before but one: see PatchLoader.
    static constexpr int PIECES = TAPS - 1;
    static constexpr int PIECE = ceil_div(ceil_div(POSITIONS * PLANES, PIECES), CONVOLUTION_THREADS);

    using Patch = ChunkPlanes<PLANES, POSITIONS>;
    using Weights = ChunkPlanes<PLANES, BLOCK_N>;

    /// A warp's 16 rows of the output on their way out: the pitch is an odd number of chunks.
    static constexpr int STRIP_PITCH = (NT | 1) * CHUNK;

    struct Operands {
        Weights weights[STAGES];
        Patch patches[2];
    };
    struct Shared {
        union {
            Operands operands;
            unsigned short strips[WARPS][16 * STRIP_PITCH];
        };
        float partial[NORM ? WARPS_N : 1][NORM ? ROWS * 16 : 1];
        long long rows[PATCH_ROWS]; // where a row of the patch begins in the input, or -1: outside
    };

    static JMATTE_DEVICE constexpr int position(int row, int column) {
        return STRIDE == 1 ? row * PATCH_COLUMNS + column
                           : row * PATCH_COLUMNS + column % 2 * EVEN_COLUMNS + column / 2;
    }
};

/// This block's part of the output.
struct OutputTile {
    int y, x, n;
    bool empty;

    JMATTE_DEVICE OutputTile(const Convolution& p, int rows, int block_n) {
        int tiles_n = ceil_div(p.cout, block_n);
        n = block_x() % tiles_n * block_n;
        x = first_column(p.columns, block_x() / tiles_n);
        y = p.y0 + block_y() * rows;
        empty = x >= p.out_width;
    }
};

/// Where the rows of the patch begin in the ring. A barrier must follow.
template <class F>
JMATTE_DEVICE void find_rows(const Convolution& p, const OutputTile& tile, long long* rows) {
    for (int i = thread(); i < F::PATCH_ROWS; i += CONVOLUTION_THREADS) {
        int y = tile.y * F::STRIDE - F::PADDING + i;
        bool inside = y >= 0 && y < p.in_height;
        rows[i] = inside ? (long long)(y % p.in_ring) * p.in_width * p.in_pitch : -1;
    }
}

/// What pipeline() loads: the weights of a step, and with it a piece of the patch.
///
/// Patch c lies in buffer c % 2, which patch c - 2 leaves after the last step of chunk c - 1. Its pieces go with the
/// weights of steps (c - 1) TAPS + 2 to c TAPS: these are loaded after the barrier that ends step (c - 1) TAPS - 1
/// (three stages) or stored beside the computation of step (c - 1) TAPS + 1 or later (two stages), and are complete
/// when step c TAPS begins.
template <class T, class F>
class ConvolutionLoader {
public:
    JMATTE_DEVICE ConvolutionLoader(const Convolution& p, const OutputTile& tile, typename F::Shared& s)
        : p(p), s(s), in(static_cast<const T*>(p.in)), x(tile.x * F::STRIDE - F::PADDING),
          wide_in(aligned16(p.in) && p.in_pitch % CHUNK == 0), wide_weight(aligned16(p.weight) && p.cin % CHUNK == 0),
          chunks(ceil_div(p.cin, F::CHANNELS)) {
#pragma unroll
        for (int i = 0; i < WEIGHTS; i++) {
            int n = tile.n + weight_row(i);
            weight[i] = n < p.cout && weight_row(i) < F::BLOCK_N
                            ? static_cast<const T*>(p.weight) + (long long)n * F::TAPS * p.cin
                            : nullptr;
        }
    }

    JMATTE_DEVICE int steps() const { return chunks * F::TAPS; }

    /// The whole first patch, before the loop.
    JMATTE_DEVICE void first_patch() {
        for (int v = thread(); v < F::POSITIONS * F::PLANES; v += CONVOLUTION_THREADS) {
            Source from = patch_source(0, v);
            Chunk& to = s.operands.patches[0].at(v / F::PLANES, v % F::PLANES);
            if (from.wide)
                copy_async(&to, from.at, from.count > 0);
            else
                to = load_narrow(from.at, from.count);
        }
    }

    JMATTE_DEVICE void copy(typename F::Weights& to, int step) {
#pragma unroll
        for (int i = 0; i < WEIGHTS; i++)
            if (weight_row(i) < F::BLOCK_N) {
                Source from = weight_source(step, i);
                Chunk& target = to.at(weight_row(i), plane());
                if (from.wide)
                    copy_async(&target, from.at, from.count > 0);
                else
                    target = load_narrow(from.at, from.count);
            }
        each_of_piece(step, [&](int, int chunk, int v) {
            Source from = patch_source(chunk, v);
            Chunk& target = s.operands.patches[chunk % 2].at(v / F::PLANES, v % F::PLANES);
            if (from.wide)
                copy_async(&target, from.at, from.count > 0);
            else
                target = load_narrow(from.at, from.count);
        });
    }

    JMATTE_DEVICE void fetch(int step) {
        fetched = step;
#pragma unroll
        for (int i = 0; i < WEIGHTS; i++)
            if (weight_row(i) < F::BLOCK_N)
                staged_weights[i] = weight_source(step, i).load();
        each_of_piece(step, [&](int i, int chunk, int v) { staged_piece[i] = patch_source(chunk, v).load(); });
    }
    JMATTE_DEVICE void put(typename F::Weights& to) {
#pragma unroll
        for (int i = 0; i < WEIGHTS; i++)
            if (weight_row(i) < F::BLOCK_N)
                to.at(weight_row(i), plane()) = staged_weights[i];
        each_of_piece(fetched, [&](int i, int chunk, int v) {
            s.operands.patches[chunk % 2].at(v / F::PLANES, v % F::PLANES) = staged_piece[i];
        });
    }

private:
    static constexpr int WEIGHTS = ceil_div(F::BLOCK_N * F::PLANES, CONVOLUTION_THREADS);

    /// Up to 8 elements to be loaded; none: zeros. Wide: by one access, or by none.
    struct Source {
        const T* at;
        int count;
        bool wide;

        JMATTE_DEVICE Source(const T* base, const T* at, int count, bool aligned)
            : at(count > 0 ? at : base), count(count), wide(aligned && (count >= CHUNK || count <= 0)) {}
        JMATTE_DEVICE Chunk load() const {
            if (!wide)
                return load_narrow(at, count);
            return count > 0 ? *reinterpret_cast<const Chunk*>(at) : Chunk{};
        }
    };

    const Convolution& p;
    typename F::Shared& s;
    const T* in;
    int x;
    bool wide_in, wide_weight;
    int chunks;
    const T* weight[WEIGHTS];
    Chunk staged_weights[WEIGHTS];
    Chunk staged_piece[F::PIECE];
    int fetched = 0;

    static JMATTE_DEVICE int plane() { return thread() % F::PLANES; }
    static JMATTE_DEVICE int weight_row(int i) { return thread() / F::PLANES + i * (CONVOLUTION_THREADS / F::PLANES); }

    JMATTE_DEVICE Source weight_source(int step, int i) const {
        int channel = step / F::TAPS * F::CHANNELS + plane() * CHUNK;
        bool inside = weight[i] != nullptr;
        return Source(static_cast<const T*>(p.weight), weight[i] + (inside ? step % F::TAPS * p.cin + channel : 0),
                      inside ? p.cin - channel : 0, wide_weight);
    }

    /// Element v of a patch, in the order in which they lie in shared memory but for the planes.
    JMATTE_DEVICE Source patch_source(int chunk, int v) const {
        int position = v / F::PLANES;
        int row = position / F::PATCH_COLUMNS;
        int column = position % F::PATCH_COLUMNS;
        if (F::STRIDE == 2)
            column = column < F::EVEN_COLUMNS ? 2 * column : 2 * (column - F::EVEN_COLUMNS) + 1;
        int at_x = x + column;
        int channel = chunk * F::CHANNELS + v % F::PLANES * CHUNK;
        long long begin = s.rows[row];
        bool inside = begin >= 0 && at_x >= 0 && at_x < p.in_width;
        return Source(in, in + (inside ? begin + (long long)at_x * p.in_pitch + channel : 0),
                      inside ? p.cin - channel : 0, wide_in);
    }

    /// f(i, chunk, v) for this thread's elements v of the piece of a chunk's patch that goes with a step.
    template <class Function>
    JMATTE_DEVICE void each_of_piece(int step, const Function& f) const {
        int piece = (step + F::TAPS - 2) % F::TAPS;
        int chunk = (step + F::TAPS - 2) / F::TAPS;
        if (chunk == 0 || chunk >= chunks || piece >= F::PIECES)
            return;
#pragma unroll
        for (int i = 0; i < F::PIECE; i++) {
            int v = (piece * F::PIECE + i) * CONVOLUTION_THREADS + thread();
            if (v < F::POSITIONS * F::PLANES)
                f(i, chunk, v);
        }
    }
};

/// sums += the products of one tap and the first CHANNELS channels at `a` and `b`, this lane's addresses in the tiles.
template <class T, class F, int CHANNELS>
JMATTE_DEVICE void multiply_tap(float (&sums)[F::MT][F::NT][4], const Chunk* a, const Chunk* b) {
#pragma unroll
    for (int k = 0; k < CHANNELS; k += MMA_K) {
        unsigned rows[F::MT][A_REGISTERS];
        unsigned weights[F::NT][B_REGISTERS];
        load_rows<F::MT>(rows, a + k / CHUNK * F::Patch::PITCH, F::STRIDE * F::PATCH_COLUMNS);
        const Chunk* plane = b + k / CHUNK * F::Weights::PITCH;
        load_b(weights, [&](int row, int chunk) { return plane + chunk * F::Weights::PITCH + row; });
        mma_tile<T>(sums, rows, weights);
    }
}

// ---------------------------------------------------------------- epilogue

/// v summed over the four lanes of a row and over the warps that share it, in the same order for each.
template <class F>
JMATTE_DEVICE void sum_rows(float (&v)[F::MT][2], typename F::Shared& s) {
    const int warp_m = warp() / F::WARPS_N, warp_n = warp() % F::WARPS_N;
    sync_block(); // everyone has left the sums before
#pragma unroll
    for (int m = 0; m < F::MT; m++)
#pragma unroll
        for (int i = 0; i < 2; i++) {
            v[m][i] += shuffle_xor(v[m][i], 1);
            v[m][i] += shuffle_xor(v[m][i], 2);
            if (lane() % 4 == 0)
                s.partial[warp_n][(warp_m * F::MT + m) * 16 + i * 8 + lane() / 4] = v[m][i];
        }
    sync_block();
#pragma unroll
    for (int m = 0; m < F::MT; m++)
#pragma unroll
        for (int i = 0; i < 2; i++) {
            v[m][i] = 0.0f;
#pragma unroll
            for (int w = 0; w < F::WARPS_N; w++)
                v[m][i] += s.partial[w][(warp_m * F::MT + m) * 16 + i * 8 + lane() / 4];
        }
}

/// Replaces sums by (sum - mean) / sqrt(variance + eps) over the output's channels; `first`: this lane's first channel.
template <class F>
JMATTE_DEVICE void normalise(const Convolution& p, float (&sums)[F::MT][F::NT][4], int first, typename F::Shared& s) {
    const float share = 1.0f / float(p.cout);
    float v[F::MT][2];
#pragma unroll
    for (int m = 0; m < F::MT; m++)
#pragma unroll
        for (int i = 0; i < 2; i++) {
            v[m][i] = 0.0f;
#pragma unroll
            for (int n = 0; n < F::NT; n++)
                v[m][i] += sums[m][n][2 * i] + sums[m][n][2 * i + 1]; // zeros where there is no channel
        }
    sum_rows<F>(v, s);
#pragma unroll
    for (int m = 0; m < F::MT; m++)
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const float mean = v[m][i] * share;
            v[m][i] = 0.0f;
#pragma unroll
            for (int n = 0; n < F::NT; n++)
#pragma unroll
                for (int j = 0; j < 2; j++) {
                    float& sum = sums[m][n][2 * i + j];
                    sum = first + n * 8 + j < p.cout ? sum - mean : 0.0f;
                    v[m][i] = fmaf(sum, sum, v[m][i]);
                }
        }
    sum_rows<F>(v, s);
#pragma unroll
    for (int m = 0; m < F::MT; m++)
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const float scale = 1.0f / sqrtf(fmaf(v[m][i], share, p.eps));
#pragma unroll
            for (int n = 0; n < F::NT; n++)
#pragma unroll
                for (int j = 0; j < 2; j++)
                    sums[m][n][2 * i + j] *= scale;
        }
}

/// Replaces a warp's sums by act(norm(sum + bias)); whether one of them does not fit T.
template <class T, class F>
JMATTE_DEVICE bool finish(const Convolution& p, const OutputTile& tile, float (&sums)[F::MT][F::NT][4],
                          typename F::Shared& s) {
    const int first = tile.n + warp() % F::WARPS_N * F::NT * 8 + lane() % 4 * 2;
    const int y = tile.y + warp() / F::WARPS_N * F::MT;
#pragma unroll
    for (int n = 0; n < F::NT; n++)
#pragma unroll
        for (int j = 0; j < 2; j++) {
            const int channel = first + n * 8 + j;
            const float bias = p.bias != nullptr && channel < p.cout ? p.bias[channel] : 0.0f;
#pragma unroll
            for (int m = 0; m < F::MT; m++) {
                sums[m][n][j] += bias;
                sums[m][n][2 + j] += bias;
            }
        }
    if constexpr (F::NORM)
        normalise<F>(p, sums, first, s);
    bool overflown = false;
    auto apply = [&](const auto& act) {
#pragma unroll
        for (int n = 0; n < F::NT; n++)
#pragma unroll
            for (int j = 0; j < 2; j++) {
                const int channel = first + n * 8 + j;
                const bool valid = channel < p.cout;
                const float weight = F::NORM && valid ? p.norm_weight[channel] : 1.0f;
                const float bias = F::NORM && valid ? p.norm_bias[channel] : 0.0f;
#pragma unroll
                for (int m = 0; m < F::MT; m++)
#pragma unroll
                    for (int i = 0; i < 2; i++) {
                        float v = sums[m][n][2 * i + j];
                        v = act(F::NORM ? fmaf(v, weight, bias) : v);
                        sums[m][n][2 * i + j] = v;
                        const bool inside = valid && y + m < p.y1 && tile.x + lane() / 4 + 8 * i < p.out_width;
                        overflown |= inside && !(fabsf(v) < OVERFLOW_AT<T>);
                    }
            }
    };
    if constexpr (F::NORM) {
        if (p.activation == GELU) {
            apply([](float v) { return gelu(v); });
            return overflown;
        }
    }
    apply(LeakyRelu(p.activation, p.slope));
    return overflown;
}

/// A row of a map at column x; nullptr outside of the rows up to y1.
template <class T>
JMATTE_DEVICE T* output_row(const Convolution& p, int y, int x) {
    return static_cast<T*>(p.out) + ((long long)(y % p.out_ring) * p.out_width + x) * p.out_pitch;
}

/// Stores up to 8 channels.
template <class T>
JMATTE_DEVICE void store_chunk(T* to, const Chunk& chunk, int count, bool wide) {
    if (wide && count >= CHUNK) {
        *reinterpret_cast<Chunk*>(to) = chunk;
        return;
    }
#pragma unroll
    for (int i = 0; i < CHUNK; i++)
        if (i < count)
            to[i].bits = (unsigned short)(chunk[i / 2] >> i % 2 * 16);
}

/// Stores 16 positions of a row, 8 NT channels each, from a warp's accumulators, through its strip of shared memory.
/// `to`: the first position's first channel; `positions`, `channels`: how many of them exist.
template <class T, int NT, int PITCH>
JMATTE_DEVICE void store_row(T* to, int pitch, int positions, int channels, bool wide, const float (&sums)[NT][4],
                             unsigned short* strip) {
    static_assert(NT * CHUNK <= PITCH && PITCH / CHUNK % 2 == 1, "rows of the strip start in different banks");
#pragma unroll
    for (int n = 0; n < NT; n++)
#pragma unroll
        for (int i = 0; i < 2; i++)
            *reinterpret_cast<unsigned*>(strip + (lane() / 4 + 8 * i) * PITCH + n * 8 + lane() % 4 * 2) =
                pack2<T>(sums[n][2 * i], sums[n][2 * i + 1]);
    sync_warp();
#pragma unroll
    for (int i = 0; i < ceil_div(16 * NT, WARP); i++) {
        const int position = (i * WARP + lane()) / NT;
        const int chunk = (i * WARP + lane()) % NT;
        if (position < 16 && position < positions)
            store_chunk(to + (long long)position * pitch + chunk * CHUNK,
                        *reinterpret_cast<const Chunk*>(strip + position * PITCH + chunk * CHUNK),
                        channels - chunk * CHUNK, wide);
    }
    sync_warp();
}

// ---------------------------------------------------------------- kernel

template <class T, class F>
JMATTE_DEVICE void convolve(const Convolution& p) {
    if constexpr (HAS_MMA<T>) {
        auto& s = shared<typename F::Shared>();
        const OutputTile tile(p, F::ROWS, F::BLOCK_N);
        if (tile.empty)
            return;
        find_rows<F>(p, tile, s.rows);
        sync_block();

        const int warp_m = warp() / F::WARPS_N * F::MT, warp_n = warp() % F::WARPS_N * F::NT * 8;
        // Lanes 16 to 31 point to the second chunk of k where an mma takes two, else to the second tile of 16.
        const int lane_row = MMA_K == 16 ? 0 : lane() / 16, lane_plane = MMA_K == 16 ? lane() / 16 : 0;
        const int a = lane_plane * F::Patch::PITCH + F::position((warp_m + lane_row) * F::STRIDE, 0) + lane() % 16;

        ConvolutionLoader<T, F> loader(p, tile, s);
        loader.first_patch();
        float sums[F::MT][F::NT][4] = {};
        int chunk = 0, ky = 0, kx = 0;
        pipeline(s.operands.weights, loader.steps(), loader, [&](typename F::Weights& weights) {
            const Chunk* at = s.operands.patches[chunk % 2].chunks + a + F::position(ky, kx);
            const Chunk* b = weights.chunks + warp_n;
            const int channels = p.cin - chunk * F::CHANNELS;
            if (channels > F::CHANNELS - MMA_K)
                multiply_tap<T, F, F::CHANNELS>(sums, at, b);
            else
                for (int k = 0; k < channels; k += MMA_K)
                    multiply_tap<T, F, MMA_K>(sums, at + k / CHUNK * F::Patch::PITCH,
                                              b + k / CHUNK * F::Weights::PITCH);
            if (++kx == F::KERNEL) {
                kx = 0;
                if (++ky == F::KERNEL) {
                    ky = 0;
                    chunk++;
                }
            }
        });

        const bool overflown = finish<T, F>(p, tile, sums, s);
        report_overflow(overflown, p.overflow, p.overflow_bit);
        sync_block(); // the strips take the place of the operands
        const bool wide = aligned16(p.out) && p.out_pitch % CHUNK == 0;
#pragma unroll
        for (int m = 0; m < F::MT; m++) {
            const int y = tile.y + warp_m + m;
            if (y < p.y1)
                store_row<T, F::NT, F::STRIP_PITCH>(output_row<T>(p, y, tile.x) + tile.n + warp_n, p.out_pitch,
                                                    p.out_width - tile.x, p.cout - tile.n - warp_n, wide, sums[m],
                                                    s.strips[warp()]);
        }
    }
}

} // namespace jmatte
