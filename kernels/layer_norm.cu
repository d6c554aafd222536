// Layer norm of rows over their last axis, with what commonly stands beside it fused in:
//
//     s[r]   = x[i] + y[r]                      i = index[r] or r; without y, s = x[i]; with y, sum[i] = s[r]
//     out[r] = act((s[r] - mean) / sqrt(variance + eps) * weight + bias) + residual[r]
//
//   out      [rows, C] T     may be x itself (without index) or residual
//   sum      [*, C]    X     only with y; may be x: the residual stream is then updated in place
//   x        [*, C]    X
//   y        [rows, C] T     or null
//   residual [rows, C] T     or null
//   weight, bias [C]   fp32
//   index    [rows]    i32   or null; no index may occur twice where sum is x
//   count    [1]       i32   or null: the number of rows, at most `rows`, where only the device knows it
//   act: none or GELU
//
// The norm is taken of s as it was stored (rounded to X), so that the fused call and the two separate ones agree to the
// last bit. Everything is accumulated in fp32.
//
// Launch: 256 threads, 8 rows to a block, ceil(rows / 8) blocks; no shared memory. One warp per row.
// Phases: load the row into registers (16 bytes a lane of the wider type), mean, centred squares, write. Rows of more
// than 768 elements, or of a number that is no multiple of the 16-byte pack, are read three times instead, one element
// a lane; they stay in the caches.
//
// Wrong choice: for rows of a few channels (C < 64), where most lanes are idle.
#include "row_norm.cuh"

namespace jmatte {

struct LayerNorm {
    void* out;
    void* sum;
    const void* x;
    const void* y;
    const void* residual;
    const float* weight;
    const float* bias;
    const int* index;
    const int* count;
    int rows;
    int channels;
    float eps;
    int gelu;
};

constexpr int THREADS = 256;
constexpr int ROWS = THREADS / WARP;

/// Elements of a pack, of at most 16 bytes in either type.
template <class X, class T>
constexpr int BOTH = PACK<X> < PACK<T> ? PACK<X> : PACK<T>;

/// In registers; `from` and `row` are the row's first elements in x and in the other tensors.
template <class X, class T>
JMATTE_DEVICE void norm_row(const LayerNorm& p, long long from, long long row) {
    constexpr int N = BOTH<X, T>;
    constexpr int PACKS = ROW_PACKS<N>;
    using In = Pack<X, N>;
    using Out = Pack<T, N>;
    const int packs = p.channels / N;
    const In* x = reinterpret_cast<const In*>(static_cast<const X*>(p.x) + from);

    float v[PACKS][N] = {};
#pragma unroll
    for (int k = 0; k < PACKS; k++) {
        int at = k * WARP + lane();
        if (at < packs) {
            In in = x[at];
#pragma unroll
            for (int i = 0; i < N; i++)
                v[k][i] = to_float(in[i]);
        }
    }
    if (p.y) {
        const Out* y = reinterpret_cast<const Out*>(static_cast<const T*>(p.y) + row);
        In* sum = reinterpret_cast<In*>(static_cast<X*>(p.sum) + from);
#pragma unroll
        for (int k = 0; k < PACKS; k++) {
            int at = k * WARP + lane();
            if (at >= packs)
                break;
            Out add = y[at];
            In stored;
#pragma unroll
            for (int i = 0; i < N; i++) {
                stored[i] = from_float<X>(v[k][i] + to_float(add[i]));
                v[k][i] = to_float(stored[i]);
            }
            sum[at] = stored;
        }
    }
    normalise<N>(v, p.channels, p.eps);

    const T* residual = static_cast<const T*>(p.residual);
    Out* out = reinterpret_cast<Out*>(static_cast<T*>(p.out) + row);
#pragma unroll
    for (int k = 0; k < PACKS; k++) {
        int at = k * WARP + lane();
        if (at >= packs)
            break;
        float weight[N], bias[N];
        load_floats(p.weight, at, weight);
        load_floats(p.bias, at, bias);
        Out add;
        if (residual)
            add = reinterpret_cast<const Out*>(residual + row)[at];
        Out result;
#pragma unroll
        for (int i = 0; i < N; i++) {
            float r = fmaf(v[k][i], weight[i], bias[i]);
            if (p.gelu)
                r = gelu(r);
            if (residual)
                r += to_float(add[i]);
            result[i] = from_float<T>(r);
        }
        out[at] = result;
    }
}

/// Any row: one element a lane, from memory in each pass.
template <class X, class T>
JMATTE_DEVICE void norm_any_row(const LayerNorm& p, long long from, long long row) {
    const X* x = static_cast<const X*>(p.x) + from;
    if (p.y) {
        const T* y = static_cast<const T*>(p.y) + row;
        X* sum = static_cast<X*>(p.sum) + from;
        for (int c = lane(); c < p.channels; c += WARP)
            sum[c] = from_float<X>(to_float(x[c]) + to_float(y[c]));
        x = sum; // each lane reads only what it wrote itself
    }
    const Moments moments = row_moments(x, p.channels, p.eps);
    const T* residual = static_cast<const T*>(p.residual);
    T* out = static_cast<T*>(p.out) + row;
    for (int c = lane(); c < p.channels; c += WARP) {
        float r = fmaf((to_float(x[c]) - moments.mean) * moments.scale, p.weight[c], p.bias[c]);
        if (p.gelu)
            r = gelu(r);
        if (residual)
            r += to_float(residual[row + c]);
        out[c] = from_float<T>(r);
    }
}

template <class X, class T>
JMATTE_DEVICE void layer_norm(const LayerNorm& p) {
    const int r = block_x() * ROWS + warp();
    const int rows = p.count ? *p.count : p.rows;
    if (r >= rows)
        return;
    const long long from = (long long)(p.index ? p.index[r] : r) * p.channels;
    const long long row = (long long)r * p.channels;
    if (fits_registers<BOTH<X, T>>(p.channels))
        norm_row<X, T>(p, from, row);
    else
        norm_any_row<X, T>(p, from, row);
}

// Named by x and out; one type where both are the same.
JMATTE_KERNEL(layer_norm_fp32, LayerNorm, THREADS, 0) { layer_norm<float, float>(p); }
JMATTE_KERNEL(layer_norm_fp16, LayerNorm, THREADS, 0) { layer_norm<half, half>(p); }
JMATTE_KERNEL(layer_norm_bf16, LayerNorm, THREADS, 0) { layer_norm<bfloat, bfloat>(p); }
JMATTE_KERNEL(layer_norm_fp32_fp16, LayerNorm, THREADS, 0) { layer_norm<float, half>(p); }
JMATTE_KERNEL(layer_norm_fp32_bf16, LayerNorm, THREADS, 0) { layer_norm<float, bfloat>(p); }
JMATTE_KERNEL(layer_norm_fp16_fp32, LayerNorm, THREADS, 0) { layer_norm<half, float>(p); }
JMATTE_KERNEL(layer_norm_bf16_fp32, LayerNorm, THREADS, 0) { layer_norm<bfloat, float>(p); }

} // namespace jmatte
