// Token routing: which tokens attend globally, and the moves of rows that follow from it.
//
//   pool       partial[b][c] = sum of hidden[n][C/2 + c] over the rows n of block b;  local[n][c] = hidden[n][c]
//   mean       mean[c] = sum of partial[.][c] / N
//   fold       folded[o] = bias[o] + sum over c of weight[o][c] * mean[c]
//   margins    margin[n] = sum over c of y[n][c] * weight[c] + bias
//   histogram, count, write
//              keep[n] = margin[n] > 0, of which at most the `cap` largest, ties to the lowest n; or keep = flags
//              selected[.] and rest[.]: the kept tokens and the others, ascending
//              inverse[n] = rank in selected, else the complement (~) of the rank in rest
//   gather     out[r] = x[index[r]]
//   scatter    out[index[r]] = x[r]
//
//   hidden   [rows, C] X       a chunk of the router's hidden rows; C even
//   local    [rows, C/2] T     or null
//   partial  [ceil(rows/128), C/2] fp32, mean [C/2] fp32
//   weight   [O, stride] fp32  of fold; [C] fp32 of margins
//   y        [rows, C] T
//   margin   [N] fp32          NaN is an error, -0 is not kept
//   flags    [N] u8            or null: tokens to keep, instead of the margins
//   bins     [3, 2048] u32     cleared before the first histogram
//   counts   [ceil(N/1024), 4] i32 and threshold [2] u32: scratch between count and write
//   selected [cap], rest [N] (or null), inverse [N] i32
//   result   [4] i32           number selected, number of others, error bits, bits of the margin that decided the cap
//   Error bits: 1 a margin is NaN; 2 more tokens are forced than the cap allows (the first of them are kept).
//
// All sums are fp32, in an order that depends on the sizes alone.
//
// Launch (no shared memory beyond the entry's own; 256 threads except mean, 512):
//   pool ceil(rows/128) blocks; mean ceil(C/2/32); fold ceil(O/8); margins ceil(rows/32);
//   histogram, count, write ceil(N/1024); gather, scatter ceil(rows/32).
//
// Phases of the selection. Positive floats order like their bits: a token's key is these bits, or 0 where the margin is
// not positive. Three launches of histogram count the keys by 11, 10 and 10 bits, each only those keys that share the
// digits found so far, which gives the threshold T and need = cap - #(key > T). Then count leaves for every block the
// numbers G of keys > T and E of keys == T, and write scans these pairs: a token is kept if key > T, or key == T and
// E < need, and stands at G + min(E, need). Integer sums are the same in any order, and no block waits for another.
// Where cap >= N the histograms are left out (bins null), and T = need = 0.
//
// Wrong choice: for few tokens on the host; a handful of launches costs more than sorting some hundred margins there.
#include "channel_sums.cuh"

namespace jmatte {

constexpr int THREADS = 256;
constexpr int WARPS = THREADS / WARP;

// ---------------------------------------------------------------- pooled half, folded into a bias

struct TokenRoutingPool {
    void* local;
    float* partial;
    const void* hidden;
    int rows;
    int channels;
};

/// Rows of a partial sum: 16 in a row for each warp, and few enough partial sums at any size.
constexpr int POOL_ROWS = 128;

struct PoolShared {
    float sum[WARPS][WARP * 8];
};

/// N channels a lane.
template <class X, class T, int N>
JMATTE_DEVICE void pool(const TokenRoutingPool& p) {
    auto& s = shared<PoolShared>();
    const int half = p.channels / 2;
    const int first = block_x() * POOL_ROWS;
    const int end = first + POOL_ROWS < p.rows ? first + POOL_ROWS : p.rows;
    for (int c0 = 0; c0 < half; c0 += WARP * N) {
        const int c = c0 + lane() * N;
        float sum[N] = {};
        if (c < half)
#pragma unroll 4
            for (int r = first + warp(); r < end; r += WARPS) {
                const X* row = static_cast<const X*>(p.hidden) + (long long)r * p.channels + c;
                Pack<X, N> global = *reinterpret_cast<const Pack<X, N>*>(row + half);
#pragma unroll
                for (int i = 0; i < N; i++)
                    sum[i] += to_float(global[i]);
                if (p.local) {
                    Pack<X, N> own = *reinterpret_cast<const Pack<X, N>*>(row);
                    Pack<T, N> out;
#pragma unroll
                    for (int i = 0; i < N; i++)
                        out[i] = from_float<T>(to_float(own[i]));
                    T* to = static_cast<T*>(p.local) + (long long)r * half + c;
                    *reinterpret_cast<Pack<T, N>*>(to) = out;
                }
            }
#pragma unroll
        for (int i = 0; i < N; i++)
            s.sum[warp()][lane() * N + i] = sum[i];
        sync_block();
        for (int i = thread(); i < WARP * N && c0 + i < half; i += THREADS) {
            float total = s.sum[0][i];
            for (int w = 1; w < WARPS; w++)
                total += s.sum[w][i];
            p.partial[(long long)block_x() * half + c0 + i] = total;
        }
        sync_block();
    }
}

template <class X, class T>
JMATTE_DEVICE void pool(const TokenRoutingPool& p) {
    if (p.channels / 2 % PACK<X> == 0)
        pool<X, T, PACK<X>>(p);
    else
        pool<X, T, 1>(p);
}

struct TokenRoutingFold {
    float* folded;
    const float* weight;
    const float* bias;
    const float* mean;
    int outputs;
    int inputs;
    int stride;
};

/// One warp per output.
JMATTE_DEVICE void fold(const TokenRoutingFold& p) {
    const int o = block_x() * WARPS + warp();
    if (o >= p.outputs)
        return;
    float sum = 0;
    for (int c = lane(); c < p.inputs; c += WARP)
        sum = fmaf(p.weight[(long long)o * p.stride + c], p.mean[c], sum);
    sum = warp_sum(sum);
    if (lane() == 0)
        p.folded[o] = p.bias[o] + sum;
}

// ---------------------------------------------------------------- margins

struct TokenRoutingMargins {
    float* margin;
    const void* y;
    const float* weight;
    int rows;
    int channels;
    float bias;
};

/// Rows of a warp: their loads are under way together.
constexpr int FLIGHT = 4;

template <class T, int N>
JMATTE_DEVICE void margins(const TokenRoutingMargins& p) {
    const int first = (block_x() * WARPS + warp()) * FLIGHT;
    const T* y = static_cast<const T*>(p.y);
    float sum[FLIGHT] = {};
    for (int c = lane() * N; c < p.channels; c += WARP * N) {
        Pack<T, N> v[FLIGHT];
#pragma unroll
        for (int k = 0; k < FLIGHT; k++)
            if (first + k < p.rows)
                v[k] = *reinterpret_cast<const Pack<T, N>*>(y + (long long)(first + k) * p.channels + c);
#pragma unroll
        for (int i = 0; i < N; i++) {
            float w = p.weight[c + i];
#pragma unroll
            for (int k = 0; k < FLIGHT; k++)
                if (first + k < p.rows)
                    sum[k] = fmaf(to_float(v[k][i]), w, sum[k]);
        }
    }
#pragma unroll
    for (int k = 0; k < FLIGHT; k++) {
        float total = warp_sum(sum[k]);
        if (lane() == k && first + k < p.rows)
            p.margin[first + k] = total + p.bias;
    }
}

template <class T>
JMATTE_DEVICE void margins(const TokenRoutingMargins& p) {
    if (p.channels % PACK<T> == 0)
        margins<T, PACK<T>>(p);
    else
        margins<T, 1>(p);
}

// ---------------------------------------------------------------- selection

struct TokenRoutingHistogram {
    unsigned* bins;
    const float* margin;
    int tokens;
    int cap;
    int digit;
};

struct TokenRoutingCount {
    int* counts;
    unsigned* threshold;
    const unsigned* bins;
    const float* margin;
    const unsigned char* flags;
    int tokens;
    int cap;
};

struct TokenRoutingWrite {
    int* selected;
    int* rest;
    int* inverse;
    int* result;
    const int* counts;
    const unsigned* threshold;
    const float* margin;
    const unsigned char* flags;
    int tokens;
    int cap;
};

/// Tokens of a thread, in a row, and of a block.
constexpr int TOKENS = 4;
constexpr int BLOCK_TOKENS = THREADS * TOKENS;
/// Digits of a 31-bit key from the highest: the bits below each, and its values.
constexpr int MOST_BINS = 2048;
JMATTE_DEVICE constexpr int digit_shift(int digit) { return 20 - 10 * digit; }
JMATTE_DEVICE constexpr int digit_bins(int digit) { return digit == 0 ? 2048 : 1024; }

constexpr int NOT_A_NUMBER = 1, TOO_MANY = 2;

struct Threshold {
    unsigned key;
    int need; // how many of exactly that key are kept
    bool capped;
};

struct SelectionShared {
    int sums[WARPS];
    int value;
    int need;
    unsigned bins[MOST_BINS];
};

JMATTE_DEVICE unsigned key(float margin) { return margin > 0 ? float_bits(margin) : 0; }

/// The keys of a thread's tokens; of flags 1 and 0. Tokens beyond the last have key 0.
JMATTE_DEVICE void load_keys(const float* margin, const unsigned char* flags, int tokens, unsigned (&keys)[TOKENS],
                             int& invalid) {
    const int first = block_x() * BLOCK_TOKENS + thread() * TOKENS;
    invalid = 0;
#pragma unroll
    for (int k = 0; k < TOKENS; k++)
        keys[k] = 0;
    if (flags) {
#pragma unroll
        for (int k = 0; k < TOKENS; k++)
            if (first + k < tokens)
                keys[k] = flags[first + k] ? 1 : 0;
        return;
    }
    Pack<float, TOKENS> m;
    if (first + TOKENS <= tokens)
        m = *reinterpret_cast<const Pack<float, TOKENS>*>(margin + first);
    else
#pragma unroll
        for (int k = 0; k < TOKENS; k++)
            m[k] = first + k < tokens ? margin[first + k] : 0;
#pragma unroll
    for (int k = 0; k < TOKENS; k++) {
        keys[k] = key(m[k]);
        invalid += m[k] != m[k];
    }
}

/// The sum of the values of all threads before this one; `total` that of all. Every thread takes part.
JMATTE_DEVICE int block_scan(int v, SelectionShared& s, int& total) {
    int sum = v;
#pragma unroll
    for (int delta = 1; delta < WARP; delta *= 2) {
        int below = shuffle_up(sum, delta);
        if (lane() >= delta)
            sum += below;
    }
    if (lane() == WARP - 1)
        s.sums[warp()] = sum;
    sync_block();
    int before = 0;
    total = 0;
#pragma unroll
    for (int w = 0; w < WARPS; w++) {
        if (w < warp())
            before += s.sums[w];
        total += s.sums[w];
    }
    sync_block();
    return before + sum - v;
}

/// The threshold as far as the first `digits` histograms tell it. Every thread takes part.
JMATTE_DEVICE Threshold find_threshold(const unsigned* bins, int cap, int digits, SelectionShared& s) {
    Threshold t = {0, cap, true};
    for (int d = 0; d < digits; d++) {
        // Thread i has the values from last - i * each downwards, so that a scan counts from the largest.
        const int last = digit_bins(d) - 1, each = digit_bins(d) / THREADS;
        const int top = last - thread() * each;
        const unsigned* counts = bins + d * MOST_BINS;
        int sum = 0, total;
        for (int k = 0; k < each; k++)
            sum += int(counts[top - k]);
        int before = block_scan(sum, s, total);
        if (d == 0 && total <= cap)
            return {0, 0, false};
        if (t.need == 0) {
            if (thread() == 0) {
                s.value = last;
                s.need = 0;
            }
        } else if (before < t.need && t.need <= before + sum) {
            int value = top;
            while (before + int(counts[value]) < t.need)
                before += int(counts[value--]);
            s.value = value;
            s.need = t.need - before;
        }
        sync_block();
        t.key |= unsigned(s.value) << digit_shift(d);
        t.need = s.need; // the next scan's barriers lie between this and the next write
    }
    return t;
}

JMATTE_DEVICE void histogram(const TokenRoutingHistogram& p) {
    auto& s = shared<SelectionShared>();
    const Threshold t = find_threshold(p.bins, p.cap, p.digit, s);
    if (!t.capped)
        return;
    const int count = digit_bins(p.digit), shift = digit_shift(p.digit);
    for (int i = thread(); i < count; i += THREADS)
        s.bins[i] = 0;
    sync_block();
    unsigned keys[TOKENS];
    int invalid;
    load_keys(p.margin, nullptr, p.tokens, keys, invalid);
    // Of the highest digit all keys count: the shift must not reach the width of the word.
    const int above = shift + (p.digit == 0 ? 11 : 10);
#pragma unroll
    for (int k = 0; k < TOKENS; k++)
        if (keys[k] && keys[k] >> above == t.key >> above)
            atomic_add(&s.bins[(keys[k] >> shift) & unsigned(count - 1)], 1);
    sync_block();
    for (int i = thread(); i < count; i += THREADS)
        if (s.bins[i])
            atomic_add(&p.bins[p.digit * MOST_BINS + i], s.bins[i]);
}

/// Keys above and equal to the threshold, as two halves of a word: a block has 1024 tokens.
JMATTE_DEVICE int classify(unsigned k, const Threshold& t) {
    return k > t.key ? 1 << 16 : k == t.key && t.need > 0 ? 1 : 0;
}

JMATTE_DEVICE void count(const TokenRoutingCount& p) {
    auto& s = shared<SelectionShared>();
    Threshold t = {0, 0, false};
    if (!p.flags && p.bins)
        t = find_threshold(p.bins, p.cap, 3, s);
    unsigned keys[TOKENS];
    int invalid;
    load_keys(p.margin, p.flags, p.tokens, keys, invalid);
    int both = 0, kept, wrong;
#pragma unroll
    for (int k = 0; k < TOKENS; k++)
        both += classify(keys[k], t);
    block_scan(both, s, kept);
    block_scan(invalid, s, wrong);
    if (thread() == 0) {
        int* to = p.counts + 4 * (long long)block_x();
        to[0] = kept >> 16;
        to[1] = kept & 0xffff;
        to[2] = wrong;
        if (block_x() == 0) {
            p.threshold[0] = t.key;
            p.threshold[1] = unsigned(t.need);
        }
    }
}

JMATTE_DEVICE void write(const TokenRoutingWrite& p) {
    auto& s = shared<SelectionShared>();
    const Threshold t = {p.threshold[0], int(p.threshold[1]), true};
    int above = 0, equal = 0, wrong = 0;
    for (int b = thread(); b < block_x(); b += THREADS) {
        above += p.counts[4 * (long long)b];
        equal += p.counts[4 * (long long)b + 1];
        wrong += p.counts[4 * (long long)b + 2];
    }
    int total;
    block_scan(above, s, total);
    above = total;
    block_scan(equal, s, total);
    equal = total;
    block_scan(wrong, s, total);
    wrong = total;

    unsigned keys[TOKENS];
    int invalid, both = 0;
    load_keys(p.margin, p.flags, p.tokens, keys, invalid);
#pragma unroll
    for (int k = 0; k < TOKENS; k++)
        both += classify(keys[k], t);
    int before = block_scan(both, s, total);
    if (block_x() == grid_x() - 1 && thread() == 0) {
        int all_above = above + (total >> 16), all_equal = equal + (total & 0xffff);
        int kept = all_above + (all_equal < t.need ? all_equal : t.need);
        wrong += p.counts[4 * (long long)block_x() + 2];
        p.result[0] = kept < p.cap ? kept : p.cap;
        p.result[1] = p.tokens - p.result[0];
        p.result[2] = (wrong ? NOT_A_NUMBER : 0) | (kept > p.cap ? TOO_MANY : 0);
        p.result[3] = int(t.key);
    }
    above += before >> 16;
    equal += before & 0xffff;
    const int first = block_x() * BLOCK_TOKENS + thread() * TOKENS;
#pragma unroll
    for (int k = 0; k < TOKENS; k++) {
        const int n = first + k;
        const int what = classify(keys[k], t);
        if (n < p.tokens) {
            int rank = above + (equal < t.need ? equal : t.need);
            rank = rank < p.cap ? rank : p.cap; // more may be forced than there is room for
            bool keep = (what > 1 || (what == 1 && equal < t.need)) && rank < p.cap;
            if (keep)
                p.selected[rank] = n;
            else if (p.rest)
                p.rest[n - rank] = n;
            p.inverse[n] = keep ? rank : ~(n - rank);
        }
        above += what >> 16;
        equal += what & 0xffff;
    }
}

// ---------------------------------------------------------------- rows

struct TokenRoutingRows {
    void* out;
    const void* x;
    const int* index;
    const int* count; // or null: the number of rows, where only the device knows it
    int rows;
    int row_bytes;
};

/// At a time on a multiprocessor: 64 registers.
constexpr int MOVING_BLOCKS = 4;

/// Each warp moves FLIGHT rows at a time in units U; lanes 0 to FLIGHT - 1 have read their indices.
template <class U, bool SCATTER>
JMATTE_DEVICE void move_rows(const TokenRoutingRows& p, int first, int rows) {
    const int units = p.row_bytes / int(sizeof(U));
    const int own = lane() < FLIGHT && first + lane() < rows ? p.index[first + lane()] : 0;
    const U* from[FLIGHT];
    U* to[FLIGHT];
#pragma unroll
    for (int k = 0; k < FLIGHT; k++) {
        long long far = (long long)shuffle(own, k) * units, near = (long long)(first + k) * units;
        from[k] = static_cast<const U*>(p.x) + (SCATTER ? near : far);
        to[k] = static_cast<U*>(p.out) + (SCATTER ? far : near);
    }
    for (int i = lane(); i < units; i += WARP) {
        U v[FLIGHT];
#pragma unroll
        for (int k = 0; k < FLIGHT; k++)
            if (first + k < rows)
                v[k] = from[k][i];
#pragma unroll
        for (int k = 0; k < FLIGHT; k++)
            if (first + k < rows)
                to[k][i] = v[k];
    }
}

template <bool SCATTER>
JMATTE_DEVICE void move_rows(const TokenRoutingRows& p) {
    const int first = (block_x() * WARPS + warp()) * FLIGHT;
    const int rows = p.count ? *p.count : p.rows;
    if (first >= rows)
        return;
    if (p.row_bytes % 16 == 0)
        move_rows<Pack<unsigned, 4>, SCATTER>(p, first, rows);
    else
        move_rows<unsigned short, SCATTER>(p, first, rows);
}

// ---------------------------------------------------------------- entry points: pool is named by hidden and local

JMATTE_KERNEL(token_routing_pool_fp32, TokenRoutingPool, THREADS, sizeof(PoolShared)) { pool<float, float>(p); }
JMATTE_KERNEL(token_routing_pool_fp16, TokenRoutingPool, THREADS, sizeof(PoolShared)) { pool<half, half>(p); }
JMATTE_KERNEL(token_routing_pool_bf16, TokenRoutingPool, THREADS, sizeof(PoolShared)) { pool<bfloat, bfloat>(p); }
JMATTE_KERNEL(token_routing_pool_fp32_fp16, TokenRoutingPool, THREADS, sizeof(PoolShared)) { pool<float, half>(p); }
JMATTE_KERNEL(token_routing_pool_fp32_bf16, TokenRoutingPool, THREADS, sizeof(PoolShared)) { pool<float, bfloat>(p); }
JMATTE_KERNEL(token_routing_mean_fp32, ChannelMean, MEAN_THREADS, sizeof(ChannelMeanShared)) { channel_mean(p); }
JMATTE_KERNEL(token_routing_fold_fp32, TokenRoutingFold, THREADS, 0) { fold(p); }

JMATTE_KERNEL(token_routing_margins_fp32, TokenRoutingMargins, THREADS, 0) { margins<float>(p); }
JMATTE_KERNEL(token_routing_margins_fp16, TokenRoutingMargins, THREADS, 0) { margins<half>(p); }
JMATTE_KERNEL(token_routing_margins_bf16, TokenRoutingMargins, THREADS, 0) { margins<bfloat>(p); }

JMATTE_KERNEL(token_routing_histogram_fp32, TokenRoutingHistogram, THREADS, sizeof(SelectionShared)) { histogram(p); }
JMATTE_KERNEL(token_routing_count_fp32, TokenRoutingCount, THREADS, sizeof(SelectionShared)) { count(p); }
JMATTE_KERNEL(token_routing_write_fp32, TokenRoutingWrite, THREADS, sizeof(SelectionShared)) { write(p); }

// Rows of any type.
JMATTE_KERNEL_BLOCKS(token_routing_gather, TokenRoutingRows, THREADS, 0, MOVING_BLOCKS) { move_rows<false>(p); }
JMATTE_KERNEL_BLOCKS(token_routing_scatter, TokenRoutingRows, THREADS, 0, MOVING_BLOCKS) { move_rows<true>(p); }

} // namespace jmatte
