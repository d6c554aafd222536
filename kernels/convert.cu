// Floats as operands, for products that no norm precedes:
//
//     out[i] = T(in[i])
//
//   in        [count]  float
//   out       [count]  T        half or bfloat
//   overflow  [1]      unsigned, or null: or-ed with overflow_bit where a result is not finite
//
// Launch: 256 threads, grid x = ceil(count / 2048). One phase: a thread converts eight neighbours, with 16-byte accesses
// where both pointers are multiples of 16 bytes.
//
// The wrong choice: before a norm, which reads floats and writes T itself.
#include "device.cuh"

namespace jmatte {

struct Convert {
    void* out;
    const float* in;
    unsigned* overflow;
    long long count;
    unsigned overflow_bit;
};

constexpr int THREADS = 256;
constexpr int ELEMENTS = 8;

/// What is as large or no number is rounded to no finite number.
template <class T>
constexpr float OVERFLOW_AT = 65520.0f;
template <>
constexpr float OVERFLOW_AT<bfloat> = 0x1.ffp127f;

template <class T>
JMATTE_DEVICE void convert(const Convert& p) {
    const long long first = ((long long)block_x() * THREADS + thread()) * ELEMENTS;
    const float* in = p.in + first;
    T* out = static_cast<T*>(p.out) + first;
    bool overflown = false;
    const bool aligned =
        (reinterpret_cast<unsigned long long>(p.in) | reinterpret_cast<unsigned long long>(p.out)) % 16 == 0;
    if (aligned && first + ELEMENTS <= p.count) {
        Pack<T, ELEMENTS> result;
#pragma unroll
        for (int half = 0; half < ELEMENTS; half += 4) {
            const auto v = *reinterpret_cast<const Pack<float, 4>*>(in + half);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                result[half + i] = from_float<T>(v[i]);
                overflown |= !(fabsf(v[i]) < OVERFLOW_AT<T>);
            }
        }
        *reinterpret_cast<Pack<T, ELEMENTS>*>(out) = result;
    } else {
        for (int i = 0; i < ELEMENTS && first + i < p.count; i++) {
            out[i] = from_float<T>(in[i]);
            overflown |= !(fabsf(in[i]) < OVERFLOW_AT<T>);
        }
    }
    if (p.overflow == nullptr)
        return;
    const bool any = ballot(overflown) != 0;
    if (any && lane() == 0)
        atomic_or(p.overflow, p.overflow_bit);
}

} // namespace jmatte

using namespace jmatte;

JMATTE_KERNEL(convert_fp32_fp16, Convert, THREADS, 0) { convert<half>(p); }
JMATTE_KERNEL(convert_fp32_bf16, Convert, THREADS, 0) { convert<bfloat>(p); }
