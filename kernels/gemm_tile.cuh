// The parts of a tensor-core matrix product that several kernels share: operand tiles in shared memory, fragments, the
// product of a warp's tile, and the loop that loads the next step while it computes this one. Device code only.
//
// D[m, n] += A[m, k] B[n, k]' with both operands stored row by row along k (a linear layer's weight, NHWC maps), in
// elements of 16 bits. A step is STEP_K elements of k. Warps hold MT x NT tiles of 16x8 of D in float.
#pragma once

#include "device.cuh"

namespace jmatte {

/// Whether the matrix units take T: bfloat needs sm_80. Kernels of other types do nothing; their wrappers refuse them.
template <class T>
constexpr bool HAS_MMA = MMA_K == 16;
template <>
constexpr bool HAS_MMA<half> = true;

/// 16 bytes: 8 elements of 16 bits, what one load, one copy_async and one row of a ldmatrix move.
using Chunk = Pack<unsigned, 4>;
constexpr int CHUNK = 8;

/// Elements of k per step of the loop: a row of an operand tile is then 64 bytes.
constexpr int STEP_K = 32;
constexpr int STEP_CHUNKS = STEP_K / CHUNK;

/// ROWS rows of STEP_K elements. Two rows share the 128 bytes of all banks; rows 2i and 2i + 1 have their chunks
/// exchanged by xor with i % 4, so the eight rows that ldmatrix reads at once, and the two whole rows that eight lanes
/// write, touch every bank once.
template <int ROWS>
struct OperandTile {
    Chunk chunks[ROWS * STEP_CHUNKS];

    JMATTE_DEVICE Chunk& at(int row, int chunk) {
        return chunks[row * STEP_CHUNKS + (chunk ^ (unsigned(row) / 2 % STEP_CHUNKS))];
    }
};

// ---------------------------------------------------------------- fragments

/// Fragments of A[16 MT, MMA_K]: `address(row, chunk)` tells where 8 elements of a row lie in shared memory, `chunk`
/// counted from the first element of k that is wanted.
template <int MT, class Address>
JMATTE_DEVICE void load_a(unsigned (&a)[MT][A_REGISTERS], const Address& address) {
    if constexpr (MMA_K == 16) {
#pragma unroll
        for (int m = 0; m < MT; m++)
            load_matrix<4>(a[m], address(16 * m + lane() % 16, lane() / 16));
    } else {
#pragma unroll
        for (int m = 0; m + 1 < MT; m += 2) {
            unsigned r[4];
            load_matrix<4>(r, address(16 * m + lane(), 0));
#pragma unroll
            for (int i = 0; i < 4; i++)
                a[m + i / 2][i % 2] = r[i];
        }
        if constexpr (MT % 2 == 1)
            load_matrix<2>(a[MT - 1], address(16 * (MT - 1) + lane() % 16, 0));
    }
}

/// Fragments of B[8 NT, MMA_K], addressed in the same way; NT is even.
template <int NT, class Address>
JMATTE_DEVICE void load_b(unsigned (&b)[NT][B_REGISTERS], const Address& address) {
    static_assert(NT % 2 == 0, "B is loaded by pairs of tiles");
    if constexpr (MMA_K == 16) {
#pragma unroll
        for (int n = 0; n < NT; n += 2) {
            unsigned r[4];
            load_matrix<4>(r, address(8 * n + lane() / 16 * 8 + lane() % 8, lane() / 8 % 2));
#pragma unroll
            for (int i = 0; i < 4; i++)
                b[n + i / 2][i % 2] = r[i];
        }
    } else {
#pragma unroll
        for (int n = 0; n + 2 < NT; n += 4) {
            unsigned r[4];
            load_matrix<4>(r, address(8 * n + lane(), 0));
#pragma unroll
            for (int i = 0; i < 4; i++)
                b[n + i][0] = r[i];
        }
        if constexpr (NT % 4 == 2) {
            unsigned r[2];
            load_matrix<2>(r, address(8 * (NT - 2) + lane() % 16, 0));
            b[NT - 2][0] = r[0];
            b[NT - 1][0] = r[1];
        }
    }
}

/// d += A[16 MT, K] B[8 NT, K]' for one warp, K a multiple of 16; `address_a(row, chunk)` and `address_b(row, chunk)`
/// tell where rows and their chunks lie, rows counted from the warp's first.
template <class T, int K, int MT, int NT, class AddressA, class AddressB>
JMATTE_DEVICE void multiply(float (&d)[MT][NT][4], const AddressA& address_a, const AddressB& address_b) {
#pragma unroll
    for (int k = 0; k < K; k += MMA_K) {
        unsigned a[MT][A_REGISTERS];
        unsigned b[NT][B_REGISTERS];
        load_a(a, [&](int row, int chunk) { return address_a(row, k / CHUNK + chunk); });
        load_b(b, [&](int row, int chunk) { return address_b(row, k / CHUNK + chunk); });
        mma_tile<T>(d, a, b);
    }
}

/// The same for rows of operand tiles from `first_a` and `first_b` (multiples of 8).
template <class T, int MT, int NT, int ROWS_A, int ROWS_B>
JMATTE_DEVICE void multiply(float (&d)[MT][NT][4], OperandTile<ROWS_A>& a, int first_a, OperandTile<ROWS_B>& b,
                            int first_b) {
    multiply<T, STEP_K>(
        d, [&](int row, int chunk) { return &a.at(first_a + row, chunk); },
        [&](int row, int chunk) { return &b.at(first_b + row, chunk); });
}

// ---------------------------------------------------------------- loading

/// Up to 8 elements of 16 bits from anywhere, zeros after them.
template <class T>
JMATTE_DEVICE Chunk load_narrow(const T* from, int count) {
    Chunk chunk;
#pragma unroll
    for (int i = 0; i < CHUNK; i += 2) {
        unsigned low = i < count ? from[i].bits : 0;
        unsigned high = i + 1 < count ? from[i + 1].bits : 0;
        chunk[i / 2] = low | high << 16;
    }
    return chunk;
}

/// A thread's share of the loads of an operand tile: one chunk column of ROWS * STEP_CHUNKS / THREADS rows. WIDE needs
/// rows that start at multiples of 16 bytes and a k that is a multiple of 8.
template <class T, int ROWS, int THREADS, bool WIDE>
class RowLoader {
public:
    static constexpr int COUNT = ROWS * STEP_CHUNKS / THREADS;
    static_assert(COUNT * THREADS == ROWS * STEP_CHUNKS, "threads must share the tile evenly");

    /// `row(i)` points to row i of the tile in device memory, or is null for a row of zeros.
    template <class Row>
    JMATTE_DEVICE RowLoader(int k, const Row& row) : k(k) {
#pragma unroll
        for (int i = 0; i < COUNT; i++)
            rows[i] = row(tile_row(i));
    }

    /// Starts the copies of the elements from `first` on (sm_80 on).
    JMATTE_DEVICE void copy(OperandTile<ROWS>& to, int first) const {
        int at = first + column() * CHUNK;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            bool valid = rows[i] != nullptr && at < k;
            Chunk& target = to.at(tile_row(i), column());
            if constexpr (WIDE)
                copy_async(&target, rows[i] + at, valid);
            else
                target = load_narrow(rows[i] + at, valid ? k - at : 0);
        }
    }

    /// Reads the elements from `first` on into registers; `put` writes them to a tile (before sm_80).
    JMATTE_DEVICE void fetch(int first) {
        int at = first + column() * CHUNK;
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            bool valid = rows[i] != nullptr && at < k;
            if constexpr (!WIDE)
                staged[i] = load_narrow(rows[i] + at, valid ? k - at : 0);
            else if (valid)
                staged[i] = *reinterpret_cast<const Chunk*>(rows[i] + at);
            else
                staged[i] = Chunk{};
        }
    }
    JMATTE_DEVICE void put(OperandTile<ROWS>& to) const {
#pragma unroll
        for (int i = 0; i < COUNT; i++)
            to.at(tile_row(i), column()) = staged[i];
    }

private:
    const T* rows[COUNT];
    int k;
    Chunk staged[COUNT];

    /// Four neighbouring lanes read 64 bytes of a row.
    static JMATTE_DEVICE int column() { return thread() % STEP_CHUNKS; }
    static JMATTE_DEVICE int tile_row(int i) { return thread() / STEP_CHUNKS + i * (THREADS / STEP_CHUNKS); }
};

// ---------------------------------------------------------------- the loop

/// Runs `multiply(stage)` for steps 0 to `steps` - 1 in order, loading ahead: with asynchronous copies STAGES - 1
/// steps, otherwise one step through registers (two stages are used). `load` has copy(stage, step), or fetch(step) and
/// put(stage). All threads of the block take part. The stages may be overwritten after the next sync_block().
template <bool ASYNC = ASYNC_COPIES, class Stage, int STAGES, class Load, class Multiply>
JMATTE_DEVICE void pipeline(Stage (&stages)[STAGES], int steps, Load& load, const Multiply& multiply) {
    static_assert(STAGES >= 2, "a stage is written while another is read");
    if constexpr (ASYNC) {
#pragma unroll
        for (int step = 0; step < STAGES - 1; step++) {
            if (step < steps)
                load.copy(stages[step], step);
            commit_async();
        }
        int stage = 0;
        int target = STAGES - 1;
        for (int step = 0; step < steps; step++) {
            wait_async<STAGES - 2>();
            sync_block(); // this step's stage is complete, and everyone has left the stage that is now overwritten
            if (step + STAGES - 1 < steps)
                load.copy(stages[target], step + STAGES - 1);
            commit_async();
            multiply(stages[stage]);
            stage = stage + 1 == STAGES ? 0 : stage + 1;
            target = target + 1 == STAGES ? 0 : target + 1;
        }
    } else {
        if (steps > 0) {
            load.fetch(0);
            load.put(stages[0]);
        }
        sync_block();
        for (int step = 0; step < steps; step++) {
            bool more = step + 1 < steps;
            if (more)
                load.fetch(step + 1);
            multiply(stages[step % 2]);
            if (more)
                load.put(stages[(step + 1) % 2]);
            sync_block();
        }
    }
}

} // namespace jmatte
