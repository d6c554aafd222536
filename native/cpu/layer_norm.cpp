// Layer norm over the channels of a token.
#include "row_norm.h"

namespace jmatte {
namespace JMATTE_ISA {
namespace {

template <class Out>
void rows_of(const float* x, const int* index, long rows, int channels, const float* weight, const float* bias,
             float eps, bool activate, Out* out) {
    for (long r = 0; r < rows; r++)
        normalise(x + (index ? index[r] : r) * channels, channels, weight, bias, eps, activate, out + r * channels);
}

} // namespace

void layer_norm(const float* x, const int* index, long rows, int channels, const float* weight, const float* bias,
                float eps, int gelu, void* out, int type) {
    if (type == BF16)
        rows_of(x, index, rows, channels, weight, bias, eps, gelu, (bf16*)out);
    else
        rows_of(x, index, rows, channels, weight, bias, eps, gelu, (float*)out);
}

} // namespace JMATTE_ISA
} // namespace jmatte
