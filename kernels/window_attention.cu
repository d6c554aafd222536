// Attention inside windows of 14x14 tokens with decomposed relative position, tokens staying in image order:
//
//     out[i] = sum_j softmax_j(q[i] . k[j] / 8 + q[i] . rel_h[y(i) - y(j) + 13] + q[i] . rel_w[x(i) - x(j) + 13]) v[j]
//
// over the 196 positions j of token i's window. Positions of a window outside the grid have q = k = v = bias, rounded
// to T: what the product that makes qkv gives for a row of zeros. They are keys like any other.
//
//     out    [grid_height grid_width, heads 64]     T
//     qkv    [grid_height grid_width, 3, heads, 64] T      q unscaled
//     bias   [3, heads, 64]                         float
//     rel_h, rel_w  [27, 64]                        T
//
// T is half, bfloat (sm_80 on) or float; softmax and sums in float, weights rounded to T for the product with v, sums
// of weights before rounding; float uses plain FMA. All pointers are multiples of 16 bytes. A band of rows of windows
// is a grid of its own: no window reads another.
//
// Launch: grid x = ceil(grid_height / 14) ceil(grid_width / 14) heads, heads fastest; threads and shared bytes as the
// entry points say; for float grid y = 4, four rows of a window each.
//
// Phases: a block takes one head of one window. Keys and values lie in shared memory, 14 rows each for a row of the
// window; a warp takes two neighbouring rows of queries as mma tiles of 16, of which 14 exist, then two more. Keys are
// taken in rows of 16 likewise, so an accumulator's key row and the parity of its column tile are known at compile
// time; the two keys that do not exist are the row's last one again, masked by score. All queries of a tile and all
// keys of two tiles share a row: q . rel_h is one number for both tiles, from another mma spread by shuffles, q . rel_w
// eight numbers per lane. Scores are taken in halves of seven key rows, four and then three, with a running maximum.
// Where copies are asynchronous both halves are resident and the second arrives while the first is computed with
// (50,176 bytes: two blocks fill the 100 KB of sm_86). On sm_75 one half is (25,088 bytes, two blocks of 32 KB per
// multiprocessor); the second rows of queries take the halves in reverse, so that three are loaded instead of four.
//
// The wrong choice: for other window sizes, which this file's tiles do not fit, and for a whole image as one window
// (sparse_attention_relative).
#include "attention_plain.cuh"
#include "attention_tile.cuh"

namespace jmatte {

// ---------------------------------------------------------------- parameters

struct WindowAttention {
    void* out;
    const void* qkv;
    const float* bias;
    const void* rel_h;
    const void* rel_w;
    int grid_height;
    int grid_width;
    int heads;
};

constexpr int WINDOW = 14;

enum Which { Q, K, V };

/// This block's window and head.
template <class T>
struct Window {
    const WindowAttention& p;
    int y, x; // of its first token in the grid
    int head;
    int rows, columns; // inside the grid

    JMATTE_DEVICE Window(const WindowAttention& params, int block) : p(params) {
        int windows = ceil_div(p.grid_width, WINDOW), window = block / p.heads;
        head = block % p.heads;
        y = window / windows * WINDOW;
        x = window % windows * WINDOW;
        rows = p.grid_height - y < WINDOW ? p.grid_height - y : WINDOW;
        columns = p.grid_width - x < WINDOW ? p.grid_width - x : WINDOW;
    }

    JMATTE_DEVICE bool contains(int row, int column) const { return row < rows && column < columns; }
    /// 64 elements of a position inside the grid.
    JMATTE_DEVICE const T* at(Which which, int row, int column) const {
        return static_cast<const T*>(p.qkv) + (token(row, column) * 3 + which) * p.heads * DEPTH + head * DEPTH;
    }
    /// The same of one outside.
    JMATTE_DEVICE const float* outside(Which which) const { return p.bias + (which * p.heads + head) * DEPTH; }
    JMATTE_DEVICE T* out(int row, int column) const {
        return static_cast<T*>(p.out) + (token(row, column) * p.heads + head) * DEPTH;
    }

private:
    JMATTE_DEVICE long long token(int row, int column) const { return 1ll * (y + row) * p.grid_width + x + column; }
};

// ---------------------------------------------------------------- geometry

/// Two rows of queries per warp: one would read twice as much shared memory per mma, more than a T4 or an A100 gives.
/// Of the seven pairs, four warps take four and then three.
constexpr int WARPS = 4;
constexpr int THREADS = WARPS * WARP;
constexpr int PAIR = 2;

/// Keys, and values after them, of half the window in shared memory, in chunks.
constexpr int HALF = WINDOW / 2;
constexpr int VALUES_AT = HALF * WINDOW * DEPTH_CHUNKS;
constexpr int HALF_CHUNKS = 2 * VALUES_AT;
constexpr int KEY_ROW = WINDOW * DEPTH_CHUNKS;
/// So many rows of keys have their scores taken at once: seven would need more registers than there are.
constexpr int FIRST_ROWS = 4;

struct Shared {
    Chunk chunks[(ASYNC_COPIES ? 2 : 1) * HALF_CHUNKS];
};

// ---------------------------------------------------------------- keys and values to shared memory

/// Copies half of a window's keys and values, eight threads per row.
template <class T>
struct Loader {
    static constexpr int TURN_ROWS = THREADS / DEPTH_CHUNKS;
    static constexpr int TURNS = (2 * HALF * WINDOW + TURN_ROWS - 1) / TURN_ROWS;

    const Window<T>& window;
    int half;
    int thread = again(jmatte::thread());

    /// Asynchronously; a chunk from outside the grid at once.
    JMATTE_DEVICE void copy(Chunk* memory) const {
#pragma unroll
        for (int turn = 0; turn < TURNS; turn++) {
            Place at(*this, turn);
            if (!at.exists())
                break;
            if (at.inside())
                copy_async(memory + at.target(), at.source());
            else
                memory[at.target()] = at.bias();
        }
    }
    /// By way of registers, so that all loads are under way at once.
    JMATTE_DEVICE void move(Chunk* memory) const {
        Chunk chunks[TURNS];
#pragma unroll
        for (int turn = 0; turn < TURNS; turn++) {
            Place at(*this, turn);
            chunks[turn] = !at.exists() ? Chunk{} : at.inside() ? *at.source() : at.bias();
        }
#pragma unroll
        for (int turn = 0; turn < TURNS; turn++) {
            Place at(*this, turn);
            if (at.exists())
                memory[at.target()] = chunks[turn];
        }
    }

private:
    struct Place {
        const Window<T>& window;
        int line;  // of the half's 98 keys and 98 values
        int chunk; // of the line
        Which which;
        int row, column; // in the window

        JMATTE_DEVICE Place(const Loader& loader, int turn)
            : window(loader.window), line(loader.thread / DEPTH_CHUNKS + turn * TURN_ROWS),
              chunk(loader.thread % DEPTH_CHUNKS), which(line < HALF * WINDOW ? K : V),
              row(loader.half * HALF + line / WINDOW - (which == K ? 0 : HALF)), column(line % WINDOW) {}
        JMATTE_DEVICE bool exists() const { return line < 2 * HALF * WINDOW; }
        JMATTE_DEVICE bool inside() const { return window.contains(row, column); }
        JMATTE_DEVICE int target() const { return chunk_of(line, chunk, column % DEPTH_CHUNKS); }
        JMATTE_DEVICE const Chunk* source() const {
            return reinterpret_cast<const Chunk*>(window.at(which, row, column)) + chunk;
        }
        JMATTE_DEVICE Chunk bias() const {
            const auto* from = reinterpret_cast<const Pack<float, 4>*>(window.outside(which) + chunk * CHUNK);
            Chunk result;
#pragma unroll
            for (int i = 0; i < 2; i++) {
                Pack<float, 4> four = from[i];
                result[2 * i] = pack2<T>(four[0], four[1]);
                result[2 * i + 1] = pack2<T>(four[2], four[3]);
            }
            return result;
        }
    };
};

// ---------------------------------------------------------------- two rows of queries

template <class T>
struct QueryRows {
    Queries<T, PAIR> queries;
    float columns[PAIR][2][4]; // bias by the key's column

    JMATTE_DEVICE void begin(const Window<T>& window, int row) {
        queries.load([&](int m, int i) {
            return window.contains(row + m, i) ? window.at(Q, row + m, i) : static_cast<const T*>(nullptr);
        });
        float products[PAIR][4][4] = {};
        multiply_table(products, queries, static_cast<const T*>(window.p.rel_w),
                       [](int n) { return n < 2 * WINDOW - 2 ? n : 2 * WINDOW - 2; });
        unskew<WINDOW - 1>(columns, products);
#pragma unroll
        for (int m = 0; m < PAIR; m++)
#pragma unroll
            for (int n = 0; n < 2; n++)
#pragma unroll
                for (int e = 0; e < 4; e++)
                    columns[m][n][e] =
                        8 * n + lane() % 4 * 2 + e % 2 < WINDOW ? columns[m][n][e] * BIAS_SCALE : minus_infinity();
    }

    /// Takes in a half of the keys; `at` is their place in shared memory.
    JMATTE_DEVICE void attend(const T* rel_h, int row, int half, const Chunk* memory, int at, const Fetch& fetch) {
        // Column n is the difference to key row n - 1 of the half for the first row of queries, n for the second.
        float rows[PAIR][1][4] = {};
        multiply_table(rows, queries, rel_h, [&](int n) { return row - (half * HALF + n - 1) + WINDOW - 1; });
#pragma unroll
        for (int m = 0; m < PAIR; m++)
#pragma unroll
            for (int e = 0; e < 4; e++)
                rows[m][0][e] *= BIAS_SCALE;
#pragma unroll 1
        for (int group = 0; group < 2; group++) // apart: mingled they would need more registers than there are
            if (group == 0)
                attend_rows<0, FIRST_ROWS>(rows, memory, at, fetch);
            else
                attend_rows<FIRST_ROWS, HALF - FIRST_ROWS>(rows, memory, at, fetch);
    }

    JMATTE_DEVICE void store(const Window<T>& window, int row) {
        queries.store([&](int m, int i) {
            return window.contains(row + m, i) ? window.out(row + m, i) : static_cast<T*>(nullptr);
        });
    }

private:
    /// Some rows of keys, each tiles 2 j and 2 j + 1 of the scores.
    template <int FIRST, int ROWS>
    JMATTE_DEVICE void attend_rows(const float (&rows)[PAIR][1][4], const Chunk* memory, int at, const Fetch& fetch) {
        float scores[PAIR][2 * ROWS][4];
#pragma unroll
        for (int m = 0; m < PAIR; m++)
#pragma unroll
            for (int j = 0; j < ROWS; j++)
#pragma unroll
                for (int r = 0; r < 2; r++) {
                    int column = FIRST + j + 1 - m;
                    float bias = shuffle(rows[m][0][2 * r + column % 2], (lane() & ~3) | column / 2);
#pragma unroll
                    for (int n = 0; n < 2; n++)
#pragma unroll
                        for (int e = 0; e < 2; e++)
                            scores[m][2 * j + n][2 * r + e] = bias + columns[m][n][2 * r + e];
                }
        at = again(at) + FIRST * KEY_ROW;
        sync_warp(); // no keys are loaded ahead of the biases, which would take their registers
        queries.template add_scores<WINDOW>(scores, memory, at + fetch.keys);
        queries.weigh(scores);
        queries.template add_values<WINDOW>(scores, memory, at + VALUES_AT + fetch.values);
    }
};

// ---------------------------------------------------------------- kernels

template <class T>
JMATTE_DEVICE void attend(const WindowAttention& p) {
    if constexpr (HAS_MMA<T>) {
        Chunk* memory = shared<Shared>().chunks;
        if constexpr (ASYNC_COPIES)
            for (int half = 0; half < 2; half++) {
                Loader<T>{Window<T>(p, block_x()), half}.copy(memory + half * HALF_CHUNKS);
                commit_async();
            }
        Fetch fetch(WINDOW);
#pragma unroll 1
        for (int pass = 0; pass < 2; pass++) {
            // Blocks differ in the warp that has nothing to do in the end, so that it is not always the same quarter of
            // a multiprocessor. Blocks that share one are often a multiple of four apart, hence the second term.
            int slot = int((unsigned(again(warp())) + unsigned(block_x()) + unsigned(block_x()) / 12) % WARPS);
            int row = (pass * WARPS + slot) * PAIR;
            bool exists;
            QueryRows<T> queries;
            {
                Window<T> window(p, again(block_x()));
                if (pass * WARPS * PAIR >= window.rows)
                    return;
                if (!ASYNC_COPIES && pass == 0)
                    Loader<T>{window, 0}.move(memory);
                exists = row < window.rows;
                row = exists ? row : 0;
                queries.begin(window, row);
            }
#pragma unroll 1
            for (int part = 0; part < 2; part++) {
                int half = part ^ pass; // the second pass begins where the first one ended
                if constexpr (ASYNC_COPIES) {
                    if (pass == 0) {
                        if (part == 0)
                            wait_async<1>();
                        else
                            wait_async<0>();
                        sync_block();
                    }
                } else {
                    if (part == 1) {
                        sync_block(); // nobody reads the other half
                        Loader<T>{Window<T>(p, again(block_x())), half}.move(memory);
                    }
                    if (pass == 0 || part == 1)
                        sync_block();
                }
                if (exists)
                    queries.attend(static_cast<const T*>(p.rel_h), row, half, memory,
                                   ASYNC_COPIES ? half * HALF_CHUNKS : 0, fetch);
            }
            if (exists)
                queries.store(Window<T>(p, again(block_x())), row);
        }
    }
}

/// The exact mode's queries and keys, as attention_plain.cuh asks for them: the grid is the window.
struct PlainWindow {
    static constexpr bool RELATIVE = true;
    static constexpr int QUERY_WIDTH = WINDOW, QUERY_HEIGHT = 4;
    static constexpr int KEY_WIDTH = WINDOW, KEY_HEIGHT = 2;

    Window<float> window;
    int height = WINDOW, width = WINDOW;
    int first_y = block_y() * QUERY_HEIGHT, first_x = 0;

    JMATTE_DEVICE explicit PlainWindow(const WindowAttention& p) : window(p, block_x()) {}
    JMATTE_DEVICE const float* query(int y, int x) const {
        return window.contains(y, x) ? window.at(Q, y, x) : nullptr;
    }
    JMATTE_DEVICE const float* key(int y, int x) const {
        return window.contains(y, x) ? window.at(K, y, x) : window.outside(K);
    }
    JMATTE_DEVICE const float* value(int y, int x) const {
        return window.contains(y, x) ? window.at(V, y, x) : window.outside(V);
    }
    JMATTE_DEVICE float* result(int y, int x) const { return window.contains(y, x) ? window.out(y, x) : nullptr; }
    JMATTE_DEVICE const float* rel_h() const { return static_cast<const float*>(window.p.rel_h); }
    JMATTE_DEVICE const float* rel_w() const { return static_cast<const float*>(window.p.rel_w); }
};

JMATTE_DEVICE void attend_plain(const WindowAttention& p) {
    PlainWindow window(p);
    if (window.first_y < window.window.rows)
        plain::attend(shared<plain::Shared>(), window);
}

// ---------------------------------------------------------------- entry points

JMATTE_KERNEL_BLOCKS(window_attention_fp16, WindowAttention, THREADS, sizeof(Shared), 2) { attend<half>(p); }
JMATTE_KERNEL_BLOCKS(window_attention_bf16, WindowAttention, THREADS, sizeof(Shared), 2) { attend<bfloat>(p); }
JMATTE_KERNEL(window_attention_fp32, WindowAttention, plain::THREADS, sizeof(plain::Shared)) { attend_plain(p); }

} // namespace jmatte
