// Bilinear resampling of a map to any size, with half-pixel centres:
//
//     out[y, x, c] = (1 - v) ((1 - u) in[y0, x0, c] + u in[y0, x1, c]) + v ((1 - u) in[y1, x0, c] + u in[y1, x1, c])
//     with y0 + v = max(0, (y + 1/2) in_height / out_height - 1/2), y1 = min(y0 + 1, in_height - 1), and x alike
//
//   out  [ring, out_width, pitch] T   rows y0 to y1 - 1; row y lies in slot y % ring, `pitch` elements lie between
//                                     neighbouring positions, so that a map may be some channels of a wider one
//   in   [ring, in_width, pitch]  T
// T is half, bfloat or float; coordinates and interpolation are in fp32, the result is rounded once.
//
// Launch: 256 threads, grid x = ceil(out_width * packs / 256), y = rows; packs = ceil(channels / elements in 16 bytes).
// One phase: a thread makes one position's 16 bytes of channels; neighbours share what they read in the first cache.
//
// The wrong choice: before a 3x3 convolution of a map upsampled twofold, which detail_capture does at low resolution.
#include "device.cuh"

namespace jmatte {

struct Resample {
    void* out;
    const void* in;
    int in_height, in_width, in_ring, in_pitch;
    int out_height, out_width, out_ring, out_pitch;
    int y0, y1;
    int channels;
    float scale_y, scale_x; // in / out
};

constexpr int THREADS = 256;

/// The two neighbours of an output's position, and the share of the upper.
struct Neighbours {
    int low, high;
    float share;

    JMATTE_DEVICE Neighbours(int i, float scale, int size) {
        const float at = fmaxf(0.0f, fmaf(float(i) + 0.5f, scale, -0.5f));
        low = int(at) < size - 1 ? int(at) : size - 1;
        high = low + 1 < size ? low + 1 : low;
        share = at - float(low);
    }
};

/// Up to PACK<T> channels.
template <class T>
JMATTE_DEVICE Pack<T, PACK<T>> load_channels(const T* from, int count, bool wide) {
    if (wide && count >= PACK<T>)
        return *reinterpret_cast<const Pack<T, PACK<T>>*>(from);
    Pack<T, PACK<T>> v{};
#pragma unroll
    for (int i = 0; i < PACK<T>; i++)
        if (i < count)
            v[i] = from[i];
    return v;
}
template <class T>
JMATTE_DEVICE void store_channels(T* to, const Pack<T, PACK<T>>& v, int count, bool wide) {
    if (wide && count >= PACK<T>) {
        *reinterpret_cast<Pack<T, PACK<T>>*>(to) = v;
        return;
    }
#pragma unroll
    for (int i = 0; i < PACK<T>; i++)
        if (i < count)
            to[i] = v[i];
}

template <class T>
JMATTE_DEVICE bool takes_packs(const void* at, int pitch) {
    return reinterpret_cast<unsigned long long>(at) % 16 == 0 && pitch % PACK<T> == 0;
}

template <class T>
JMATTE_DEVICE void resample(const Resample& p) {
    constexpr int N = PACK<T>;
    const int packs = ceil_div(p.channels, N);
    const long long i = (long long)block_x() * THREADS + thread();
    if (i >= (long long)p.out_width * packs)
        return;
    const int y = p.y0 + block_y(), x = int(i / packs), c = int(i % packs) * N;
    const int count = p.channels - c;
    const Neighbours rows(y, p.scale_y, p.in_height), columns(x, p.scale_x, p.in_width);
    const bool wide = takes_packs<T>(p.in, p.in_pitch);
    auto load = [&](int row, int column) {
        const long long at = ((long long)(row % p.in_ring) * p.in_width + column) * p.in_pitch + c;
        return load_channels(static_cast<const T*>(p.in) + at, count, wide);
    };
    const auto v00 = load(rows.low, columns.low), v01 = load(rows.low, columns.high);
    const auto v10 = load(rows.high, columns.low), v11 = load(rows.high, columns.high);
    Pack<T, N> v;
#pragma unroll
    for (int k = 0; k < N; k++) {
        const float top = to_float(v00[k]) * (1.0f - columns.share) + to_float(v01[k]) * columns.share;
        const float bottom = to_float(v10[k]) * (1.0f - columns.share) + to_float(v11[k]) * columns.share;
        v[k] = from_float<T>(top * (1.0f - rows.share) + bottom * rows.share);
    }
    const long long at = ((long long)(y % p.out_ring) * p.out_width + x) * p.out_pitch + c;
    store_channels(static_cast<T*>(p.out) + at, v, count, takes_packs<T>(p.out, p.out_pitch));
}

} // namespace jmatte

using namespace jmatte;

JMATTE_KERNEL(resample_fp16, Resample, THREADS, 0) { resample<half>(p); }
JMATTE_KERNEL(resample_bf16, Resample, THREADS, 0) { resample<bfloat>(p); }
JMATTE_KERNEL(resample_fp32, Resample, THREADS, 0) { resample<float>(p); }
