// Rows of channels: summed, scaled, activated, and a coarser map added to them.
#include "simd.h"

namespace jmatte {
namespace JMATTE_ISA {
namespace {

/// Rows added up in one chain; the chains' sums are added then, so that errors grow with neither's length alone.
constexpr int CHAIN = 64;

template <class T>
void sum(const T* x, long rows, int channels, float* sums) {
    each_vector(channels, [=](int c, auto m) {
        Vec total = zero();
        for (long r = 0; r < rows; r += CHAIN) {
            Vec part = zero();
            for (long i = r; i < rows && i < r + CHAIN; i++)
                part += load(x + i * channels + c, m);
            total += part;
        }
        store(sums + c, total, m);
    });
}

template <class T>
void scale_all(const T* x, long rows, int channels, const float* scale, T* out) {
    for (long r = 0; r < rows; r++, x += channels, out += channels)
        each_vector(channels, [=](int c, auto m) { store(out + c, load(x + c, m) * load(scale + c, m), m); });
}

template <class T>
void add_leaky(const float* y, float slope, long elements, T* x) {
    long i = 0;
    auto add = [=](long at, auto m) {
        Vec v = load(y + at, m);
        store(x + at, load(x + at, m) + max(splat(slope) * v, v), m); // in this order NaN stays NaN
    };
    for (; i + LANES <= elements; i += LANES)
        add(i, All());
    if (i < elements)
        add(i, first(int(elements - i)));
}

/// The two neighbours of a position in a coarser grid, half-pixel centres, and the weight of the second.
struct Neighbours {
    int low, high;
    float weight;
};

JMATTE_INLINE Neighbours neighbours(int at, int size, int coarse) {
    float x = (at + 0.5f) * coarse / size - 0.5f;
    x = x > 0 ? x : 0;
    int low = (int)x;
    return {low, low + 1 < coarse ? low + 1 : low, x - low};
}

} // namespace

void sum_rows(const void* x, int type, long rows, int channels, float* sums) {
    if (type == BF16)
        sum((const bf16*)x, rows, channels, sums);
    else
        sum((const float*)x, rows, channels, sums);
}

void scale_rows(const void* x, int type, long rows, int channels, const float* scale, void* out) {
    if (type == BF16)
        scale_all((const bf16*)x, rows, channels, scale, (bf16*)out);
    else
        scale_all((const float*)x, rows, channels, scale, (float*)out);
}

void add_activated(const float* y, float slope, long elements, void* x, int type) {
    if (type == BF16)
        add_leaky(y, slope, elements, (bf16*)x);
    else
        add_leaky(y, slope, elements, (float*)x);
}

void add_resized(const float* coarse, int coarse_height, int coarse_width, int height, int width, int channels, int y,
                 int x0, int columns, float* out) {
    Neighbours v = neighbours(y, height, coarse_height);
    const float* top = coarse + (long)v.low * coarse_width * channels;
    const float* bottom = coarse + (long)v.high * coarse_width * channels;
    for (int i = 0; i < columns; i++) {
        Neighbours h = neighbours(x0 + i, width, coarse_width);
        long left = (long)h.low * channels, right = (long)h.high * channels;
        each_vector(channels, [=](int c, auto m) {
            Vec a = load(top + left + c, m), b = load(top + right + c, m);
            Vec d = load(bottom + left + c, m), e = load(bottom + right + c, m);
            Vec upper = fma(b - a, splat(h.weight), a), lower = fma(e - d, splat(h.weight), d);
            float* to = out + (long)i * channels + c;
            store(to, load(to, m) + fma(lower - upper, splat(v.weight), upper), m);
        });
    }
}

} // namespace JMATTE_ISA
} // namespace jmatte
