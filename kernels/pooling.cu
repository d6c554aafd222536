// Averages of a map over the cells of an n x n grid, by two launches:
//
//     out[i, j, c] = mean of in[y, x, c] over y = floor(i H / n) .. ceil((i + 1) H / n) - 1, and x alike
//
//   out      [n, n, C] D             n = 1: the mean over all positions
//   in       [ring, W, pitch] T      H rows; `pitch` elements lie between neighbouring positions
//   partial  [n * n, slices, C] fp32 written by the first launch, read by the second
// T is half, bfloat or float, D is T or float. Cells overlap where n does not divide, and repeat where H < n. Sums are
// in fp32: a thread's positions in order, then a block's threads, then the slices of rows, always in the same order.
//
// Launch: pooling_partial_T  256 threads, grid x = slices, y = n * n, z = ceil(packs / 256) or more, where a pack is 16
//                            bytes of channels, or one channel where pitch, C or address do not allow that
//         pooling_finish_D   256 threads, grid x = ceil(C / 32), y = n * n
// Phases of partial: each thread adds a pack of channels over its share of the slice's positions; the shares are added
// through shared memory.
//
// The wrong choice: large n on large maps, where cells have too few positions for a block.
#include "device.cuh"

namespace jmatte {

struct PoolingPartial {
    float* partial;
    const void* in;
    int height, width, ring, pitch;
    int channels;
    int n;
    int slices;
};

struct PoolingFinish {
    void* out;
    const float* partial;
    int height, width;
    int channels;
    int n;
    int slices;
};

constexpr int THREADS = 256;
constexpr int WARPS = THREADS / WARP;

/// Positions `begin` to `end - 1` of an axis that belong to a cell.
struct Cell {
    int begin, end;

    JMATTE_DEVICE Cell(int i, int n, int size)
        : begin(int((long long)i * size / n)), end(int(ceil_div((long long)(i + 1) * size, (long long)n))) {}
    JMATTE_DEVICE int size() const { return end - begin; }
};

struct PartialShared {
    float sums[THREADS][PACK<bfloat> + 1]; // + 1: eight channels of 32 threads would share four banks
};

template <class T, int N>
JMATTE_DEVICE void add_positions(const PoolingPartial& p) {
    auto& s = shared<PartialShared>();
    const int packs = p.channels / N, cell = block_y();
    const int first = block_z() * THREADS;
    const int lanes = packs - first < THREADS ? packs - first : THREADS; // packs of this block
    const int shares = THREADS / lanes;                                  // of the positions
    const int share = thread() / lanes, pack = first + thread() % lanes;

    const Cell rows(cell / p.n, p.n, p.height), columns(cell % p.n, p.n, p.width);
    const int begin = rows.begin + int((long long)block_x() * rows.size() / p.slices);
    const int end = rows.begin + int((long long)(block_x() + 1) * rows.size() / p.slices);
    float sums[N] = {};
    if (share < shares) {
        const T* in = static_cast<const T*>(p.in) + pack * N;
        for (int y = begin; y < end; y++) {
            const T* row = in + (long long)(y % p.ring) * p.width * p.pitch;
#pragma unroll 4
            for (int x = columns.begin + share; x < columns.end; x += shares) {
                const auto v = *reinterpret_cast<const Pack<T, N>*>(row + (long long)x * p.pitch);
#pragma unroll
                for (int k = 0; k < N; k++)
                    sums[k] += to_float(v[k]);
            }
        }
    }
#pragma unroll
    for (int k = 0; k < N; k++)
        s.sums[thread()][k] = sums[k];
    sync_block();
    for (int i = thread(); i < lanes * N; i += THREADS) {
        float sum = 0.0f;
        for (int k = 0; k < shares; k++)
            sum += s.sums[k * lanes + i / N][i % N];
        p.partial[((long long)cell * p.slices + block_x()) * p.channels + first * N + i] = sum;
    }
}

template <class T>
JMATTE_DEVICE void partial(const PoolingPartial& p) {
    constexpr int N = PACK<T>;
    // Blocks of the third axis are counted for single channels; with packs most of them leave.
    const bool wide = reinterpret_cast<unsigned long long>(p.in) % 16 == 0 && p.pitch % N == 0 && p.channels % N == 0;
    const int packs = wide ? p.channels / N : p.channels;
    if (block_z() * THREADS >= packs)
        return;
    if (wide)
        add_positions<T, N>(p);
    else
        add_positions<T, 1>(p);
}

struct FinishShared {
    float sums[WARPS][WARP];
};

/// A lane has one channel, warp w the slices w, w + 8, ...
template <class D>
JMATTE_DEVICE void finish(const PoolingFinish& p) {
    auto& s = shared<FinishShared>();
    const int cell = block_y(), c = block_x() * WARP + lane();
    float sum = 0.0f;
    if (c < p.channels)
#pragma unroll 4
        for (int i = warp(); i < p.slices; i += WARPS)
            sum += p.partial[((long long)cell * p.slices + i) * p.channels + c];
    s.sums[warp()][lane()] = sum;
    sync_block();
    if (warp() == 0 && c < p.channels) {
        for (int w = 1; w < WARPS; w++)
            sum += s.sums[w][lane()];
        const Cell rows(cell / p.n, p.n, p.height), columns(cell % p.n, p.n, p.width);
        const float count = float(rows.size()) * float(columns.size());
        static_cast<D*>(p.out)[(long long)cell * p.channels + c] = from_float<D>(sum / count);
    }
}

} // namespace jmatte

using namespace jmatte;

#define POOLING(suffix, T)                                                                                             \
    JMATTE_KERNEL(pooling_partial_##suffix, PoolingPartial, THREADS, sizeof(PartialShared)) { partial<T>(p); }         \
    JMATTE_KERNEL(pooling_finish_##suffix, PoolingFinish, THREADS, sizeof(FinishShared)) { finish<T>(p); }

POOLING(fp16, half)
POOLING(bf16, bfloat)
POOLING(fp32, float)
