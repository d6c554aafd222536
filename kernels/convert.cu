// Numbers in another type: floats as operands, for products that no norm precedes, and halves widened again:
//
//     out[i] = Out(in[i])
//
//   in        [count]  In       float, or half for floats
//   out       [count]  Out      half or bfloat, or float
//   overflow  [1]      unsigned, or null: or-ed with overflow_bit where a result is not finite
//
// Launch: 256 threads, grid x = ceil(count / 2048). One phase: a thread converts eight neighbours, in packs where
// both pointers are multiples of 16 bytes.
//
// The wrong choice: before a norm, which reads floats and writes T itself.
#include "device.cuh"

namespace jmatte {

struct Convert {
    void* out;
    const void* in;
    unsigned* overflow;
    long long count;
    unsigned overflow_bit;
};

constexpr int THREADS = 256;
constexpr int ELEMENTS = 8;

/// What is as large or no number is rounded to no finite number.
template <class T>
constexpr float OVERFLOW_AT = 0x1.fffffep127f;
template <>
constexpr float OVERFLOW_AT<half> = 65520.0f;
template <>
constexpr float OVERFLOW_AT<bfloat> = 0x1.ffp127f;

template <class In, class Out>
JMATTE_DEVICE void convert(const Convert& p) {
    const long long first = ((long long)block_x() * THREADS + thread()) * ELEMENTS;
    const In* in = static_cast<const In*>(p.in) + first;
    Out* out = static_cast<Out*>(p.out) + first;
    bool overflown = false;
    const auto one = [&](In from) {
        const float v = to_float(from);
        overflown |= !(fabsf(v) < OVERFLOW_AT<Out>);
        return from_float<Out>(v);
    };
    const bool aligned =
        (reinterpret_cast<unsigned long long>(p.in) | reinterpret_cast<unsigned long long>(p.out)) % 16 == 0;
    if (aligned && first + ELEMENTS <= p.count) {
        constexpr int PART = PACK<In> < PACK<Out> ? PACK<In> : PACK<Out>;
#pragma unroll
        for (int at = 0; at < ELEMENTS; at += PART) {
            const auto from = *reinterpret_cast<const Pack<In, PART>*>(in + at);
            Pack<Out, PART> to;
#pragma unroll
            for (int i = 0; i < PART; i++)
                to[i] = one(from[i]);
            *reinterpret_cast<Pack<Out, PART>*>(out + at) = to;
        }
    } else {
        for (int i = 0; i < ELEMENTS && first + i < p.count; i++)
            out[i] = one(in[i]);
    }
    if (p.overflow == nullptr)
        return;
    const bool any = ballot(overflown) != 0;
    if (any && lane() == 0)
        atomic_or(p.overflow, p.overflow_bit);
}

} // namespace jmatte

using namespace jmatte;

JMATTE_KERNEL(convert_fp32_fp16, Convert, THREADS, 0) { convert<float, half>(p); }
JMATTE_KERNEL(convert_fp32_bf16, Convert, THREADS, 0) { convert<float, bfloat>(p); }
JMATTE_KERNEL(convert_fp16_fp32, Convert, THREADS, 0) { convert<half, float>(p); }
