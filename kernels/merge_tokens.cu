// The residual stream takes what attention and refinement have made of its tokens, and its next norm is taken in the
// same pass:
//
//     x[t]  += i >= 0 ? attention[i or t] : gate * refinement[~i or t],   i = inverse[t]
//     out[t] = (x[t] - mean) / sqrt(variance + eps) * weight + bias
//
//   x          [rows, C] S    the stream, in place
//   out        [rows, C] T    or null: no norm
//   attention  T              compact (a row per selected token) or [rows, C]
//   refinement T              compact (a row per other token) or [rows, C]
//   gate       [C] fp32       1 + sigmoid(...), ltrm's scale
//   inverse    [rows] i32     rank among the selected tokens, or the complement (~) of the rank among the others
//   weight, bias [C] fp32     of the norm
//
// The norm is taken of x as it was stored (rounded to S), as a separate norm would. Accumulation in fp32. Rows are a
// chunk of the tokens; the ranks of compact rows count over the whole image. Only the row that a token takes is read.
//
// Launch: 256 threads, 8 rows to a block, ceil(rows / 8) blocks; no shared memory. One warp per row.
// Phases: as layer_norm; rows that do not fit its registers are read three times, one element a lane.
//
// Wrong choice: where there is no choice to make; layer_norm adds one tensor and normalises.
#include "row_norm.cuh"

namespace jmatte {

struct MergeTokens {
    void* x;
    void* out;
    const void* attention;
    const void* refinement;
    const float* gate;
    const int* inverse;
    const float* weight;
    const float* bias;
    int rows;
    int channels;
    int compact_attention;
    int compact_refinement;
    float eps;
};

constexpr int THREADS = 256;
constexpr int ROWS = THREADS / WARP;
/// At a time on a multiprocessor: 64 registers.
constexpr int BLOCKS = 4;

/// In registers; the factors of an attention row are ones, which changes nothing.
template <class S, class T>
JMATTE_DEVICE void merge_row(const MergeTokens& p, long long row, const T* from, bool selected) {
    constexpr int N = PACK<S>;
    constexpr int PACKS = ROW_PACKS<N>;
    const int packs = p.channels / N;
    Pack<S, N>* x = reinterpret_cast<Pack<S, N>*>(static_cast<S*>(p.x) + row);
    const Pack<T, N>* y = reinterpret_cast<const Pack<T, N>*>(from);

    float v[PACKS][N] = {};
#pragma unroll
    for (int k = 0; k < PACKS; k++) {
        const int at = k * WARP + lane();
        if (at >= packs)
            break;
        Pack<S, N> old = x[at];
        const Pack<T, N> add = y[at];
        float gate[N];
        if (selected) {
#pragma unroll
            for (int i = 0; i < N; i++)
                gate[i] = 1;
        } else {
            load_floats(p.gate, at, gate);
        }
#pragma unroll
        for (int i = 0; i < N; i++) {
            old[i] = from_float<S>(fmaf(to_float(add[i]), gate[i], to_float(old[i])));
            v[k][i] = to_float(old[i]);
        }
        x[at] = old;
    }
    if (!p.out)
        return;
    normalise<N>(v, p.channels, p.eps);
    Pack<T, N>* out = reinterpret_cast<Pack<T, N>*>(static_cast<T*>(p.out) + row);
#pragma unroll
    for (int k = 0; k < PACKS; k++) {
        const int at = k * WARP + lane();
        if (at >= packs)
            break;
        float weight[N], bias[N];
        load_floats(p.weight, at, weight);
        load_floats(p.bias, at, bias);
        Pack<T, N> result;
#pragma unroll
        for (int i = 0; i < N; i++)
            result[i] = from_float<T>(fmaf(v[k][i], weight[i], bias[i]));
        out[at] = result;
    }
}

/// Any row: one element a lane, from memory in each pass; each lane reads only what it wrote itself.
template <class S, class T>
JMATTE_DEVICE void merge_any_row(const MergeTokens& p, long long row, const T* from, bool selected) {
    S* x = static_cast<S*>(p.x) + row;
    for (int c = lane(); c < p.channels; c += WARP)
        x[c] = from_float<S>(fmaf(to_float(from[c]), selected ? 1 : p.gate[c], to_float(x[c])));
    if (!p.out)
        return;
    const Moments moments = row_moments(x, p.channels, p.eps);
    T* out = static_cast<T*>(p.out) + row;
    for (int c = lane(); c < p.channels; c += WARP)
        out[c] = from_float<T>(fmaf((to_float(x[c]) - moments.mean) * moments.scale, p.weight[c], p.bias[c]));
}

template <class S, class T>
JMATTE_DEVICE void merge_tokens(const MergeTokens& p) {
    const int r = block_x() * ROWS + warp();
    if (r >= p.rows)
        return;
    const int rank = p.inverse[r];
    const bool selected = rank >= 0;
    const bool compact = selected ? p.compact_attention : p.compact_refinement;
    const long long at = !compact ? r : selected ? rank : ~rank;
    const T* from = static_cast<const T*>(selected ? p.attention : p.refinement) + at * p.channels;
    if (fits_registers<PACK<S>>(p.channels))
        merge_row<S, T>(p, (long long)r * p.channels, from, selected);
    else
        merge_any_row<S, T>(p, (long long)r * p.channels, from, selected);
}

// Named by the stream and the others; one type where both are the same.
JMATTE_KERNEL_BLOCKS(merge_tokens_fp32, MergeTokens, THREADS, 0, BLOCKS) { merge_tokens<float, float>(p); }
JMATTE_KERNEL_BLOCKS(merge_tokens_fp16, MergeTokens, THREADS, 0, BLOCKS) { merge_tokens<half, half>(p); }
JMATTE_KERNEL_BLOCKS(merge_tokens_bf16, MergeTokens, THREADS, 0, BLOCKS) { merge_tokens<bfloat, bfloat>(p); }
JMATTE_KERNEL_BLOCKS(merge_tokens_fp32_fp16, MergeTokens, THREADS, 0, BLOCKS) { merge_tokens<float, half>(p); }
JMATTE_KERNEL_BLOCKS(merge_tokens_fp32_bf16, MergeTokens, THREADS, 0, BLOCKS) { merge_tokens<float, bfloat>(p); }

} // namespace jmatte
