// Attention of all tokens of a list with one another, scores never stored:
//
//     sparse_attention            out[i] = sum_j softmax_j(q[i] . k[j] / 8) v[j]
//     sparse_attention_relative   out[i] = sum_j softmax_j(q[i] . k[j] / 8 + q[i] . rel_h[y(i) - y(j) + h - 1]
//                                                          + q[i] . rel_w[x(i) - x(j) + w - 1]) v[j]
//
//     out      [tokens, heads 64]       T
//     qkv      [tokens, 3, heads, 64]   T   q, k, v as one product writes them; q unscaled
//     count    [1]                      int, or null: tokens are min(tokens, count), read on the device
//     rel_h    [2 h - 1, 64]            T   tokens lie row by row on a grid of h = grid_height by w = grid_width
//     rel_w    [2 w - 1, 64]            T
//
// T is half, bfloat (sm_80 on) or float; softmax and sums in float, weights rounded to T for the product with v, sums
// of weights before rounding; float uses plain FMA. All pointers are multiples of 16 bytes. What lies in qkv beyond the
// count is not read.
//
// Launch: 128 threads, shared bytes as the entry points say, grid y = heads.
//     sparse_attention_128_T, _64_T            grid x = ceil(tokens / 128 or 64)
//     sparse_attention_fp32                    grid x = ceil(tokens / 64)
//     sparse_attention_relative_128_T, _64_T   grid x = ceil(w / 16) ceil(h / 8 or 4)
//     sparse_attention_relative_fp32           grid x = ceil(w / 16) ceil(h / 4)
// Of 128 and 64 queries per block, the larger reads less, the smaller fills a card where tokens are few; both give the
// same bytes.
// Blocks beyond the count leave at once.
//
// Phases: q goes to registers once; then tiles of 64 keys and values pass through shared memory, each giving scores,
// their softmax, and their part of the output. From sm_80 on copies run ahead by asynchronous copies; before, the next
// tile is on its way in registers, keys while weights are computed, values during the scores.
//
// On a grid, queries are taken as patches of 16 columns and 8 or 4 rows, keys as patches of 8x8: in an mma of 16
// queries by 8 keys all queries then share a grid row, and so do all keys. q . rel_h for a tile is one more mma tile,
// its column j spread over the j-th keys; q . rel_w holds for a column of patches and starts the accumulators. A width
// or height just above a multiple of the patch wastes nearly a patch: small grids are served worse than large ones.
//
// The wrong choice: for windows (window_attention keeps all keys of a window in shared memory).
#include "attention_plain.cuh"
#include "attention_tile.cuh"

namespace jmatte {

// ---------------------------------------------------------------- parameters

struct SparseAttention {
    void* out;
    const void* qkv;
    const int* count;
    int tokens;
    int heads;
};

struct SparseAttentionRelative {
    void* out;
    const void* qkv;
    const void* rel_h;
    const void* rel_w;
    int grid_height;
    int grid_width;
    int heads;
};

/// Both as one: a list of tokens is a grid of one row.
template <class T, class Params>
struct Attention;

template <class T>
struct Attention<T, SparseAttention> {
    const SparseAttention& p;
    int columns; // tokens

    JMATTE_DEVICE explicit Attention(const SparseAttention& params) : p(params), columns(p.tokens) {
        if (p.count != nullptr && *p.count < columns)
            columns = *p.count;
    }
    JMATTE_DEVICE static int height() { return 1; }
    JMATTE_DEVICE int width() const { return columns; }
};

template <class T>
struct Attention<T, SparseAttentionRelative> {
    const SparseAttentionRelative& p;

    JMATTE_DEVICE explicit Attention(const SparseAttentionRelative& params) : p(params) {}
    JMATTE_DEVICE int height() const { return p.grid_height; }
    JMATTE_DEVICE int width() const { return p.grid_width; }
    JMATTE_DEVICE const T* rel_h() const { return static_cast<const T*>(p.rel_h); }
    JMATTE_DEVICE const T* rel_w() const { return static_cast<const T*>(p.rel_w); }
};

/// Elements from a token's q, k or v to the next token's.
template <class Params>
JMATTE_DEVICE int pitch(const Params& p) {
    return 3 * DEPTH * p.heads;
}

enum Which { Q, K, V };

/// A token's row of this block's head.
template <class T, class Params>
JMATTE_DEVICE const T* qkv_row(const Params& p, Which which, long long token) {
    return static_cast<const T*>(p.qkv) + token * pitch(p) + (which * p.heads + block_y()) * DEPTH;
}
template <class T, class Params>
JMATTE_DEVICE T* out_row(const Params& p, long long token) {
    return static_cast<T*>(p.out) + token * p.heads * DEPTH + block_y() * DEPTH;
}

template <class Params>
constexpr bool IS_RELATIVE = false;
template <>
constexpr bool IS_RELATIVE<SparseAttentionRelative> = true;

// ---------------------------------------------------------------- geometry

constexpr int THREADS = 128;
constexpr int WARPS = THREADS / WARP;
constexpr int KEYS = 64; // of a tile: as many scores per lane as the output has

/// Queries of a block and keys of a tile are patches of the grid. 16 MT queries per warp: 32 read half as much shared
/// memory per mma as 16, which a T4 or an A100 needs.
template <int MT, bool RELATIVE>
struct Patches {
    static constexpr int QUERY_WIDTH = RELATIVE ? 16 : 16 * MT * WARPS;
    static constexpr int QUERY_HEIGHT = RELATIVE ? MT * WARPS : 1;
    static constexpr int KEY_WIDTH = RELATIVE ? 8 : KEYS;
    static constexpr int KEY_HEIGHT = KEYS / KEY_WIDTH;
};

struct Place {
    int y, x;
};

/// Tiles of keys go down the grid before they go to the right.
template <class Patch>
struct Walk {
    Place tile{0, 0};

    JMATTE_DEVICE void advance(int height) {
        tile.y += Patch::KEY_HEIGHT;
        if (tile.y >= height)
            tile = {0, tile.x + Patch::KEY_WIDTH};
    }
};

/// The rows of rel_h between a patch of queries and one of keys: row i is that of the difference i - 7.
constexpr int REL_ROWS = 16;

/// A tile in shared memory, in chunks: keys, values, and where RELATIVE rows of rel_h.
constexpr int VALUES_AT = KEYS * DEPTH_CHUNKS;
constexpr int REL_AT = 2 * VALUES_AT;
template <bool RELATIVE>
constexpr int STAGE = REL_AT + (RELATIVE ? REL_ROWS * DEPTH_CHUNKS : 0);

/// Three where copies are asynchronous. With relative position two, so that two blocks fit the 100 KB of sm_86. On
/// sm_75, two blocks of 32 KB fit: with relative position a single stage, at the price of a second barrier per tile.
template <bool RELATIVE>
constexpr int STAGES = (ASYNC_COPIES ? 3 : 2) - (RELATIVE ? 1 : 0);

template <bool RELATIVE>
struct Shared {
    Chunk chunks[STAGES<RELATIVE> * STAGE<RELATIVE>];
};
template <>
struct Shared<true> {
    Chunk chunks[STAGES<true> * STAGE<true>];
    Pack<float, 4> columns[2][THREADS]; // each thread's own, which would be too many registers
};

// ---------------------------------------------------------------- tiles to shared memory

/// A tile of k or v is copied by eight threads per row, in four turns.
constexpr int TURNS = KEYS * DEPTH_CHUNKS / THREADS;
constexpr int TURN_ROWS = KEYS / TURNS;
static_assert(REL_ROWS == TURN_ROWS, "one turn copies rel_h");

/// Walks over the tiles, down the grid before to the right, on behalf of the copies.
template <class T, int MT, class Params>
struct Loader {
    static constexpr bool RELATIVE = IS_RELATIVE<Params>;
    using Patch = Patches<MT, RELATIVE>;
    const Attention<T, Params>& attention;
    const T* next; // this thread's chunk of k, in its first row of the next tile
    Place tile{0, 0};
    int rel_row; // of rel_h for that tile

    JMATTE_DEVICE Loader(const Attention<T, Params>& of, Place queries)
        : attention(of), rel_row(queries.y + row() - (Patch::KEY_HEIGHT - 1) + of.height() - 1) {
        next = qkv_row<T>(of.p, K, 1ll * first_y() * of.width() + first_x()) + chunk() * CHUNK;
    }

    JMATTE_DEVICE static int row() { return thread() / DEPTH_CHUNKS; }
    JMATTE_DEVICE static int chunk() { return thread() % DEPTH_CHUNKS; }

    JMATTE_DEVICE void advance() {
        if constexpr (RELATIVE) {
            tile.y += Patch::KEY_HEIGHT;
            rel_row -= Patch::KEY_HEIGHT;
            next += 1ll * Patch::KEY_HEIGHT * attention.width() * pitch(attention.p);
            if (tile.y >= attention.height()) {
                next += (Patch::KEY_WIDTH - 1ll * tile.y * attention.width()) * pitch(attention.p);
                rel_row += tile.y;
                tile = {0, tile.x + Patch::KEY_WIDTH};
            }
        } else {
            tile.x += KEYS;
            next += 1ll * KEYS * pitch(attention.p);
        }
    }
    /// Whether there is another tile.
    JMATTE_DEVICE bool more() const { return tile.x < attention.width(); }

    /// Starts asynchronous copies of the tile.
    JMATTE_DEVICE void copy(Chunk* stage) const {
#pragma unroll
        for (int turn = 0; turn < TURNS; turn++) {
            bool valid = exists(turn);
            copy_async(stage + target(turn), valid ? key(turn) : anywhere(), valid);
            copy_async(stage + VALUES_AT + target(turn), valid ? value(turn) : anywhere(), valid);
        }
        if constexpr (RELATIVE)
            copy_async(stage + REL_AT + target(0), rel_h());
    }

    /// The same by way of registers, keys and values apart.
    JMATTE_DEVICE void fetch_keys(Chunk (&chunks)[TURNS]) const {
#pragma unroll
        for (int turn = 0; turn < TURNS; turn++)
            chunks[turn] = exists(turn) ? *reinterpret_cast<const Chunk*>(key(turn)) : Chunk{};
    }
    JMATTE_DEVICE void fetch_values(Chunk (&chunks)[TURNS]) const {
#pragma unroll
        for (int turn = 0; turn < TURNS; turn++)
            chunks[turn] = exists(turn) ? *reinterpret_cast<const Chunk*>(value(turn)) : Chunk{};
    }
    JMATTE_DEVICE static void put(Chunk* rows, const Chunk (&chunks)[TURNS]) {
#pragma unroll
        for (int turn = 0; turn < TURNS; turn++)
            rows[target(turn)] = chunks[turn];
    }
    JMATTE_DEVICE static void put(Chunk* rows, const Chunk& chunk) { rows[target(0)] = chunk; }
    /// Rows that no pair of a query and a key of the grid asks for are replaced by others.
    JMATTE_DEVICE const Chunk* rel_h() const {
        int most = 2 * attention.height() - 2;
        int at = rel_row < 0 ? 0 : rel_row < most ? rel_row : most;
        return reinterpret_cast<const Chunk*>(attention.rel_h() + at * DEPTH) + chunk();
    }

private:
    /// The thread's place among 64 rows; turns are multiples of 8 rows apart.
    JMATTE_DEVICE static int target(int turn) { return chunk_of(row(), chunk()) + turn * TURN_ROWS * DEPTH_CHUNKS; }
    JMATTE_DEVICE static int first_y() { return RELATIVE ? row() / Patch::KEY_WIDTH : 0; }
    JMATTE_DEVICE static int first_x() { return row() % Patch::KEY_WIDTH; }
    JMATTE_DEVICE bool exists(int turn) const {
        if constexpr (RELATIVE)
            return tile.y + first_y() + turn * (TURN_ROWS / Patch::KEY_WIDTH) < attention.height() &&
                   tile.x + first_x() < attention.width();
        else
            return tile.x + first_x() + turn * TURN_ROWS < attention.width();
    }
    JMATTE_DEVICE const T* key(int turn) const {
        int tokens = RELATIVE ? TURN_ROWS / Patch::KEY_WIDTH * attention.width() : TURN_ROWS;
        return next + turn * tokens * pitch(attention.p); // the wrapper refuses grids so wide that this passes an int
    }
    JMATTE_DEVICE const T* value(int turn) const { return key(turn) + attention.p.heads * DEPTH; }
    JMATTE_DEVICE const T* anywhere() const { return static_cast<const T*>(attention.p.qkv); }
};

// ---------------------------------------------------------------- a tile of keys

constexpr int SCORE_TILES = KEYS / 8;

template <class T, int MT, class Params>
struct QueryBlock {
    static constexpr bool RELATIVE = IS_RELATIVE<Params>;
    using Patch = Patches<MT, RELATIVE>;
    const Attention<T, Params>& attention;
    Place first; // of the block's queries
    Queries<T, MT> queries;
    Fetch fetch;

    JMATTE_DEVICE QueryBlock(const Attention<T, Params>& of, Place at) : attention(of), first(at) {
        queries.load([&](int m, int i) {
            return exists(m, i) ? qkv_row<T>(attention.p, Q, token(m, i)) : static_cast<const T*>(nullptr);
        });
    }

    JMATTE_DEVICE void store() {
        queries.store([&](int m, int i) {
            return exists(m, i) ? out_row<T>(attention.p, token(m, i)) : static_cast<T*>(nullptr);
        });
    }

    /// Before a tile's scores, and before registers are taken for the next one.
    JMATTE_DEVICE void begin(Place tile) {
        if constexpr (RELATIVE)
            if (tile.y == 0)
                bias_columns(tile);
    }

    /// Scores of a tile, -inf for keys that do not exist.
    JMATTE_DEVICE void score(float (&scores)[MT][SCORE_TILES][4], const Chunk* memory, int stage, Place tile) {
        if constexpr (RELATIVE) {
            start(scores, memory + stage + REL_AT, tile);
        } else {
#pragma unroll
            for (int m = 0; m < MT; m++)
#pragma unroll
                for (int n = 0; n < SCORE_TILES; n++)
#pragma unroll
                    for (int e = 0; e < 4; e++)
                        scores[m][n][e] = 0;
        }
        queries.template add_scores<16>(scores, memory, stage + fetch.keys);
        if constexpr (!RELATIVE)
            if (tile.x + KEYS > attention.width())
                mask(scores, attention.width() - tile.x);
    }

    JMATTE_DEVICE void add_values(float (&scores)[MT][SCORE_TILES][4], const Chunk* memory, int stage) {
        queries.template add_values<16>(scores, memory, stage + VALUES_AT + fetch.values);
    }

private:
    JMATTE_DEVICE int query_y(int m) const { return RELATIVE ? first.y + warp() * MT + m : 0; }
    JMATTE_DEVICE int query_x(int m, int i) const { return first.x + (RELATIVE ? 0 : (warp() * MT + m) * 16) + i; }
    JMATTE_DEVICE bool exists(int m, int i) const {
        return query_y(m) < attention.height() && query_x(m, i) < attention.width();
    }
    JMATTE_DEVICE long long token(int m, int i) const { return 1ll * query_y(m) * attention.width() + query_x(m, i); }

    JMATTE_DEVICE static void mask(float (&scores)[MT][SCORE_TILES][4], int keys) {
#pragma unroll
        for (int m = 0; m < MT; m++)
#pragma unroll
            for (int n = 0; n < SCORE_TILES; n++)
#pragma unroll
                for (int e = 0; e < 4; e++)
                    if (8 * n + lane() % 4 * 2 + e % 2 >= keys)
                        scores[m][n][e] = minus_infinity();
    }

    /// For a column of tiles: 8 q . rel_w of each query with each of the eight columns.
    JMATTE_DEVICE void bias_columns(Place tile) {
        float columns[MT][1][4];
        float products[MT][3][4] = {}; // differences of columns from -7 to 15, and one more
        int least = first.x - tile.x - (Patch::KEY_WIDTH - 1) + attention.width() - 1;
        int most = 2 * attention.width() - 2;
        multiply_table(products, queries, attention.rel_w(), [&](int n) {
            int row = least + n;
            return row < 0 ? 0 : row < most ? row : most;
        });
        unskew<Patch::KEY_WIDTH - 1>(columns, products);
#pragma unroll
        for (int m = 0; m < MT; m++)
#pragma unroll
            for (int e = 0; e < 4; e++)
                shared<Shared<RELATIVE>>().columns[m][thread()][e] = tile.x + lane() % 4 * 2 + e % 2 < attention.width()
                                                                         ? columns[m][0][e] * BIAS_SCALE
                                                                         : minus_infinity();
    }

    /// scores = both biases; tile n of the scores holds the keys of the n-th row.
    JMATTE_DEVICE void start(float (&scores)[MT][SCORE_TILES][4], const Chunk* rel_h, Place tile) {
#pragma unroll
        for (int m = 0; m < MT; m++) {
            float rows[1][1][4] = {};
            // Column n is the difference of this row of queries and the n-th row of keys.
            int row = warp() * MT + m + (Patch::KEY_HEIGHT - 1) - lane() % 8;
#pragma unroll
            for (int step = 0; step < STEPS; step += 2) {
                unsigned r[4];
                load_matrix<4>(r, rel_h + (chunk_of(row, lane() / 8) ^ 2 * step));
#pragma unroll
                for (int k = 0; k < 2; k++) {
                    unsigned b[1][2] = {{r[2 * k], r[2 * k + 1]}}, a[1][4];
#pragma unroll
                    for (int i = 0; i < 4; i++)
                        a[0][i] = queries.q[step + k][m][i];
                    multiply<T>(rows, a, b);
                }
            }
#pragma unroll
            for (int e = 0; e < 4; e++)
                rows[0][0][e] = tile.y + lane() % 4 * 2 + e % 2 < attention.height() ? rows[0][0][e] * BIAS_SCALE
                                                                                     : minus_infinity();
            Pack<float, 4> column = shared<Shared<RELATIVE>>().columns[m][thread()];
#pragma unroll
            for (int n = 0; n < SCORE_TILES; n++)
#pragma unroll
                for (int r = 0; r < 2; r++) {
                    float bias = shuffle(rows[0][0][2 * r + n % 2], (lane() & ~3) | n / 2);
#pragma unroll
                    for (int e = 0; e < 2; e++)
                        scores[m][n][2 * r + e] = bias + column[2 * r + e];
                }
        }
    }
};

// ---------------------------------------------------------------- kernels

template <class T, int MT, class Params>
JMATTE_DEVICE void attend(const Params& p) {
    if constexpr (HAS_MMA<T>) {
        constexpr bool RELATIVE = IS_RELATIVE<Params>;
        using Patch = Patches<MT, RELATIVE>;
        Attention<T, Params> attention(p);
        Place first{0, block_x() * Patch::QUERY_WIDTH};
        if constexpr (RELATIVE) {
            int patches = ceil_div(attention.width(), Patch::QUERY_WIDTH);
            first = {block_x() / patches * Patch::QUERY_HEIGHT, block_x() % patches * Patch::QUERY_WIDTH};
        }
        if (first.x >= attention.width())
            return;

        Chunk* memory = shared<Shared<RELATIVE>>().chunks;
        Loader<T, MT, Params> ahead(attention, first);
        constexpr int ALL = STAGES<RELATIVE> * STAGE<RELATIVE>; // in chunks, as the two below
        int stage = 0, free = ALL - STAGE<RELATIVE>;
        if constexpr (ASYNC_COPIES) {
            for (int at = 0; at < free; at += STAGE<RELATIVE>) {
                if (ahead.more())
                    ahead.copy(memory + at);
                commit_async();
                ahead.advance();
            }
            QueryBlock<T, MT, Params> block(attention, first);
            for (Walk<Patch> now; now.tile.x < attention.width(); now.advance(attention.height())) {
                wait_async<STAGES<RELATIVE> - 2>();
                sync_block(); // the tile is there for all, and none reads the one before
                if (ahead.more())
                    ahead.copy(memory + free);
                commit_async();
                ahead.advance();
                float scores[MT][SCORE_TILES][4];
                block.begin(now.tile);
                block.score(scores, memory, stage, now.tile);
                block.queries.weigh(scores);
                block.add_values(scores, memory, stage);
                free = stage;
                stage = stage + STAGE<RELATIVE> < ALL ? stage + STAGE<RELATIVE> : 0;
            }
            block.store();
        } else {
            // Of two stages, the other one takes the next values; a single one takes this tile's, just in time.
            constexpr bool SINGLE = STAGES<RELATIVE> == 1;
            Chunk chunks[TURNS];
            ahead.fetch_keys(chunks);
            ahead.put(memory, chunks);
            if constexpr (RELATIVE)
                ahead.put(memory + REL_AT, *ahead.rel_h());
            if constexpr (!SINGLE) {
                ahead.fetch_values(chunks);
                ahead.put(memory + VALUES_AT, chunks);
                ahead.advance();
            }
            QueryBlock<T, MT, Params> block(attention, first);
            sync_block();
            for (Walk<Patch> now; now.tile.x < attention.width(); now.advance(attention.height())) {
                block.begin(now.tile);
                float scores[MT][SCORE_TILES][4];
                if (ahead.more())
                    ahead.fetch_values(chunks);
                block.score(scores, memory, stage, now.tile);
                if (ahead.more())
                    ahead.put(memory + free + VALUES_AT, chunks);
                if constexpr (SINGLE) {
                    sync_block();
                    ahead.advance();
                }
                block.queries.weigh(scores);
                Chunk differences{}; // not before the weights, which take the most registers
                if (ahead.more()) {
                    ahead.fetch_keys(chunks);
                    if constexpr (RELATIVE)
                        differences = *ahead.rel_h();
                }
                block.add_values(scores, memory, stage);
                if (ahead.more()) {
                    ahead.put(memory + free, chunks);
                    if constexpr (RELATIVE)
                        ahead.put(memory + free + REL_AT, differences);
                }
                sync_block();
                if constexpr (!SINGLE)
                    ahead.advance();
                int used = stage;
                stage = free;
                free = used;
            }
            block.store();
        }
    }
}

/// The exact mode's queries and keys, as attention_plain.cuh asks for them.
template <class Params>
struct PlainProblem {
    static constexpr bool RELATIVE = IS_RELATIVE<Params>;
    static constexpr int QUERY_WIDTH = RELATIVE ? 16 : plain::QUERIES, QUERY_HEIGHT = plain::QUERIES / QUERY_WIDTH;
    static constexpr int KEY_WIDTH = RELATIVE ? 8 : plain::KEYS, KEY_HEIGHT = plain::KEYS / KEY_WIDTH;

    Attention<float, Params> attention;
    int height, width, first_y, first_x;

    JMATTE_DEVICE explicit PlainProblem(const Params& p)
        : attention(p), height(attention.height()), width(attention.width()) {
        int patches = RELATIVE ? ceil_div(width, QUERY_WIDTH) : grid_x();
        first_y = block_x() / patches * QUERY_HEIGHT;
        first_x = block_x() % patches * QUERY_WIDTH;
    }
    JMATTE_DEVICE bool exists(int y, int x) const { return y < height && x < width; }
    JMATTE_DEVICE long long token(int y, int x) const { return 1ll * y * width + x; }
    JMATTE_DEVICE const float* query(int y, int x) const {
        return exists(y, x) ? qkv_row<float>(attention.p, Q, token(y, x)) : nullptr;
    }
    JMATTE_DEVICE const float* key(int y, int x) const { return qkv_row<float>(attention.p, K, token(y, x)); }
    JMATTE_DEVICE const float* value(int y, int x) const { return qkv_row<float>(attention.p, V, token(y, x)); }
    JMATTE_DEVICE float* result(int y, int x) const {
        return exists(y, x) ? out_row<float>(attention.p, token(y, x)) : nullptr;
    }
    JMATTE_DEVICE const float* rel_h() const { return attention.rel_h(); }
    JMATTE_DEVICE const float* rel_w() const { return attention.rel_w(); }
};

template <class Params>
JMATTE_DEVICE void attend_plain(const Params& p) {
    PlainProblem<Params> problem(p);
    if (problem.first_x < problem.width)
        plain::attend(shared<plain::Shared>(), problem);
}

// ---------------------------------------------------------------- entry points

JMATTE_KERNEL(sparse_attention_128_fp16, SparseAttention, THREADS, sizeof(Shared<false>)) { attend<half, 2>(p); }
JMATTE_KERNEL(sparse_attention_64_fp16, SparseAttention, THREADS, sizeof(Shared<false>)) { attend<half, 1>(p); }
JMATTE_KERNEL(sparse_attention_128_bf16, SparseAttention, THREADS, sizeof(Shared<false>)) { attend<bfloat, 2>(p); }
JMATTE_KERNEL(sparse_attention_64_bf16, SparseAttention, THREADS, sizeof(Shared<false>)) { attend<bfloat, 1>(p); }
JMATTE_KERNEL(sparse_attention_fp32, SparseAttention, plain::THREADS, sizeof(plain::Shared)) { attend_plain(p); }

JMATTE_KERNEL(sparse_attention_relative_128_fp16, SparseAttentionRelative, THREADS, sizeof(Shared<true>)) {
    attend<half, 2>(p);
}
JMATTE_KERNEL(sparse_attention_relative_64_fp16, SparseAttentionRelative, THREADS, sizeof(Shared<true>)) {
    attend<half, 1>(p);
}
JMATTE_KERNEL(sparse_attention_relative_128_bf16, SparseAttentionRelative, THREADS, sizeof(Shared<true>)) {
    attend<bfloat, 2>(p);
}
JMATTE_KERNEL(sparse_attention_relative_64_bf16, SparseAttentionRelative, THREADS, sizeof(Shared<true>)) {
    attend<bfloat, 1>(p);
}
JMATTE_KERNEL(sparse_attention_relative_fp32, SparseAttentionRelative, plain::THREADS, sizeof(plain::Shared)) {
    attend_plain(p);
}

} // namespace jmatte
