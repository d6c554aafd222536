// From the router's hidden rows to the lists of tokens that attend globally.
//
// Everything is deterministic: sums run in row order, equal margins are decided by the token's index.
#include "simd.h"

namespace jmatte {
namespace JMATTE_ISA {
namespace {

template <class T>
void split(const float* y, long rows, int channels, T* local, float* sums) {
    int half = channels / 2;
    each_vector(half, [=](int c, auto m) { store(sums + c, zero(), m); });
    for (long r = 0; r < rows; r++) {
        const float* row = y + r * channels;
        T* to = local + r * half;
        each_vector(half, [=](int c, auto m) {
            store(to + c, load(row + c, m), m);
            store(sums + c, load(sums + c, m) + load(row + half + c, m), m);
        });
    }
}

template <class T>
void margins(const T* y, long rows, int channels, const float* weight, float bias, float* margin) {
    for (long r = 0; r < rows; r++) {
        const T* row = y + r * channels;
        Vec total = zero();
        each_vector(channels, [&](int c, auto m) { total = fma(load(row + c, m), load(weight + c, m), total); });
        margin[r] = sum(total) + bias;
    }
}

/// Positive floats order like their bits: these where the margin is above zero, else 0 (also for -0 and below).
JMATTE_INLINE unsigned key(float margin) {
    int bits;
    __builtin_memcpy(&bits, &margin, sizeof bits);
    return bits > 0 ? (unsigned)bits : 0;
}

/// A 31-bit threshold in three digits: the value of the cap-th largest key, found from the highest digit down.
struct Threshold {
    unsigned key;
    long need; // how many of exactly that key are kept
};

Threshold largest(const float* margin, long tokens, long cap) {
    constexpr int SHIFT[] = {20, 10, 0}, BITS[] = {11, 10, 10};
    Threshold found = {0, cap};
    for (int digit = 0; digit < 3; digit++) {
        unsigned counts[1 << 11] = {};
        int shift = SHIFT[digit], above = shift + BITS[digit];
        unsigned last = (1u << BITS[digit]) - 1;
        for (long t = 0; t < tokens; t++) {
            unsigned k = key(margin[t]);
            // Only keys that share the digits found so far; of the highest digit all (a shift by 31 leaves nothing).
            if (k && k >> above == found.key >> above)
                counts[(k >> shift) & last]++;
        }
        unsigned value = last;
        while (counts[value] < found.need)
            found.need -= counts[value--];
        found.key |= value << shift;
    }
    return found;
}

} // namespace

void split_halves(const float* y, long rows, int channels, void* local, int type, float* sums) {
    if (type == BF16)
        split(y, rows, channels, (bf16*)local, sums);
    else
        split(y, rows, channels, (float*)local, sums);
}

void router_margins(const void* y, int type, long rows, int channels, const float* weight, float bias, float* margin) {
    if (type == BF16)
        margins((const bf16*)y, rows, channels, weight, bias, margin);
    else
        margins((const float*)y, rows, channels, weight, bias, margin);
}

long keep_tokens(const float* margin, long tokens, long cap, unsigned char* keep) {
    long positive = 0, invalid = 0;
    for (long t = 0; t < tokens; t++) {
        keep[t] = margin[t] > 0;
        positive += keep[t];
        invalid += margin[t] != margin[t];
    }
    if (invalid)
        return -1;
    if (positive <= cap)
        return positive;
    if (cap == 0) {
        __builtin_memset(keep, 0, tokens);
        return 0;
    }
    Threshold threshold = largest(margin, tokens, cap);
    for (long t = 0; t < tokens; t++) {
        unsigned k = key(margin[t]);
        keep[t] = k > threshold.key || (k == threshold.key && threshold.need-- > 0);
    }
    return cap;
}

long compact_tokens(const unsigned char* keep, long tokens, int* selected, int* rest) {
    long kept = 0, others = 0;
    for (long t = 0; t < tokens; t++)
        if (keep[t])
            selected[kept++] = (int)t;
        else
            rest[others++] = (int)t;
    return kept;
}

} // namespace JMATTE_ISA
} // namespace jmatte
