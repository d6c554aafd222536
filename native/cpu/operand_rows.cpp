// Rows brought into the form that a matrix product takes: converted to the operands' type, or picked by index.
#include "simd.h"

namespace jmatte {
namespace JMATTE_ISA {

void convert_rows(const float* x, long elements, void* out, int type) {
    if (type == FP32) {
        __builtin_memcpy(out, x, elements * sizeof(float));
        return;
    }
    bf16* to = (bf16*)out;
    long i = 0;
    for (; i + LANES <= elements; i += LANES)
        store(to + i, load(x + i));
    if (i < elements) {
        auto rest = first(int(elements - i));
        store(to + i, load(x + i, rest), rest);
    }
}

void gather_rows(const void* x, int type, const int* index, long first_row, long rows, int channels, void* out) {
    long bytes = long(channels) * (type == BF16 ? sizeof(bf16) : sizeof(float));
    for (long r = 0; r < rows; r++)
        __builtin_memcpy((char*)out + r * bytes, (const char*)x + (index[r] - first_row) * bytes, bytes);
}

} // namespace JMATTE_ISA
} // namespace jmatte
