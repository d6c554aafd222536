// Matrix product with epilogue, the linear layers and 1x1 convolutions of all networks:
//
//     D[scatter[i], n] = act(sum_k A[gather[i], k] W[n, k] + bias[n]) scale[n] + residual[scatter[i], n]
//
//     a         [*, k]  T      row pitch lda elements; row gather[i], or i without gather; a negative index is a row of
//                              zeros
//     w         [n, k]  T      row pitch ldw
//     d         [*, n]  D      row pitch ldd; row scatter[i], or i without scatter, distinct; a negative index: no row
//     bias      [n]     float  or null: zeros
//     scale     [n]     float  or null: ones
//     residual  [*, n]  D      row pitch ldr, or null; may be d itself. With residual_first it is added before act.
//     gather, scatter   [m]    int, or null
//     count     [1]     int    or null: rows are min(m, count), read on the device, so that m is a cap
//     overflow  [1]     unsigned, or null: or-ed with overflow_bit where a value of D is not finite
//     act: identity, GELU (exact form), leaky ReLU with `slope` (0: ReLU)
//
// T is half, bfloat (sm_80 on) or float, D is T or float: a residual stream in float takes half operands. Sums begin
// with the bias and are accumulated in float, from the first k to the last; the epilogue is in float; D is rounded
// once. A norm of A on the way in is not part of this: a norm kernel before it costs little more than the traffic of
// one map.
//
// Launch: grid x = ceil(m / BLOCK_M) ceil(n / BLOCK_N), tiles of n fastest so that a row of A is read from DRAM once;
// threads and shared bytes as the entry points say. Blocks beyond the rows leave at once. m, n, k are any from 0 on.
//
//     gemm_128x128_T[_D]    16-byte loads: a, w start at multiples of 16 bytes, lda, ldw, k are multiples of 8
//     gemm_128x64_T[_D]     the same; for grids that leave multiprocessors idle otherwise, and n <= 64
//     gemm_unaligned_T[_D]  128x64, element by element where the two conditions do not hold: several times slower
//     gemm_fp32             128x64 on the plain FMA units, any alignment
// Stores are 16 bytes wide where d, residual and their pitches allow, otherwise element by element; that costs little.
//
// Phases: (1) tiles of A and W to shared memory, STAGES deep, while the warps multiply; (2) each warp passes its
// accumulators through a strip of shared memory, 16 rows at a time, to get whole packs of a row, while the next rows of
// the residual are on their way.
//
// The wrong choice: for m below about 16 (a matrix-vector product: most of each mma is padding), for very small k, and
// for products over k of more than a few thousand with few tiles (there is no split over k).
#include "gemm_tile.cuh"

namespace jmatte {

// ---------------------------------------------------------------- parameters

enum Activation { IDENTITY, GELU, LEAKY_RELU };

struct Gemm {
    void* d;
    const void* a;
    const void* w;
    const float* bias;
    const float* scale;
    const void* residual;
    const int* gather;
    const int* scatter;
    const int* count;
    unsigned* overflow;
    long long ldd, lda, ldw, ldr;
    int m, n, k;
    int activation;
    float slope;
    int residual_first;
    unsigned overflow_bit;
};

// ---------------------------------------------------------------- geometry

constexpr int BLOCK_M = 128;
constexpr int THREADS = 256;
constexpr int WARPS = THREADS / WARP;

/// A warp computes 64x32 of 128x128 (64 accumulators per lane; 12 bytes of shared memory per 128 products keep the
/// matrix units of every card fed), or 32x32 of 128x64.
constexpr int WARP_N = 32;

/// Without asynchronous copies two stages (32 KB, two blocks on sm_75's 64 KB), otherwise 48 KB.
template <int BLOCK_N>
constexpr int STAGES = !ASYNC_COPIES    ? 2
                       : BLOCK_N == 128 ? 3
                                        : 4;

template <int BLOCK_N>
struct Stage {
    OperandTile<BLOCK_M> a;
    OperandTile<BLOCK_N> w;
};

/// A warp's 16 rows of 32 floats on their way to D. Rows are 8 banks apart and odd rows have their groups of four
/// floats exchanged in pairs: neither the pairs that mma leaves in a lane nor the packs that are read conflict.
struct Strip {
    static constexpr int ROWS = 16;
    static constexpr int PITCH = WARP_N + 8;
    float values[ROWS * PITCH];

    /// `column` is a multiple of 2 for pairs, of 4 for groups.
    JMATTE_DEVICE float* at(int row, int column) { return &values[row * PITCH + (column ^ row % 2 * 4)]; }
};

template <int BLOCK_N>
union Shared {
    Stage<BLOCK_N> stages[STAGES<BLOCK_N>];
    Strip strips[WARPS];
};

/// Where this block's tile of D begins, and how many rows there are.
struct Tile {
    int rows;
    int row;
    int column;

    JMATTE_DEVICE Tile(const Gemm& p, int block_n) {
        int tiles_n = ceil_div(p.n, block_n);
        rows = p.m;
        if (p.count != nullptr && *p.count < rows)
            rows = *p.count;
        row = block_x() / tiles_n * BLOCK_M;
        column = block_x() % tiles_n * block_n;
    }
    JMATTE_DEVICE bool empty() const { return row >= rows; }
};

template <class T>
JMATTE_DEVICE const T* row_of_a(const Gemm& p, const Tile& tile, int i) {
    int row = tile.row + i;
    if (row >= tile.rows)
        return nullptr;
    if (p.gather != nullptr)
        row = p.gather[row];
    return row < 0 ? nullptr : static_cast<const T*>(p.a) + row * p.lda;
}
template <class T>
JMATTE_DEVICE const T* row_of_w(const Gemm& p, const Tile& tile, int i) {
    int row = tile.column + i;
    return row >= p.n ? nullptr : static_cast<const T*>(p.w) + row * p.ldw;
}

// ---------------------------------------------------------------- epilogue

/// The largest float that does not round to infinity.
template <class D>
constexpr float LARGEST = 0x1.fffffep127f;
template <>
constexpr float LARGEST<half> = 0x1.ffdffep15f;
template <>
constexpr float LARGEST<bfloat> = 0x1.fefffep127f;

JMATTE_DEVICE float bias_of(const Gemm& p, int column) {
    return p.bias != nullptr && column < p.n ? p.bias[column] : 0.0f;
}

/// Element i of 16 bytes of D.
template <class D>
JMATTE_DEVICE float element(const Chunk& chunk, int i) {
    if constexpr (sizeof(D) == 4)
        return bits_float(chunk[i]);
    else
        return to_float(D{(unsigned short)(chunk[i / 2] >> i % 2 * 16)});
}
template <class D>
JMATTE_DEVICE Chunk rounded(const Pack<float, PACK<D>>& v) {
    Chunk chunk;
#pragma unroll
    for (int i = 0; i < 4; i++)
        if constexpr (sizeof(D) == 4)
            chunk[i] = float_bits(v[i]);
        else
            chunk[i] = pack2<D>(v[2 * i], v[2 * i + 1]);
    return chunk;
}

/// Everything after the sum, for the same PACK<D> columns of D in many rows.
template <class D>
class Epilogue {
public:
    static constexpr int N = PACK<D>;

    JMATTE_DEVICE Epilogue(const Gemm& p, int column) : p(p), column(column) {
        auto wide = [](const void* at, long long pitch) {
            return reinterpret_cast<unsigned long long>(at) % 16 == 0 && pitch % N == 0;
        };
        packed = column + N <= p.n && wide(p.d, p.ldd) && wide(p.residual, p.ldr);
    }

    /// The residual of a row of D; zeros where there is none.
    JMATTE_DEVICE Chunk residual(int row) const {
        Chunk chunk{};
        if (p.residual == nullptr || row < 0)
            return chunk;
        const D* at = static_cast<const D*>(p.residual) + row * p.ldr + column;
        if (packed)
            return *reinterpret_cast<const Chunk*>(at);
        Pack<float, N> v{};
#pragma unroll
        for (int i = 0; i < N; i++)
            if (column + i < p.n)
                v[i] = to_float(at[i]);
        return rounded<D>(v);
    }

    /// Stores a row of D from its sums.
    JMATTE_DEVICE void store(int row, Pack<float, N> v, const Chunk& residual) {
        if (row < 0)
            return;
        if (p.residual_first)
#pragma unroll
            for (int i = 0; i < N; i++)
                v[i] += element<D>(residual, i);
        if (p.activation == GELU)
#pragma unroll
            for (int i = 0; i < N; i++)
                v[i] = gelu(v[i]);
        if (p.activation == LEAKY_RELU)
#pragma unroll
            for (int i = 0; i < N; i++)
                v[i] = v[i] < 0.0f ? v[i] * p.slope : v[i];
        if (p.scale != nullptr) // rare, and then in the first cache: not worth registers
#pragma unroll
            for (int i = 0; i < N; i++)
                v[i] *= column + i < p.n ? p.scale[column + i] : 1.0f;
        if (!p.residual_first)
#pragma unroll
            for (int i = 0; i < N; i++)
                v[i] += element<D>(residual, i);
        D* at = static_cast<D*>(p.d) + row * p.ldd + column;
        if (packed) {
            *reinterpret_cast<Chunk*>(at) = rounded<D>(v);
#pragma unroll
            for (int i = 0; i < N; i++)
                overflown |= !(fabsf(v[i]) <= LARGEST<D>);
            return;
        }
#pragma unroll
        for (int i = 0; i < N; i++)
            if (column + i < p.n) {
                at[i] = from_float<D>(v[i]);
                overflown |= !(fabsf(v[i]) <= LARGEST<D>);
            }
    }

    /// After the last row, by whole warps.
    JMATTE_DEVICE void report() const {
        if (p.overflow == nullptr)
            return;
        bool any = ballot(overflown) != 0;
        if (any && lane() == 0)
            atomic_or(p.overflow, p.overflow_bit);
    }

private:
    const Gemm& p;
    int column;
    bool packed;
    bool overflown = false;
};

/// Accumulators of 16 rows, from where mma leaves them.
template <int NT>
JMATTE_DEVICE void write_strip(Strip& strip, const float (&sums)[NT][4]) {
#pragma unroll
    for (int n = 0; n < NT; n++)
#pragma unroll
        for (int i = 0; i < 2; i++) {
            float* at = strip.at(lane() / 4 + 8 * i, 8 * n + lane() % 4 * 2);
            *reinterpret_cast<Pack<float, 2>*>(at) = {sums[n][2 * i], sums[n][2 * i + 1]};
        }
}

/// Stores a warp's accumulators, whose first element is D's (`row`, `column`) before scattering.
template <class D, int MT, int NT>
JMATTE_DEVICE void store_tile(const Gemm& p, int rows, int row, int column, const float (&sums)[MT][NT][4],
                              Strip& strip) {
    static_assert(NT * 8 == WARP_N, "a strip's width");
    constexpr int N = PACK<D>;
    constexpr int LANES = WARP_N / N;             // of a row
    constexpr int AT_ONCE = WARP / LANES;         // rows
    constexpr int PASSES = Strip::ROWS / AT_ONCE; // for a strip
    Epilogue<D> epilogue(p, column + lane() % LANES * N);

    // Lanes l and l + 16 know the row of D that row l of a strip goes to; the next strip's are read ahead.
    auto targets = [&](int m) {
        int r = row + m * Strip::ROWS + lane() % Strip::ROWS;
        return r >= rows ? -1 : p.scatter != nullptr ? p.scatter[r] : r;
    };
    auto of_pass = [](int rows_of_strip, int pass) { return shuffle(rows_of_strip, pass * AT_ONCE + lane() / LANES); };
    int target = targets(0);

    Chunk residual[PASSES]; // each pack is replaced by the next strip's as soon as it is used
#pragma unroll
    for (int pass = 0; pass < PASSES; pass++)
        residual[pass] = epilogue.residual(of_pass(target, pass));
#pragma unroll 1 // one copy of the epilogue: MT of them would not fit the instruction cache
    for (int m = 0; m < MT; m++) {
        int next = targets(m + 1);
#pragma unroll
        for (int i = 0; i < MT; i++)
            if (i == m)
                write_strip(strip, sums[i]);
        sync_warp();
#pragma unroll
        for (int pass = 0; pass < PASSES; pass++) {
            Pack<float, N> v;
#pragma unroll
            for (int i = 0; i < N; i += 4) {
                float* at = strip.at(pass * AT_ONCE + lane() / LANES, lane() % LANES * N + i);
                auto group = *reinterpret_cast<const Pack<float, 4>*>(at);
#pragma unroll
                for (int j = 0; j < 4; j++)
                    v[i + j] = group[j];
            }
            epilogue.store(of_pass(target, pass), v, residual[pass]);
            if (m + 1 < MT)
                residual[pass] = epilogue.residual(of_pass(next, pass));
        }
        target = next;
        sync_warp();
    }
    epilogue.report();
}

// ---------------------------------------------------------------- matrix units

template <class T, int BLOCK_N, bool WIDE>
struct Loads {
    RowLoader<T, BLOCK_M, THREADS, WIDE> a;
    RowLoader<T, BLOCK_N, THREADS, WIDE> w;

    JMATTE_DEVICE void copy(Stage<BLOCK_N>& stage, int step) {
        a.copy(stage.a, step * STEP_K);
        w.copy(stage.w, step * STEP_K);
    }
    JMATTE_DEVICE void fetch(int step) {
        a.fetch(step * STEP_K);
        w.fetch(step * STEP_K);
    }
    JMATTE_DEVICE void put(Stage<BLOCK_N>& stage) {
        a.put(stage.a);
        w.put(stage.w);
    }
};

template <class T, class D, int BLOCK_N, bool WIDE>
JMATTE_DEVICE void gemm(const Gemm& p) {
    if constexpr (HAS_MMA<T>) {
        constexpr int WARPS_N = BLOCK_N / WARP_N;
        constexpr int WARP_M = BLOCK_M / (WARPS / WARPS_N);
        auto& s = shared<Shared<BLOCK_N>>();
        Tile tile(p, BLOCK_N);
        if (tile.empty())
            return;
        int warp_m = warp() / WARPS_N * WARP_M;
        int warp_n = warp() % WARPS_N * WARP_N;

        Loads<T, BLOCK_N, WIDE> loads{{p.k, [&](int i) { return row_of_a<T>(p, tile, i); }},
                                      {p.k, [&](int i) { return row_of_w<T>(p, tile, i); }}};
        float sums[WARP_M / 16][WARP_N / 8][4]; // they begin with the bias: nothing is left of it to do later
#pragma unroll
        for (int n = 0; n < WARP_N / 8; n++)
#pragma unroll
            for (int i = 0; i < 2; i++) {
                float bias = bias_of(p, tile.column + warp_n + 8 * n + lane() % 4 * 2 + i);
#pragma unroll
                for (auto& row : sums)
                    row[n][i] = row[n][i + 2] = bias;
            }
        pipeline(s.stages, ceil_div(p.k, STEP_K), loads,
                 [&](Stage<BLOCK_N>& stage) { multiply<T>(sums, stage.a, warp_m, stage.w, warp_n); });

        sync_block(); // the strips take the place of the stages
        store_tile<D>(p, tile.rows, tile.row + warp_m, tile.column + warp_n, sums, s.strips[warp()]);
    }
}

// ---------------------------------------------------------------- plain units

/// A step of the product in float: operands transposed, so that a thread reads four rows or four columns at once.
struct PlainStage {
    static constexpr int K = 16;
    static constexpr int N = 64;
    float a[K][BLOCK_M + 4];
    float w[K][N + 4];
};

/// A thread moves 4 elements of k of two rows of A and of one of W.
class PlainLoads {
public:
    JMATTE_DEVICE PlainLoads(const Gemm& p, const Tile& tile) : k(p.k) {
        auto aligned = [&](const void* at, long long pitch) {
            return reinterpret_cast<unsigned long long>(at) % 16 == 0 && pitch % 4 == 0 && p.k % 4 == 0;
        };
        wide = aligned(p.a, p.lda) && aligned(p.w, p.ldw);
#pragma unroll
        for (int i = 0; i < ROWS_A; i++)
            rows[i] = row_of_a<float>(p, tile, row(i));
        rows[ROWS_A] = row_of_w<float>(p, tile, row(0));
    }
    JMATTE_DEVICE void fetch(int step) {
        int at = step * PlainStage::K + column();
#pragma unroll
        for (int i = 0; i <= ROWS_A; i++)
            if (rows[i] != nullptr && wide && at < k)
                staged[i] = *reinterpret_cast<const Pack<float, 4>*>(rows[i] + at);
            else
#pragma unroll
                for (int j = 0; j < 4; j++)
                    staged[i][j] = rows[i] != nullptr && at + j < k ? rows[i][at + j] : 0.0f;
    }
    JMATTE_DEVICE void put(PlainStage& stage) const {
#pragma unroll
        for (int j = 0; j < 4; j++) {
#pragma unroll
            for (int i = 0; i < ROWS_A; i++)
                stage.a[column() + j][row(i)] = staged[i][j];
            stage.w[column() + j][row(0)] = staged[ROWS_A][j];
        }
    }

private:
    static constexpr int ROWS_A = 2;
    static_assert(THREADS / 4 == PlainStage::N && ROWS_A * PlainStage::N == BLOCK_M, "one share per thread");
    const float* rows[ROWS_A + 1];
    Pack<float, 4> staged[ROWS_A + 1];
    int k;
    bool wide;

    static JMATTE_DEVICE int column() { return thread() % 4 * 4; }
    static JMATTE_DEVICE int row(int i) { return thread() / 4 + i * PlainStage::N; }
};

/// A thread computes columns 4x to 4x + 3 of rows 4y to 4y + 3 and 64 + 4y to 64 + 4y + 3.
JMATTE_DEVICE void gemm_plain(const Gemm& p) {
    auto& stages = shared<PlainStage[2]>();
    Tile tile(p, PlainStage::N);
    if (tile.empty())
        return;
    int x = thread() % 16 * 4;
    int y = thread() / 16 * 4;

    Pack<float, 4> sums[8];
#pragma unroll
    for (int j = 0; j < 4; j++) {
        float bias = bias_of(p, tile.column + x + j);
#pragma unroll
        for (auto& row : sums)
            row[j] = bias;
    }
    PlainLoads loads(p, tile);
    pipeline<false>(stages, ceil_div(p.k, PlainStage::K), loads, [&](const PlainStage& stage) {
#pragma unroll
        for (int k = 0; k < PlainStage::K; k++) {
            auto w = *reinterpret_cast<const Pack<float, 4>*>(&stage.w[k][x]);
#pragma unroll
            for (int i = 0; i < 8; i += 4) {
                auto a = *reinterpret_cast<const Pack<float, 4>*>(&stage.a[k][16 * i + y]);
#pragma unroll
                for (int row = 0; row < 4; row++)
#pragma unroll
                    for (int j = 0; j < 4; j++)
                        sums[i + row][j] = fmaf(a[row], w[j], sums[i + row][j]);
            }
        }
    });

    Epilogue<float> epilogue(p, tile.column + x);
#pragma unroll
    for (int i = 0; i < 8; i++) {
        int row = tile.row + i / 4 * 64 + y + i % 4;
        int target = row >= tile.rows ? -1 : p.scatter != nullptr ? p.scatter[row] : row;
        epilogue.store(target, sums[i], epilogue.residual(target));
    }
    epilogue.report();
}

} // namespace jmatte

// ---------------------------------------------------------------- entry points

using namespace jmatte;

/// Two blocks to a multiprocessor: one multiplies while the other loads its first tiles or stores its last.
#define GEMM(block, block_n, wide, suffix, T, D)                                                                       \
    JMATTE_KERNEL_BLOCKS(gemm_##block##_##suffix, Gemm, THREADS, sizeof(Shared<block_n>), 2) {                         \
        gemm<T, D, block_n, wide>(p);                                                                                  \
    }

GEMM(128x128, 128, true, fp16, half, half)
GEMM(128x128, 128, true, fp16_fp32, half, float)
GEMM(128x64, 64, true, fp16, half, half)
GEMM(128x64, 64, true, fp16_fp32, half, float)
GEMM(unaligned, 64, false, fp16, half, half)
GEMM(unaligned, 64, false, fp16_fp32, half, float)

GEMM(128x128, 128, true, bf16, bfloat, bfloat)
GEMM(128x128, 128, true, bf16_fp32, bfloat, float)
GEMM(128x64, 64, true, bf16, bfloat, bfloat)
GEMM(128x64, 64, true, bf16_fp32, bfloat, float)
GEMM(unaligned, 64, false, bf16, bfloat, bfloat)
GEMM(unaligned, 64, false, bf16_fp32, bfloat, float)

JMATTE_KERNEL_BLOCKS(gemm_fp32, Gemm, THREADS, 2 * sizeof(PlainStage), 2) { gemm_plain(p); }
