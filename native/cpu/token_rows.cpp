// Whole token rows added, scattered and merged: one pass over memory each, rows of `channels` contiguous elements.
#include "simd.h"

namespace jmatte {
namespace JMATTE_ISA {
namespace {

template <class T>
void add(float* x, const int* index, long rows, int channels, const T* y) {
    for (long r = 0; r < rows; r++) {
        float* to = x + (index ? index[r] : r) * channels;
        const T* from = y + r * channels;
        each_vector(channels, [=](int c, auto m) { store(to + c, load(to + c, m) + load(from + c, m), m); });
    }
}

template <class T>
void merge(float* x, const T* y, const unsigned char* keep, const float* scale, long rows, int channels) {
    for (long r = 0; r < rows; r++) {
        float* to = x + r * channels;
        const T* from = y + r * channels;
        if (keep[r])
            each_vector(channels, [=](int c, auto m) { store(to + c, load(to + c, m) + load(from + c, m), m); });
        else
            each_vector(channels, [=](int c, auto m) {
                store(to + c, fma(load(from + c, m), load(scale + c, m), load(to + c, m)), m);
            });
    }
}

} // namespace

void add_rows(float* x, const int* index, long rows, int channels, const void* y, int type) {
    if (type == BF16)
        add(x, index, rows, channels, (const bf16*)y);
    else
        add(x, index, rows, channels, (const float*)y);
}

void scatter_rows(const void* y, int type, const int* index, long rows, int channels, void* out) {
    long bytes = channels * (type == BF16 ? sizeof(bf16) : sizeof(float));
    for (long r = 0; r < rows; r++)
        copy_bytes((char*)out + index[r] * bytes, (const char*)y + r * bytes, bytes);
}

void merge_tokens(float* x, const void* y, int type, const unsigned char* keep, const float* scale, long rows,
                  int channels) {
    if (type == BF16)
        merge(x, (const bf16*)y, keep, scale, rows, channels);
    else
        merge(x, (const float*)y, keep, scale, rows, channels);
}

} // namespace JMATTE_ISA
} // namespace jmatte
